#include "connection.h"

#include <algorithm>
#include <utility>

#include "conditions.h"
#include "hub/authentication.h"

namespace picket::hub::amqp {

Poster Link::poster() const { return connection_.rim().poster(); }

Connection::Connection(Rim& rim, const Authenticator& authenticator, const Services& services,
                       const ConnectionLimits& limits)
    : rim_(rim),
      authenticator_(authenticator),
      services_(services),
      limits_(limits),
      engine_(*this, limits.engine),
      begun_(rim.monotonic()) {}

Connection::~Connection() { end(DisconnectReason::shutdown); }

void Connection::input(Bytes bytes) {
  if (ended_) return;
  engine_.input(bytes, rim_.monotonic());
  if (!engine_.failure().empty() && !end_) end_ = DisconnectReason::protocol;
  sweep();
}

void Connection::input_ended() {
  if (!ended_) engine_.input_ended();
}

void Connection::tick() {
  if (ended_) return;
  engine_.tick(rim_.monotonic());
  if (!engine_.failure().empty() && !end_) end_ = DisconnectReason::keep_alive;
  if (!proven_ && !end_ && rim_.monotonic() - begun_ > limits_.unauthenticated_max) {
    log(HubEventKind::auth_failed, {}, "unauthenticated_time_out", {}, kUnauthorized);
    close(DisconnectReason::protocol, "nothing was proven in time");
  }
  std::vector<Link*> links;
  for (const auto& [id, link] : links_) links.push_back(link.get());
  for (auto* link : links) {
    if (find_link(link->id()) == link) link->tick();
  }
  claim_due(rim_.monotonic());
  const auto now = rim_.now();
  for (auto& [number, device] : devices_) {
    if (!device->gone && device->grant.expiry && *device->grant.expiry + limits_.token_grace <= now) {
      end_device(*device, DisconnectReason::token_expired, {});
    }
  }
  const auto expired = [&](const ServiceGrant& grant) { return grant.expiry + limits_.token_grace <= now; };
  if (std::erase_if(services_granted_, expired) > 0) close(DisconnectReason::token_expired);
  sweep();
}

void Connection::close(DisconnectReason reason, std::string_view detail) {
  if (!end_) end_ = reason;
  auto condition = condition_of(reason, detail);
  condition.description = tracked(told_code(reason), condition.description, rim_.now());
  engine_.close(condition);
}

void Connection::end(DisconnectReason reason) {
  if (std::exchange(ended_, true)) return;
  if (!end_) end_ = reason;
  for (auto& [number, device] : devices_) {
    if (!device->gone) end_device(*device, *end_, {});
  }
  std::vector<LinkId> left;
  for (const auto& [id, link] : links_) left.push_back(id);
  for (const auto id : left) remove_link(id);
}

/// Destroys what has ended, now that nothing of it is on the stack.
void Connection::sweep() {
  removed_.clear();
  std::erase_if(devices_, [](const auto& entry) { return entry.second->gone; });
}

Result<> Connection::append(LinkId link, std::span<const journal::Record> records, Number work) {
  work_.emplace(work, Work{link, records.size()});
  auto appended = rim_.append(records, work);
  if (!appended) work_.erase(work);
  return appended;
}

std::size_t Connection::stored(Number work, bool good) {
  const auto found = work_.find(work);
  if (found == work_.end()) return 0;
  const auto [id, records] = found->second;
  work_.erase(found);
  if (auto* const link = find_link(id)) link->stored(work, good);
  return records;
}

}  // namespace picket::hub::amqp
