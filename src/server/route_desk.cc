#include "route_desk.h"

#include "base/server/log.h"

namespace picket::server {
namespace {

hub::HubResult<std::shared_ptr<const hub::RouteSet>> compile(std::string_view json) {
  auto config = hub::parse_routing(json);
  if (!config) return std::unexpected(config.error());
  return hub::RouteSet::compile(*std::move(config));
}

}  // namespace

Result<> RouteDesk::load() {
  TRY(const auto documents, store_.list());
  for (const auto& document : documents) {
    const auto routes = compile(document.json);
    if (routes) {
      router_.set_routes(document.hub, *routes);
    } else {
      log::error("hub", "routes of {} are not in force: {}", document.hub, routes.error().message);
    }
  }
  return {};
}

std::string RouteDesk::read(std::string_view hub) const {
  const auto routes = router_.routes(hub);
  return hub::to_json(routes ? routes->config() : hub::RoutingConfig{});
}

hub::HubResult<> RouteDesk::write(std::string_view hub, std::string_view json, const state::Actor& actor) {
  auto routes = compile(json);
  if (!routes) return std::unexpected(routes.error());
  const auto stored = store_.put(hub, hub::to_json((*routes)->config()), actor, clock_.now());
  if (!stored) return std::unexpected(hub::from_store(stored.error(), "The routes"));
  router_.set_routes(std::string(hub), *std::move(routes));
  return {};
}

hub::HubResult<std::vector<std::string>> RouteDesk::test(std::string_view hub,
                                                         const hub::RoutedMessage& message) const {
  const auto routes = router_.routes(hub);
  return routes ? routes->matching(message, twins_) : std::vector<std::string>{};
}

}  // namespace picket::server
