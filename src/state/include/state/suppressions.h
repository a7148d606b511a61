// Suppression rules of operators (pipeline/suppression.h makes and reads their JSON). The pipeline is told through the
// outbox.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct SuppressionRow {
  std::string id;
  std::string json;
  std::string created_by;
  Timestamp created;
  Timestamp changed;
  std::uint64_t alerts = 0;  ///< That fell under it,
  std::uint64_t hits = 0;    ///< and what happened in them.
  Timestamp last_hit;        ///< 0: none yet.
};

class Suppressions {
 public:
  static constexpr std::size_t kRulesMax = 1024;

  explicit Suppressions(Database& database) : database_(database) {}

  /// Adds a checked rule or replaces it; the outbox record "suppression.set" tells the pipeline. True: it is new.
  /// Errors: limit_exceeded "suppressions".
  Result<bool> put(std::string_view id, std::string_view json, const Actor& actor, Timestamp now);
  /// "suppression.delete"; what it has dismissed stays so. False: there was none.
  Result<bool> remove(std::string_view id, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<SuppressionRow> find(std::string_view id) const;
  /// By id.
  Result<std::vector<SuppressionRow>> list() const;

 private:
  Database& database_;
};

}  // namespace picket::state
