// Settings of the service REST model: IoT security solutions, as their resources say it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

class Solutions {
 public:
  struct Stored {
    std::string name;  ///< Compared without ASCII case.
    std::string json;  ///< {"location","tags","properties"}
    Timestamp changed;
  };
  static constexpr std::size_t kSolutionsMax = 64;

  explicit Solutions(Database& database) : database_(database) {}

  /// True: it is new. Audited as "solution.set". Errors: limit_exceeded.
  Result<bool> put(std::string_view name, std::string_view json, const Actor& actor, Timestamp now);
  /// "solution.delete". False: there was none.
  Result<bool> remove(std::string_view name, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<Stored> find(std::string_view name) const;
  /// By name.
  Result<std::vector<Stored>> list() const;

 private:
  Database& database_;
};

}  // namespace picket::state
