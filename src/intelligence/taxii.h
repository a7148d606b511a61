// The reading half of TAXII 2.1 (OASIS): discovery, API roots, collections, objects with paging.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "intelligence/fetch.h"

namespace picket::intelligence {

inline constexpr std::string_view kTaxiiMedia = "application/taxii+json;version=2.1";

struct TaxiiRead {
  FetchRequest base;       ///< `url`: of discovery, of an API root, or of one collection; credentials.
  std::string collection;  ///< Id, alias or title; empty: all that may be read.
  /// By collection id: X-TAXII-Date-Added-Last of what was read. Moves on only when a collection was read to its end.
  std::map<std::string, std::string>& cursors;
};

/// Calls page(envelope) for each; its fault ends the read.
using TaxiiPage = std::function<std::expected<void, FetchFault>(std::string_view envelope)>;
std::expected<void, FetchFault> read_taxii(const TaxiiRead& read, Fetcher& fetcher, const TaxiiPage& page);

}  // namespace picket::intelligence
