// Claims: a resource that covers a path covers everything below it and no sibling; what names an identity covers it;
// and a token nobody signed opens nothing.
#include <cstdlib>

#include "hub/sas_token.h"
#include "hub/service_authentication.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::hub;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  const auto resource = text.substr(0, newline);
  const auto path = newline == std::string::npos ? std::string() : "/" + text.substr(newline + 1);
  if (covers_resource(resource, "host", path)) {
    if (!covers_resource(resource, "host", path + "/below")) std::abort();
  } else if (names_identity(resource, "host", path.size() > 1 ? path.substr(1) : "d", "") &&
             !covers_resource(resource, "host", identity_path(path.size() > 1 ? path.substr(1) : "d", ""))) {
    std::abort();
  }
  if (const auto name = parse_resource(resource); name && name->host.empty()) std::abort();
  static const auto settings = [] {
    auto store = std::make_unique<HubSettingsStore>();
    store->put({.name = "hub", .policies = {{"owner", kAllRights, Buffer(32), Buffer()}}});
    return store;
  }();
  const HubNames hubs{.default_hub = "hub"};
  if (authenticate_service({.token = text}, 0, hubs, *settings, Timestamp{0})) std::abort();
  return 0;
}
