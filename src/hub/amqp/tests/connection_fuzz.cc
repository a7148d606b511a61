// Bytes of a client into a connection's core. Claims: no crash; what is said in return is bounded; no record, no
// command and no answer of a device without a credential of exactly that identity; the end releases every place that
// was given.
#include <algorithm>
#include <cstdlib>

#include "fakes.h"

namespace picket::hub::amqp {
namespace {

/// Takes every token for dev1 or its modules that looks like one, and every policy's.
class EasyAuthenticator final : public Authenticator {
 public:
  [[nodiscard]] std::expected<Access, AccessRefusal> token(std::string_view resource, std::string_view token,
                                                           const PeerFacts&, Timestamp now) const override {
    const auto wanted = split_resource(resource);
    if (!token.starts_with("SharedAccessSignature ")) return std::unexpected(AccessRefusal{.reason = "no"});
    if (wanted.device_id.empty()) {
      return Access{
          .device = {},
          .service = ServiceGrant{.hub = "hub1", .service_connect = true, .expiry = now + Duration::hours(1)}};
    }
    if (wanted.device_id != "dev1") return std::unexpected(AccessRefusal{.reason = "other"});
    DeviceGrant grant{.identity = {"hub1", wanted.device_id, wanted.module_id, "1"}};
    granted.push_back(grant.identity);
    return Access{.device = std::move(grant), .service = {}};
  }
  [[nodiscard]] std::expected<Access, AccessRefusal> certificate(std::string_view, std::string_view, const PeerFacts&,
                                                                 Timestamp) const override {
    return std::unexpected(AccessRefusal{.reason = "no"});
  }
  [[nodiscard]] std::string hub_of(std::string_view) const override { return "hub1"; }
  mutable std::vector<Identity> granted;
  [[nodiscard]] bool knows(const Identity& identity) const {
    return std::ranges::find(granted, identity) != granted.end();
  }
};

void require(bool holds) {
  if (!holds) std::abort();
}

struct World {
  FakeRim rim;
  FakeCommands commands;
  FakeMethods methods;
  FakeTwins twins;
  FakeEvents events;
  EasyAuthenticator authenticator;
  Services services{.commands = &commands, .methods = &methods, .twins = &twins, .files = nullptr, .events = &events};
  ConnectionLimits limits;
  Connection core{rim, authenticator, services, limits};
  std::size_t given = 0;
  std::size_t said = 0;
  Buffer out;

  /// Places, durable records and answers, until nothing more happens.
  void settle() {
    for (int round = 0; round < 1000; ++round) {
      const auto before = said + given + rim.works.size() + rim.posted.size();
      while (given < rim.claims.size()) {
        const auto [device, identity] = rim.claims[given++];
        core.granted(device);
        core.notify(device, MethodCall{7, "m", "{}"});
        core.notify(device, DesiredPatch{std::make_shared<std::string>("{}"), 2});
        core.notify(device, CommandsWaiting{});
      }
      for (; !rim.works.empty(); rim.works.pop_front()) core.stored(rim.works.front(), true);
      for (; !rim.posted.empty(); rim.posted.pop_front()) rim.posted.front()();
      out.clear();
      core.take_output(out, 1 << 16);
      said += out.size();
      if (before == said + given && rim.posted.empty()) return;
    }
  }
};

}  // namespace
}  // namespace picket::hub::amqp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::hub::amqp;
  if (size < 2) return 0;
  const auto step = std::max<std::size_t>(1, std::size_t{data[0]} * 16);
  auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  World world;
  hub::LockedCommand command{.lock = "L"};
  for (int i = 0; i < 3; ++i) world.commands.queues[{"hub1", "dev1", ""}].push_back(command);
  for (int i = 0; i < 20; ++i) world.events.events.push_back({.sequence = static_cast<std::uint64_t>(i)});
  while (!bytes.empty()) {
    const auto n = std::min(step, bytes.size());
    world.core.input(bytes.first(n));
    world.settle();
    bytes = bytes.subspan(n);
  }
  world.core.tick();
  world.settle();
  for (const auto& record : world.rim.records) require(world.authenticator.knows(record.identity));
  for (const auto& [from, call, reply] : world.methods.replies) {
    require(world.authenticator.knows({from.hub, from.device_id, from.module_id, "1"}));
  }
  for (const auto& [device, patch] : world.twins.reports) require(device == "dev1");
  require(world.rim.proven || (world.rim.records.empty() && world.commands.sent.empty() && world.rim.claims.empty()));
  require(world.said <= 64 * 1024 + size * 64);
  world.core.end(hub::DisconnectReason::peer_gone);
  require(world.rim.releases.size() == world.rim.claims.size());
  return 0;
}
