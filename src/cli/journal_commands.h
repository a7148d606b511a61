// Commands on the journals of a stopped server: what is damaged, and the operator's decision to go on without it.
#pragma once

#include <string>

#include "client.h"

namespace picket::cli {

enum class OnDamage { report, accept };

/// Reads both journals of a data directory to the end and prints each damaged place: file, bytes, records lost. With
/// OnDamage::accept each loss is accepted, durably: readers pass it from then on, and it stays counted. Fails with
/// Exit::failed when damage is left, Exit::usage when a server runs on the folder or it holds no journal.
Outcome<void> check_journals(const std::string& data, OnDamage on_damage);

}  // namespace picket::cli
