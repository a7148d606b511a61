// Routes of each hub: the document that its operator wrote. Its meaning is the hub's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

class Routing {
 public:
  explicit Routing(Database& database) : database_(database) {}

  struct Document {
    std::string hub;
    std::string json;
  };
  Result<std::vector<Document>> list() const;
  /// With its audit record "routes.set" in the same transaction.
  Result<> put(std::string_view hub, std::string_view json, const Actor& actor, Timestamp now);

 private:
  Database& database_;
};

}  // namespace picket::state
