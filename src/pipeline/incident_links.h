// What alerts can have in common.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "incident_book.h"

namespace picket::pipeline {

/// Weight of a severity: 1 Informational, 2 Low, 3 Medium, 4 High.
std::uint64_t severity_weight(std::string_view severity);
std::string_view severity_name(std::uint64_t weight);

/// What can be shared with other alerts: addresses, domains, hashes, files, processes and users that are told apart.
/// What everybody shares (loopback, root) is none.
std::set<std::string> links_of(const AlertChange& alert, std::string_view group_key);
/// Links that join alerts of several devices; an alert of Medium and above also has its type.
std::set<std::string> campaign_links(const IncidentBook::AlertFacts& facts);
std::size_t campaign_devices(std::string_view link);

/// Why two alerts of one device belong together; empty: they do not. Stays true as they grow.
std::set<std::string> reasons_to_join(const IncidentBook::AlertFacts& a, const IncidentBook::AlertFacts& b);

}  // namespace picket::pipeline
