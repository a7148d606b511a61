// Routes of hubs as operators read and write them: stored, compiled, in force.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "api/services.h"
#include "hub/router.h"
#include "state/routing.h"

namespace picket::server {

/// Any thread that may wait for the disk.
class RouteDesk final : public api::RouteDesk {
 public:
  /// All outlive it.
  RouteDesk(state::Database& database, hub::Router& router, hub::TwinLookup twins, const Clock& clock)
      : store_(database), router_(router), twins_(std::move(twins)), clock_(clock) {}

  /// Puts the stored routes of all hubs in force. A document that does not compile any more is logged and left out.
  Result<> load();

  [[nodiscard]] std::string read(std::string_view hub) const override;
  hub::HubResult<> write(std::string_view hub, std::string_view json, const state::Actor& actor) override;
  hub::HubResult<std::vector<std::string>> test(std::string_view hub, const hub::RoutedMessage& message) const override;

 private:
  state::Routing store_;
  hub::Router& router_;
  hub::TwinLookup twins_;
  const Clock& clock_;
};

}  // namespace picket::server
