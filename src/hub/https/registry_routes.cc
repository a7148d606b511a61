// Identities and modules (spec/hub.md 1.4, "identity").
#include <charconv>

#include "hub/await.h"
#include "hub/registry.h"
#include "reply.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kListMax = 1000;

HubError no_registry() { return {kNotOffered, "This hub serves no registry."}; }

asio::awaitable<http::Response> shown(Call& call, std::move_only_function<void(Registry&, Done<std::string>)> show) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  auto json = co_await answer_of<std::string>(call.executor(),
                                              [&](Done<std::string> done) { show(*registry, std::move(done)); });
  co_return json_answer(std::move(json));
}

std::size_t top_of(const Call& call) {
  const auto text = call.parameter("top").value_or("");
  std::size_t top = kListMax;
  std::from_chars(text.data(), text.data() + text.size(), top);
  return std::min(top, kListMax);
}

asio::awaitable<http::Response> remove(Call& call) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  co_return empty_reply(co_await answer_of<void>(call.executor(), [&](Done<> done) {
    registry->remove(call.target(), if_match(call), call.service().actor(), std::move(done));
  }));
}

}  // namespace

asio::awaitable<http::Response> list_devices(Call& call) {
  co_return co_await shown(call, [&call](Registry& registry, Done<std::string> done) {
    registry.show_devices(call.service().hub, "", top_of(call), call.service().actor(), std::move(done));
  });
}

asio::awaitable<http::Response> get_device(Call& call) {
  co_return co_await shown(call, [&call](Registry& registry, Done<std::string> done) {
    registry.show_device(call.target(), call.service().actor(), std::move(done));
  });
}

asio::awaitable<http::Response> list_modules(Call& call) {
  co_return co_await shown(call, [&call](Registry& registry, Done<std::string> done) {
    registry.show_modules(call.target(), call.service().actor(), std::move(done));
  });
}

asio::awaitable<http::Response> get_module(Call& call) {
  co_return co_await shown(call, [&call](Registry& registry, Done<std::string> done) {
    registry.show_module(call.target(), call.service().actor(), std::move(done));
  });
}

asio::awaitable<http::Response> put_device(Call& call) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  auto spec = device_from_json(call.request->body, call.values[0]);
  if (!spec) co_return error_reply(spec.error());
  const std::string& hub = call.service().hub;
  const auto device = co_await answer_of<state::Device>(call.executor(), [&](Done<state::Device> done) {
    registry->put(hub, *std::move(spec), put_mode(has_if_match(call)), if_match(call), call.service().actor(),
                  std::move(done));
  });
  co_return device ? json_reply(registry->to_json(hub, *device)) : error_reply(device.error());
}

asio::awaitable<http::Response> put_module(Call& call) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  auto spec = module_from_json(call.request->body, call.values[0], call.values[1]);
  if (!spec) co_return error_reply(spec.error());
  const std::string& hub = call.service().hub;
  const bool creates = !has_if_match(call);
  const auto module = co_await answer_of<state::Module>(call.executor(), [&](Done<state::Module> done) {
    registry->put(hub, *std::move(spec), put_mode(!creates), if_match(call), call.service().actor(), std::move(done));
  });
  if (!module) co_return error_reply(module.error());
  co_return json_reply(registry->to_json(hub, call.values[0], *module), creates ? 201 : 200);
}

asio::awaitable<http::Response> delete_device(Call& call) { return remove(call); }
asio::awaitable<http::Response> delete_module(Call& call) { return remove(call); }

asio::awaitable<http::Response> bulk_devices(Call& call) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  auto items = bulk_from_json(call.request->body);
  if (!items) co_return error_reply(items.error());
  const auto result = co_await answer_of<BulkResult>(call.executor(), [&](Done<BulkResult> done) {
    registry->bulk(call.service().hub, *std::move(items), call.service().actor(), std::move(done));
  });
  if (!result) co_return error_reply(result.error());
  co_return json_reply(to_json(*result), result->errors.empty() ? 200 : 400);
}

asio::awaitable<http::Response> get_device_statistics(Call& call) {
  Registry* const registry = call.context.needs.registry;
  if (registry == nullptr) co_return error_reply(no_registry());
  const auto counts = registry->counts(call.service().hub);
  co_return counts ? json_reply(to_json(*counts)) : error_reply(counts.error());
}

asio::awaitable<http::Response> get_service_statistics(Call& call) {
  const auto& count = call.context.needs.connected_devices;
  const std::uint64_t connected = count ? count(call.service().hub) : 0;
  co_return json_reply("{\"connectedDeviceCount\":" + std::to_string(connected) + "}");
}

}  // namespace picket::hub
