// The links of a connection: which of its identities may have them, and what comes for them.
#include "connection.h"
#include "hub/authentication.h"
#include "links.h"

namespace picket::hub::amqp {
namespace {

/// Room for properties and annotations beside a message's body; the sizes that count are checked when they are known.
constexpr std::size_t kMessageOverheadBytes = 64 * 1024;

}  // namespace

void Connection::attach(LinkId id, LinkRequest request) {
  const auto refuse_link = [&](std::string_view condition, std::string_view text) {
    engine_.refuse(id, {std::string(condition), std::string(text), {}});
  };
  if (end_ || ended_) return refuse_link("amqp:connection:forced", "The connection is closing.");
  if (request.transaction) return refuse_link("amqp:not-implemented", "Transactions are not offered.");
  if (const auto* version = find(request.properties, "com.microsoft:client-version");
      version != nullptr && sdk_.empty()) {
    sdk_ = to_text(*version).substr(0, Claim::kSdkBytesMax);
  }
  const auto address = parse_address(request.address);
  switch (address.kind) {
    case AddressKind::unknown:
      return refuse_link("amqp:not-found", "There is no such address: " + request.address.substr(0, 256));
    case AddressKind::cbs:
      return open_link(id, make_cbs_link(*this, id, request), kCbsBytesMax);
    case AddressKind::telemetry:
    case AddressKind::commands:
    case AddressKind::methods:
    case AddressKind::twin:
      return attach_device(id, address, std::move(request));
    default:
      return attach_service(id, address, std::move(request));
  }
}

void Connection::attach_device(LinkId id, const Address& address, LinkRequest request) {
  auto* found = find_device(address.device_id, address.module_id);
  if (found == nullptr) {
    const auto admission = prove_certificate(address);
    if (admission == Admission::throttled) {
      return engine_.refuse(id, condition_of(DisconnectReason::throttled, {}));
    }
    found = find_device(address.device_id, address.module_id);
  }
  if (found == nullptr) {
    const auto* any = devices_.empty() ? nullptr : devices_.begin()->second.get();
    log(proven_ ? HubEventKind::topic_denied : HubEventKind::auth_failed,
        any == nullptr ? Identity{} : any->grant.identity, proven_ ? "other_identity" : "token_missing",
        request.address, kUnauthorized);
    return engine_.refuse(
        id, {"amqp:unauthorized-access", tracked(kUnauthorized, "Not authorised for this address.", rim_.now()), {}});
  }
  if (!found->granted) {
    found->waiting.push_back([this, id, address, request = std::move(request)](Admission admission) mutable {
      if (admission == Admission::granted) return attach_device(id, address, std::move(request));
      engine_.refuse(id, condition_of(DisconnectReason::topic_denied, {}));
    });
    return;
  }
  auto made = make_device_link(*this, id, *found, address, request);
  if (!made) return engine_.refuse(id, made.error());
  found->links.insert(id);
  device_of_link_.emplace(id, found->number);
  open_link(id, *std::move(made), kMessageBytesMax + kMessageOverheadBytes);
}

void Connection::attach_service(LinkId id, const Address& address, LinkRequest request) {
  const auto* grant = address.entity.empty() ? service() : service_named(address.entity);
  if (grant == nullptr || !grant->service_connect) {
    log(proven_ ? HubEventKind::topic_denied : HubEventKind::auth_failed, {}, proven_ ? "policy" : "token_missing",
        request.address, kUnauthorized);
    return engine_.refuse(
        id,
        {"amqp:unauthorized-access", tracked(kUnauthorized, "This needs the right ServiceConnect.", rim_.now()), {}});
  }
  auto made = make_service_link(*this, id, *grant, address, request);
  if (!made) return engine_.refuse(id, made.error());
  open_link(id, *std::move(made), kMessageBytesMax + kMessageOverheadBytes);
}

void Connection::open_link(LinkId id, std::unique_ptr<Link> made, std::size_t message_bytes_max) {
  auto& link = *made;
  links_.emplace(id, std::move(made));
  engine_.accept(id, message_bytes_max);
  link.opened();
}

Link* Connection::find_link(LinkId id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : found->second.get();
}

void Connection::received(LinkId id, DeliveryId delivery, Bytes message, std::uint32_t format) {
  if (auto* const link = find_link(id)) link->received(delivery, message, format);
}

void Connection::oversized(LinkId id) {
  if (auto* const found = find_link(id)) {
    const auto of = device_of_link_.find(id);
    auto* const owner = of == device_of_link_.end() ? nullptr : device(of->second);
    log(HubEventKind::topic_denied, owner == nullptr ? Identity{} : owner->grant.identity, "message_too_large", {},
        kTooLarge);
    remove_link(found->id());
  }
}

void Connection::credit(LinkId id) {
  if (auto* const link = find_link(id)) link->credit();
}

void Connection::settled(LinkId id, DeliveryId delivery, Outcome outcome) {
  if (auto* const link = find_link(id)) link->settled(delivery, outcome);
}

void Connection::detached(LinkId id) { remove_link(id); }

void Connection::detach(LinkId id, const Condition& condition) {
  engine_.detach(id, condition);
  remove_link(id);
}

void Connection::remove_link(LinkId id) {
  const auto found = links_.find(id);
  if (found != links_.end()) {
    auto link = std::move(found->second);
    links_.erase(found);
    if (reply_link == link.get()) reply_link = nullptr;
    if (management_link == link.get()) management_link = nullptr;
    link->closed();
    removed_.push_back(std::move(link));
  }
  if (const auto of = device_of_link_.find(id); of != device_of_link_.end()) {
    if (auto* const owner = device(of->second)) owner->links.erase(id);
    device_of_link_.erase(of);
  }
}

bool Connection::notify(Number number, const Notification& notification) {
  auto* const found = device(number);
  if (found == nullptr) return false;
  bool taken = false;
  for (const auto id : std::set(found->links)) {
    if (auto* const link = find_link(id)) taken = link->notify(notification) || taken;
    if (taken && !std::holds_alternative<DesiredPatch>(notification)) break;
  }
  sweep();
  return taken;
}

}  // namespace picket::hub::amqp
