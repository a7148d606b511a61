// Hubs, their settings, shared access policies and CA certificates, for operators.
#include "../hub_answer.h"
#include "../json_body.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "hub/hub_administration.h"
#include "hub/settings_json.h"

namespace picket::api {
namespace {

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kCertificateBytesMax = 64 * 1024;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

/// What is missing or there already is a hub, policy or certificate here, not a device.
std::unexpected<ApiError> failed(const hub::HubError& error, std::string_view target) {
  const auto with = [&](std::string_view code) {
    return std::unexpected(
        ApiError{.code = std::string(code), .message = error.message, .target = std::string(target)});
  };
  switch (error.status()) {
    case 400:
      return with("invalid_argument");
    case 404:
      return with("not_found");
    case 409:
      return with("exists");
    default:
      return std::unexpected(hub_error(error, target));
  }
}

/// API_TRY for what HubAdministration answers.
template <class T>
std::expected<T, ApiError> from(hub::HubResult<T> result, std::string_view target) {
  if (!result) return failed(result.error(), target);
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

std::expected<std::shared_ptr<const hub::HubSettings>, ApiError> hub_of(const Call& call) {
  auto found = call.parts.services.hub_settings->of(call.path_values[0]);
  if (!found) return std::unexpected(ApiError{.code = "not_found", .target = "hub"});
  return found;
}

bool offered(const Call& call) {
  return call.parts.services.hubs != nullptr && call.parts.services.hub_settings != nullptr;
}

std::string host_of(const Call& call, std::string_view hub) {
  const Services& services = call.parts.services;
  return hub == services.hub ? services.host_name : std::string(hub) + "." + services.host_name;
}

void write_policy(JsonWriter& json, std::string_view name, std::uint32_t rights) {
  json.begin_object().key("name").value(name).key("rights").value(hub::rights_to_string(rights)).end_object();
}

void write_authority(JsonWriter& json, const hub::AuthorityView& authority) {
  json.begin_object().key("name").value(authority.name).key("subject").value(authority.subject);
  json.key("issuer").value(authority.issuer).key("sha1Thumbprint").value(authority.sha1_thumbprint);
  json.key("sha256Thumbprint").value(authority.sha256_thumbprint).key("notBefore").value(authority.not_before);
  json.key("notAfter").value(authority.not_after).key("verified").value(authority.verified);
  if (!authority.code.empty()) json.key("verificationCode").value(authority.code);
  json.key("etag").value(authority.etag).key("certificate").value(authority.pem).end_object();
}

void write_revocation(JsonWriter& json, const hub::RevokedCertificate& one) {
  json.begin_object().key("thumbprint").value(one.thumbprint).key("name").value(one.name);
  json.key("reason").value(one.reason).key("revoked").value(one.revoked).end_object();
}

Answer authority_answer(const hub::AuthorityView& authority, int status = 200) {
  JsonWriter json;
  write_authority(json, authority);
  return Response::json(json.take(), status);
}

std::expected<hub::HubSpec, ApiError> size_from(const JsonBody& body, hub::HubSpec spec) {
  API_TRY(const auto location, body.text("location", kNameBytesMax));
  API_TRY(const auto tier, body.text("tier", 8));
  API_TRY(const auto units, body.number("units", 1, 200));
  spec.location = location.value_or(spec.location);
  spec.tier = tier.value_or(spec.tier);
  spec.units = static_cast<std::uint32_t>(units.value_or(spec.units));
  return spec;
}

}  // namespace

Answer list_hubs(Call& call) {
  if (!offered(call)) return not_offered();
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const auto& hub : call.parts.services.hub_settings->all()) json.raw(hub::to_json(*hub));
  return Response::json(json.end_array().end_object().take());
}

Answer create_hub(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"name", "location", "tier", "units"}));
  hub::HubSpec spec;
  API_TRY(spec.name, body.required_text("name", kNameBytesMax));
  API_TRY(spec, size_from(body, std::move(spec)));
  API_TRY(const auto made, from(call.parts.services.hubs->create(spec, call.actor()), "name"));
  return Response::json(hub::to_json(*made), 201);
}

Answer get_hub(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  return Response::json(hub::to_json(*hub));
}

Answer update_hub(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  API_TRY(const auto body, JsonBody::parse(call.request, {"location", "tier", "units"}));
  API_TRY(const auto spec, size_from(body, {hub->name, hub->location, hub->tier, hub->units}));
  if (auto done = call.parts.services.hubs->resize(spec, call.actor()); !done) return failed(done.error(), "tier");
  return get_hub(call);
}

Answer delete_hub(Call& call) {
  if (!offered(call)) return not_offered();
  if (call.path_values[0] == call.parts.services.hub)
    return std::unexpected(invalid("hub", "The first hub of an installation stays."));
  const auto done = call.parts.services.hubs->remove(call.path_values[0], call.actor());
  if (!done) return failed(done.error(), "hub");
  return Response::empty();
}

Answer get_hub_settings(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  auto response = Response::json(hub::to_json(hub->configuration));
  response.headers.emplace_back("ETag", "\"" + hub->etag + "\"");
  return response;
}

Answer put_hub_settings(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  const auto configuration = hub::configuration_from_json(call.request.body);
  if (!configuration) return failed(configuration.error(), "settings");
  const auto done =
      call.parts.services.hubs->configure(hub->name, *configuration, call.request.header("if-match"), call.actor());
  if (!done) return failed(done.error(), "settings");
  return get_hub_settings(call);
}

Answer list_policies(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const auto& policy : hub->policies) write_policy(json, policy.name, policy.rights);
  return Response::json(json.end_array().end_object().take());
}

Answer create_policy(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  API_TRY(const auto body, JsonBody::parse(call.request, {"name", "rights"}));
  API_TRY(const auto name, body.required_text("name", kNameBytesMax));
  API_TRY(const auto text, body.required_text("rights", kNameBytesMax));
  const auto rights = hub::rights_from_string(text);
  if (!rights)
    return std::unexpected(
        invalid("rights", "Of RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect, with commas."));
  API_TRY(const auto made,
          from(call.parts.services.hubs->create_policy(hub->name, name, *rights, call.actor()), "name"));
  JsonWriter json;
  write_policy(json, made.name, made.rights);
  return Response::json(json.take(), 201);
}

Answer delete_policy(Call& call) {
  if (!offered(call)) return not_offered();
  const auto done = call.parts.services.hubs->remove_policy(call.path_values[0], call.path_values[1], call.actor());
  if (!done) return failed(done.error(), "policy");
  return Response::empty();
}

Answer rotate_policy(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"key"}));
  API_TRY(const auto slot, body.required_text("key", 16));
  if (slot != "primary" && slot != "secondary") return std::unexpected(invalid("key", "primary or secondary"));
  API_TRY(const auto policy, from(call.parts.services.hubs->rotate_policy(call.path_values[0], call.path_values[1],
                                                                          slot == "primary", call.actor()),
                                  "policy"));
  JsonWriter json;
  write_policy(json, policy.name, policy.rights);
  return Response::json(json.take());
}

// Reading a secret is recorded before it is given.
Answer get_policy_connection_string(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(
      const auto policy,
      from(call.parts.services.hubs->read_policy(call.path_values[0], call.path_values[1], call.actor()), "policy"));
  JsonWriter json;
  json.begin_object().key("connectionString");
  json.value("HostName=" + host_of(call, policy.hub) + ";SharedAccessKeyName=" + policy.name +
             ";SharedAccessKey=" + policy.keys.primary);
  return Response::json(json.end_object().take());
}

Answer list_certificates(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto authorities, from(call.parts.services.hubs->authorities(call.path_values[0]), "hub"));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const auto& authority : authorities) write_authority(json, authority);
  return Response::json(json.end_array().end_object().take());
}

Answer add_certificate(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"name", "certificate"}));
  API_TRY(const auto name, body.required_text("name", kNameBytesMax));
  API_TRY(const auto pem, body.required_text("certificate", kCertificateBytesMax));
  API_TRY(const auto added,
          from(call.parts.services.hubs->add_authority(call.path_values[0], name, pem, false, call.actor()),
               "certificate"));
  return authority_answer(added, 201);
}

Answer new_certificate_code(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto authority,
          from(call.parts.services.hubs->request_code(call.path_values[0], call.path_values[1], call.actor()),
               "certificate"));
  return authority_answer(authority);
}

Answer verify_certificate(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"certificate"}));
  API_TRY(const auto proof, body.required_text("certificate", kCertificateBytesMax));
  API_TRY(const auto authority, from(call.parts.services.hubs->verify_authority(
                                         call.path_values[0], call.path_values[1], proof, call.actor()),
                                     "certificate"));
  return authority_answer(authority);
}

Answer list_revocations(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto hub, hub_of(call));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const auto& one : hub->revoked) write_revocation(json, one);
  return Response::json(json.end_array().end_object().take());
}

Answer revoke_certificate(Call& call) {
  if (!offered(call)) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"authority", "thumbprint", "certificate", "name", "reason"}));
  API_TRY(const auto authority, body.text("authority", kNameBytesMax));
  API_TRY(const auto thumbprint, body.text("thumbprint", kNameBytesMax));
  API_TRY(const auto certificate, body.text("certificate", kCertificateBytesMax));
  API_TRY(const auto name, body.text("name", 256));
  API_TRY(const auto reason, body.text("reason", 256));
  if ((authority ? 1 : 0) + (thumbprint ? 1 : 0) + (certificate ? 1 : 0) != 1)
    return std::unexpected(invalid("thumbprint", "One of authority, thumbprint and certificate says which."));
  API_TRY(const auto revoked,
          from(call.parts.services.hubs->revoke_certificate(call.path_values[0],
                                                            {.authority = authority.value_or(""),
                                                             .thumbprint = thumbprint.value_or(""),
                                                             .certificate = certificate.value_or(""),
                                                             .name = name.value_or(""),
                                                             .reason = reason.value_or("")},
                                                            call.actor()),
               "certificate"));
  JsonWriter json;
  write_revocation(json, revoked);
  return Response::json(json.take(), 201);
}

Answer restore_certificate(Call& call) {
  if (!offered(call)) return not_offered();
  const auto done =
      call.parts.services.hubs->restore_certificate(call.path_values[0], call.path_values[1], call.actor());
  if (!done) return failed(done.error(), "thumbprint");
  return Response::empty();
}

Answer delete_certificate(Call& call) {
  if (!offered(call)) return not_offered();
  const auto done = call.parts.services.hubs->remove_authority(call.path_values[0], call.path_values[1], call.actor());
  if (!done) return failed(done.error(), "certificate");
  return Response::empty();
}

}  // namespace picket::api
