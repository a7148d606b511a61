#include "connection.h"

#include <algorithm>
#include <utility>

#include "base/core/random.h"
#include "hub/authentication.h"
#include "links.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kServiceGrantsMax = 64;
/// Room for properties and annotations beside a message's body; the sizes that count are checked when they are known.
constexpr std::size_t kMessageOverheadBytes = 64 * 1024;

struct ReasonText {
  std::string_view condition;
  int code;
  std::string_view text;
};

ReasonText text_of(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return {"amqp:connection:forced", kEvictedByNewConnection, "The same identity has connected again."};
    case DisconnectReason::token_expired:
      return {"amqp:unauthorized-access", kUnauthorized, "The token has expired."};
    case DisconnectReason::revoked:
      return {"amqp:unauthorized-access", kUnauthorized, "The identity was disabled or deleted, or its keys changed."};
    case DisconnectReason::topic_denied:
      return {"amqp:unauthorized-access", kUnauthorized, "Not authorised for this address."};
    case DisconnectReason::message_too_large:
      return {"amqp:link:message-size-exceeded", kTooLarge, "The message is too large."};
    case DisconnectReason::bad_properties:
      return {"com.microsoft:argument-error", kArgumentInvalid, "A property cannot be taken."};
    case DisconnectReason::throttled:
      return {"com.microsoft:device-container-throttled", kThrottled, "Too many requests; try again later."};
    case DisconnectReason::storage:
      return {"amqp:internal-error", kUnavailable, "The message could not be stored in time."};
    case DisconnectReason::shutdown:
      return {"amqp:connection:forced", kUnavailable, "The hub is stopping."};
    case DisconnectReason::keep_alive:
    case DisconnectReason::slow_reader:
      return {"amqp:resource-limit-exceeded", kConnectionLost, "The client does not keep up."};
    default:
      return {"amqp:connection:forced", 0, "The connection is closed."};
  }
}

/// Codes of ends that the operations log knows; 0: none.
int log_code(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return kEvictedByNewConnection;
    case DisconnectReason::token_expired:
    case DisconnectReason::topic_denied:
      return kUnauthorized;
    case DisconnectReason::peer_gone:
    case DisconnectReason::keep_alive:
      return kConnectionLost;
    default:
      return 0;
  }
}

}  // namespace

std::string tracked(int code, std::string_view text, Timestamp now) {
  if (code == 0) return std::string(text);
  return "ErrorCode:" + std::to_string(code) + ";" + std::string(text) + " Tracking ID:" + random_uuid() +
         "-TimeStamp:" + format_rfc3339(now);
}

Condition condition_of(DisconnectReason reason, std::string_view detail) {
  const auto text = text_of(reason);
  std::string description(text.text);
  if (!detail.empty()) description.append(" (").append(detail).append(")");
  return {std::string(text.condition), std::move(description), {}};
}

Condition condition_of(const HubError& error) {
  const auto name = [&]() -> std::string_view {
    switch (error.code) {
      case kDeviceExists:
      case kModuleExists:
        return "com.microsoft:device-already-exists";
      case kLockLost:
        return "com.microsoft:message-lock-lost";
      case kCommandQueueFull:
      case kQuotaExceeded:
        return "amqp:resource-limit-exceeded";
      default:
        break;
    }
    switch (error.status()) {
      case 400:
        return "com.microsoft:argument-error";
      case 401:
        return "amqp:unauthorized-access";
      case 403:
        return "amqp:not-allowed";
      case 404:
        return "amqp:not-found";
      case 412:
        return "com.microsoft:precondition-failed";
      case 413:
        return "amqp:link:message-size-exceeded";
      case 429:
        return "com.microsoft:device-container-throttled";
      case 501:
        return "amqp:not-implemented";
      case 503:
      case 504:
        return "com.microsoft:timeout";
      default:
        return "amqp:internal-error";
    }
  }();
  return {std::string(name), error.message, {}};
}

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

// ---- bytes and time

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
  condition.description = tracked(text_of(reason).code, condition.description, rim_.now());
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

// ---- who the client is

std::string_view Connection::mechanisms() {
  const auto* tls = rim_.tls();
  return tls != nullptr && tls->client_certificate ? "EXTERNAL ANONYMOUS PLAIN MSSBCBS" : "ANONYMOUS PLAIN MSSBCBS";
}

bool Connection::plain(std::string_view user, std::string_view password) {
  const auto resource = resource_of_user(user, password);
  int status = 0;
  if (resource.empty()) {
    refuse({.claimed = {authenticator_.hub_of({}), std::string(user.substr(0, 128)), "", ""}, .reason = "user_name"});
    return false;
  }
  const auto answered = std::make_shared<int>(0);
  put_token(resource, password, [answered](int code, const std::string&) { *answered = code; });
  status = *answered;
  return status == 0 || status == 200;  // 0: proven, and waiting for its place; links wait with it
}

bool Connection::external() {
  const auto* tls = rim_.tls();
  return tls != nullptr && tls->client_certificate.has_value();  // judged with the first link, which names the device
}

void Connection::put_token(std::string_view resource, std::string_view token,
                           std::move_only_function<void(int, std::string)> then) {
  auto access = authenticator_.token(resource, token, peer(), rim_.now());
  if (!access) {
    refuse(access.error());
    const bool busy = access.error().reason == "store_unavailable";
    return then(busy ? 503 : 401,
                busy ? "The hub cannot answer now; try again." : "Unauthorized: " + access.error().reason);
  }
  if (access->service) {
    admit(*std::move(access->service));
    return then(200, "OK");
  }
  auto again = [this, what = std::string(resource), proof = std::string(token)] {
    return authenticator_.token(what, proof, peer(), rim_.now());
  };
  admit(*std::move(access->device), std::move(again), [then = std::move(then)](bool good) mutable {
    if (good) {
      then(200, "OK");
    } else {
      then(401, "Unauthorized");
    }
  });
}

void Connection::prove_certificate(const Address& address) {
  const auto* tls = rim_.tls();
  if (tls == nullptr || !tls->client_certificate) return;
  auto ask = [this, device = address.device_id, module = address.module_id] {
    return authenticator_.certificate(device, module, peer(), rim_.now());
  };
  auto access = ask();
  if (!access) return refuse(access.error());
  if (access->device) admit(*std::move(access->device), std::move(ask), [](bool) {});
}

void Connection::admit(ServiceGrant grant) {
  if (!std::exchange(proven_, true)) rim_.authenticated();
  for (auto& known : services_granted_) {
    if (known.hub != grant.hub || known.policy != grant.policy) continue;
    known = std::move(grant);
    return;
  }
  if (services_granted_.size() < kServiceGrantsMax) services_granted_.push_back(std::move(grant));
}

void Connection::admit(DeviceGrant grant, Again again, std::move_only_function<void(bool)> then) {
  for (auto& [number, known] : devices_) {
    if (known->gone || known->grant.identity != grant.identity) continue;
    known->grant = std::move(grant);
    known->again = std::move(again);
    if (known->granted) return then(true);
    known->waiting.push_back(std::move(then));
    return;
  }
  if (devices_.size() >= limits_.devices_max || end_) return then(false);
  if (!rim_.take_connect()) {
    log(HubEventKind::throttled, grant.identity, "connect", {}, kThrottled);
    close(DisconnectReason::throttled);
    return then(false);
  }
  if (!std::exchange(proven_, true)) rim_.authenticated();
  auto made = std::make_unique<Device>();
  made->number = next_number();
  made->grant = std::move(grant);
  made->again = std::move(again);
  made->waiting.push_back(std::move(then));
  auto& device = *made;
  devices_.emplace(device.number, std::move(made));
  rim_.claim(device.number, device.grant.identity);
}

void Connection::granted(Number number) {
  auto* const found = device(number);
  if (found == nullptr || found->granted || ended_) return;
  // Disabled, deleted or made anew since it was proven: revoke() could not find what was not in the directory yet.
  const auto again = found->again();
  if (!again || !again->device || again->device->identity != found->grant.identity) {
    if (!again) refuse(again.error());
    end_device(*found, DisconnectReason::revoked, {});
    return sweep();
  }
  found->granted = true;
  found->since = rim_.monotonic();
  rim_.connected(found->grant.identity);
  log(HubEventKind::connect, found->grant.identity, {}, {}, 0);
  for (auto& then : std::exchange(found->waiting, {})) then(true);
  sweep();
}

Device* Connection::device(Number number) {
  const auto found = devices_.find(number);
  return found == devices_.end() || found->second->gone ? nullptr : found->second.get();
}

Device* Connection::find_device(std::string_view device_id, std::string_view module_id) {
  for (auto& [number, device] : devices_) {
    const auto& identity = device->grant.identity;
    if (!device->gone && identity.device_id == device_id && identity.module_id == module_id) return device.get();
  }
  return nullptr;
}

const ServiceGrant* Connection::service_named(std::string_view hub) const {
  const auto found =
      std::ranges::find_if(services_granted_, [&](const auto& grant) { return same_without_case(grant.hub, hub); });
  return found == services_granted_.end() ? nullptr : &*found;
}

const ServiceGrant* Connection::service() const {
  return services_granted_.empty() ? nullptr : &services_granted_.front();
}

void Connection::refuse(const AccessRefusal& refusal) {
  HubEvent event{.time = rim_.now(), .kind = HubEventKind::auth_failed, .identity = refusal.claimed};
  event.token_expiry = refusal.expiry;
  event.policy_name = refusal.policy;
  event.sdk = sdk_;
  event.reason = refusal.reason;
  event.object = refusal.object;
  event.code = refusal.code;
  rim_.log(std::move(event));
}

void Connection::close_device(Number number, DisconnectReason reason, std::string_view detail) {
  if (auto* const found = device(number)) end_device(*found, reason, detail);
  sweep();
}

void Connection::end_device(Device& device, DisconnectReason reason, std::string_view detail) {
  if (std::exchange(device.gone, true)) return;
  const auto& identity = device.grant.identity;
  auto condition = condition_of(reason, detail);
  condition.description = tracked(text_of(reason).code, condition.description, rim_.now());
  if (condition.name == "amqp:connection:forced") condition.name = "amqp:link:detach-forced";
  const bool alone =
      services_granted_.empty() && std::ranges::all_of(devices_, [](const auto& entry) { return entry.second->gone; });
  for (const auto link : std::set(device.links)) {
    // Alone, the connection's close tells it: the Node SDK waits for ever when links end just before.
    if (!alone) engine_.detach(link, condition);
    remove_link(link);
  }
  if (device.granted) {
    if (reason == DisconnectReason::evicted) log(HubEventKind::evicted, identity, {}, {}, log_code(reason));
    auto event = event_of(HubEventKind::disconnect, identity);
    event.reason = to_string(reason);
    event.object = detail;
    event.code = log_code(reason);
    event.messages = device.messages;
    event.connected_for = rim_.monotonic() - device.since;
    rim_.log(std::move(event));
    rim_.disconnected(identity, reason);
  }
  rim_.release(device.number, identity);
  for (auto& then : std::exchange(device.waiting, {})) then(false);
  if (alone && !ended_) close(reason, detail);
}

HubEvent Connection::event_of(HubEventKind kind, const Identity& identity) const {
  HubEvent event{.time = rim_.now(), .kind = kind, .identity = identity};
  if (identity.hub.empty()) event.identity.hub = authenticator_.hub_of(host_);
  event.sdk = sdk_;
  for (const auto& [number, device] : devices_) {
    if (device->grant.identity != identity) continue;
    event.authenticated = true;
    event.auth_type = device->grant.auth_type;
    event.auth_scope = device->grant.auth_scope;
    event.key_slot = device->grant.key_slot;
    event.token_expiry = device->grant.expiry;
    event.policy_name = device->grant.policy;
    event.credential = device->grant.credential;
  }
  return event;
}

void Connection::log(HubEventKind kind, const Identity& identity, std::string_view reason, std::string_view object,
                     int code) {
  auto event = event_of(kind, identity);
  event.reason = reason;
  event.object = object.substr(0, HubEvent::kObjectBytesMax);
  event.code = code;
  rim_.log(std::move(event));
}

// ---- links

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
    prove_certificate(address);
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
    found->waiting.push_back([this, id, address, request = std::move(request)](bool good) mutable {
      if (good) return attach_device(id, address, std::move(request));
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

Result<> Connection::append(LinkId link, const journal::Record& record, Number work) {
  work_.emplace(work, link);
  auto appended = rim_.append(record, work);
  if (!appended) work_.erase(work);
  return appended;
}

void Connection::stored(Number work, bool good) {
  const auto found = work_.find(work);
  if (found == work_.end()) return;
  const auto id = found->second;
  work_.erase(found);
  if (auto* const link = find_link(id)) link->stored(work, good);
}

}  // namespace picket::hub::amqp
