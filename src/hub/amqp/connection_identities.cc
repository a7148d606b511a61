// Who the client is: credentials, the places of its identities, their ends.
#include <algorithm>
#include <utility>

#include "conditions.h"
#include "connection.h"
#include "hub/authentication.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kServiceGrantsMax = 64;

}  // namespace

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
  admit(*std::move(access->device), std::move(again), [then = std::move(then)](Admission admission) mutable {
    switch (admission) {
      case Admission::granted:
        return then(200, "OK");
      case Admission::refused:
        return then(401, "Unauthorized");
      case Admission::throttled:
        return then(429, "Too many connections; try again later.");
    }
  });
}

std::optional<Admission> Connection::prove_certificate(const Address& address) {
  const auto* tls = rim_.tls();
  if (tls == nullptr || !tls->client_certificate) return std::nullopt;
  auto ask = [this, device = address.device_id, module = address.module_id] {
    return authenticator_.certificate(device, module, peer(), rim_.now());
  };
  auto access = ask();
  if (!access) refuse(access.error());
  if (!access || !access->device) return std::nullopt;
  const auto at_once = std::make_shared<std::optional<Admission>>();  // jointly: the answer may come later
  admit(*std::move(access->device), std::move(ask), [at_once](Admission admission) { *at_once = admission; });
  return *at_once;
}

void Connection::admit(ServiceGrant grant) {
  rim_.stands_on({grant.hub, grant.policy, grant.credential, false});
  if (!std::exchange(proven_, true)) rim_.authenticated();
  for (auto& known : services_granted_) {
    if (known.hub != grant.hub || known.policy != grant.policy) continue;
    known = std::move(grant);
    return;
  }
  if (services_granted_.size() < kServiceGrantsMax) services_granted_.push_back(std::move(grant));
}

void Connection::admit(DeviceGrant grant, Again again, std::move_only_function<void(Admission)> then) {
  if (!grant.policy.empty()) rim_.stands_on({grant.identity.hub, grant.policy, grant.credential, true});
  for (auto& [number, known] : devices_) {
    if (known->gone || known->grant.identity != grant.identity) continue;
    known->grant = std::move(grant);
    known->again = std::move(again);
    if (known->granted) return then(Admission::granted);
    known->waiting.push_back(std::move(then));
    return;
  }
  if (devices_.size() >= limits_.devices_max || end_) return then(Admission::refused);
  if (!rim_.take_connect()) {
    log(HubEventKind::throttled, grant.identity, "connect", {}, kThrottled);
    close(DisconnectReason::throttled);
    return then(Admission::throttled);
  }
  // Only now: a stranger must not use up a device's connects.
  const auto due = pay(grant.identity, Meter::connects, 1);
  if (!due) {
    if (serves_nobody()) close(DisconnectReason::throttled);
    return then(Admission::throttled);
  }
  if (!std::exchange(proven_, true)) rim_.authenticated();
  auto made = std::make_unique<Device>();
  made->number = next_number();
  made->grant = std::move(grant);
  made->again = std::move(again);
  made->waiting.push_back(std::move(then));
  auto& device = *made;
  device.claim_at = *due;
  devices_.emplace(device.number, std::move(made));
  claim_due(rim_.monotonic());
}

/// Identities that their rate has let wait ask for their places.
void Connection::claim_due(Duration now) {
  std::vector<Device*> due;
  for (auto& [number, device] : devices_) {
    if (!device->gone && !device->claimed && device->claim_at <= now) due.push_back(device.get());
  }
  for (auto* const device : due) {
    device->claimed = true;
    rim_.claim(device->number, device->grant.identity);
  }
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
  for (auto& then : std::exchange(found->waiting, {})) then(Admission::granted);
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

bool Connection::serves_nobody() const {
  return services_granted_.empty() &&
         std::ranges::all_of(devices_, [](const auto& entry) { return entry.second->gone; });
}

void Connection::end_device(Device& device, DisconnectReason reason, std::string_view detail) {
  if (std::exchange(device.gone, true)) return;
  const auto& identity = device.grant.identity;
  auto condition = condition_of(reason, detail);
  condition.description = tracked(told_code(reason), condition.description, rim_.now());
  if (condition.name == "amqp:connection:forced") condition.name = "amqp:link:detach-forced";
  const bool alone = serves_nobody();
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
  if (device.claimed) rim_.release(device.number, identity);
  for (auto& then : std::exchange(device.waiting, {})) then(Admission::refused);
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

}  // namespace picket::hub::amqp
