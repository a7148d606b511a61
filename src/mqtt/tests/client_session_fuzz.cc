// A hostile hub: any bytes it sends leave the agent's session within its bounds, and never acknowledge a message twice.
#include <cstdlib>
#include <set>

#include "mqtt/client_session.h"
#include "mqtt/inbox.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::mqtt;
  ClientSession session{ClientOptions{.window = 4}};
  Buffer out;
  Duration now{};
  if (!session.connect("d", "u", "p", false, now, out)) std::abort();
  Inbox inbox;
  inbox.append(std::as_bytes(std::span(data, size)));
  std::set<std::uint64_t> acknowledged;
  std::uint64_t token = 0;
  for (int step = 0; step < 10'000; ++step) {
    const auto packet = inbox.next({}, Role::client);
    if (!packet || !*packet) break;
    const auto event = session.on_packet(**packet, now, out);
    if (!event) break;
    if (*event && std::holds_alternative<ClientAcknowledged>(**event) &&
        !acknowledged.insert(std::get<ClientAcknowledged>(**event).token).second) {
      std::abort();
    }
    while (session.can_publish()) {
      if (!session.publish(++token, "devices/d/messages/events/", {}, now, out)) std::abort();
    }
    now = now + Duration::seconds(1);
    if (!session.on_time(now, out)) break;
    if (const auto due = session.due_again(now); due && !session.publish(*due, "t", {}, now, out)) std::abort();
    if (session.in_flight() > 4) std::abort();
    out.clear();
  }
  return 0;
}
