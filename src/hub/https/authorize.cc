#include "authorize.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "hub/provisioning.h"
#include "reply.h"

namespace picket::hub {
namespace {

std::string user_agent(const http::Request& head) {
  std::string sdk(head.header("user-agent").substr(0, Claim::kSdkBytesMax));
  return is_utf8(sdk) ? sdk : std::string();
}

std::string_view tls_version(const net::Stream& stream) {
  return stream.tls() == nullptr ? std::string_view() : std::string_view(stream.tls()->version);
}

std::string_view tls_cipher(const net::Stream& stream) {
  return stream.tls() == nullptr ? std::string_view() : std::string_view(stream.tls()->cipher);
}

const net::ClientCertificate* certificate(const net::Stream& stream) {
  const auto* tls = stream.tls();
  return tls != nullptr && tls->client_certificate ? &*tls->client_certificate : nullptr;
}

/// A failed check as an event; the caller adds who was claimed.
HubEvent failure(const Call& call, const http::Request& head, const net::Stream& stream, AuthCheck check) {
  HubEvent event{.time = call.now(), .kind = HubEventKind::auth_failed};
  event.source_address = stream.peer().address;
  event.source_port = stream.peer().port;
  event.sdk = user_agent(head);
  event.code = hub_code(check);
  event.reason = to_string(check);
  if (const auto* tls = stream.tls()) {
    event.tls_version = tls->version;
    event.tls_cipher = tls->cipher;
    event.tls_group = tls->group;
    event.server_name = tls->server_name;
  }
  return event;
}

/// What the caller is told: enough to mend it, nothing about whose credentials are right.
HubError refusal_of(AuthCheck check) {
  switch (check) {
    case AuthCheck::store_unavailable:
      return {codes::kUnavailable, "The registry does not answer."};
    case AuthCheck::client_id:
      return {codes::kArgumentInvalid, "The name of the device is not valid."};
    case AuthCheck::unknown_identity:
      return {codes::kDeviceNotFound, "There is no such device."};
    case AuthCheck::disabled:
      return {codes::kDeviceDisabled, "The device is disabled."};
    case AuthCheck::token_expired:
      return {codes::kUnauthorized, "The token has expired."};
    case AuthCheck::ip_filter:
      return {codes::kUnauthorized, "The IP filter of this hub rejects your address."};
    default:
      return {codes::kUnauthorized, "The credentials do not prove that you may do this."};
  }
}

PeerCertificate peer_certificate(const net::Certificate& from) {
  return {.thumbprint = from.sha256_thumbprint,
          .thumbprint_sha1 = from.sha1_thumbprint,
          .subject = from.common_name,
          .issuer = from.issuer,
          .not_before = from.not_before,
          .not_after = from.not_after};
}

/// `client_id` is "device" or "device/module".
HubResult<> authorize_device(Call& call, const http::Request& head, const net::Stream& stream) {
  const bool module = call.route->pattern.contains("/modules/{");
  // Decoded once by the table: a '/' in a segment must not become the border between device and module.
  if (!is_identifier(call.values[0]) || (module && !is_identifier(call.values[1])))
    return std::unexpected(refusal_of(AuthCheck::client_id));
  const std::string client_id = module ? call.values[0] + "/" + call.values[1] : call.values[0];
  const std::string_view token = head.header("authorization");
  const auto& needs = call.context.needs;
  const Credentials credentials{.client_id = client_id,
                                .host = token.empty() ? std::string_view(call.host) : std::string_view(),
                                .token = token,
                                .certificate = certificate(stream),
                                .tls_version = tls_version(stream),
                                .tls_cipher = tls_cipher(stream),
                                .source_address = stream.peer().address};
  const auto grant =
      authenticate(credentials, {call.context.options.hubs, needs.identities, needs.settings}, needs.clock.now());
  if (!grant) {
    const Refusal& refusal = grant.error();
    ++call.context.counters.unauthorized;
    HubEvent event = failure(call, head, stream, refusal.check);
    event.protocol = "https";
    event.identity = refusal.claimed;
    event.token_expiry = refusal.token_expiry;
    event.policy_name = refusal.policy_name;
    if (refusal.certificate) event.certificate = peer_certificate(*refusal.certificate);
    needs.log.record(event);
    return std::unexpected(refusal_of(refusal.check));
  }
  call.caller = DeviceCaller{.sender = {grant->identity, partition_of(grant->identity), auth_method(*grant)}};
  return {};
}

HubResult<> authorize_service(Call& call, const http::Request& head, const net::Stream& stream) {
  const auto& needs = call.context.needs;
  if (needs.settings == nullptr) return hub_fail(kNotOffered, "This hub serves no service calls.");
  const auto path = percent_decode(head.path);
  const ServiceCredentials credentials{.token = head.header("authorization"),
                                       .path = path ? std::string_view(*path) : std::string_view("/"),
                                       .tls_version = tls_version(stream),
                                       .tls_cipher = tls_cipher(stream),
                                       .source_address = stream.peer().address};
  auto caller = authenticate_service(credentials, call.route->rights, call.context.options.hubs, *needs.settings,
                                     needs.clock.now());
  if (!caller) {
    const ServiceRefusal& refusal = caller.error();
    ++call.context.counters.unauthorized;
    HubEvent event = failure(call, head, stream, refusal.check);
    event.protocol = "service";
    event.identity = {.hub = refusal.hub.empty() ? call.context.options.hubs.default_hub : refusal.hub};
    event.token_expiry = refusal.token_expiry;
    event.policy_name = refusal.policy_name;
    needs.log.record(event);
    return std::unexpected(refusal_of(refusal.check));
  }
  call.caller = *std::move(caller);
  return {};
}

}  // namespace

HubResult<> authorize(Call& call, const http::Request& head, const net::Stream& stream) {
  switch (call.route->access) {
    case Access::device:
      return authorize_device(call, head, stream);
    case Access::service:
      return authorize_service(call, head, stream);
    case Access::blob:
    case Access::provisioning:
    case Access::open:
      break;
  }
  return {};
}

}  // namespace picket::hub
