#include "enrollment.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "hub/provisioning.h"

namespace picket::hub {
namespace {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr std::size_t kKeyBytes = 64;
constexpr std::size_t kKeyBytesMin = 16;
constexpr std::size_t kKeyBytesMax = 64;
constexpr std::size_t kHubsMax = 64;
constexpr std::size_t kTwinBytesMax = 32 * 1024;
constexpr std::size_t kHostBytesMax = 255;

auto invalid(std::string_view field, std::string_view text) {
  return hub_fail(kArgumentInvalid, fmt::format("{}: {}", field, text));
}

/// Absent and null are the same.
std::optional<Element> member(Object object, std::string_view name) {
  Element out;
  if (object.at_key(name).get(out) != simdjson::SUCCESS || out.is_null()) return std::nullopt;
  return out;
}

HubResult<std::string> text(Object object, std::string_view name, std::size_t bytes_max = kHostBytesMax) {
  const auto element = member(object, name);
  if (!element) return std::string();
  std::string_view out;
  if (element->get(out) != simdjson::SUCCESS) return invalid(name, "not a text.");
  if (out.size() > bytes_max) return invalid(name, "too long.");
  return std::string(out);
}

HubResult<bool> flag(Object object, std::string_view name, bool otherwise) {
  const auto element = member(object, name);
  if (!element) return otherwise;
  bool out = false;
  if (element->get(out) != simdjson::SUCCESS) return invalid(name, "not true or false.");
  return out;
}

HubResult<std::optional<Object>> object_of(Object object, std::string_view name) {
  const auto element = member(object, name);
  if (!element) return std::optional<Object>();
  Object out;
  if (element->get(out) != simdjson::SUCCESS) return invalid(name, "not an object.");
  return std::optional(out);
}

HubResult<std::string> key_of(const std::optional<Object>& keys, std::string_view name) {
  std::string key;
  if (keys) {
    TRY(key, text(*keys, name));
  }
  if (key.empty()) return key;
  const auto bytes = from_base64(key);
  if (!bytes || bytes->size() < kKeyBytesMin || bytes->size() > kKeyBytesMax) {
    return invalid(name, fmt::format("base64 of {} to {} bytes.", kKeyBytesMin, kKeyBytesMax));
  }
  return key;
}

HubResult<> read_certificates(Object holder, Enrollment& out) {
  for (const auto* slot : {"primary", "secondary"}) {
    TRY(const auto entry, object_of(holder, slot));
    if (!entry) continue;
    TRY(const auto certificate, text(*entry, "certificate", 2 * kCertificateBytesMax));
    if (certificate.empty()) continue;
    auto facts = parse_certificate_text(certificate);
    if (!facts) return invalid("certificate", "neither PEM nor DER in base64.");
    if (out.certificate_use == CertificateUse::signing && !facts->authority) {
      return invalid("signingCertificates", "this certificate may not sign others.");
    }
    out.certificates.push_back(*std::move(facts));
  }
  if (out.certificates.empty()) return invalid("x509", "a primary certificate is needed.");
  return {};
}

HubResult<> read_x509(Object x509, Enrollment& out) {
  TRY(const auto client, object_of(x509, "clientCertificates"));
  TRY(const auto signing, object_of(x509, "signingCertificates"));
  TRY(const auto references, object_of(x509, "caReferences"));
  if (int{client.has_value()} + int{signing.has_value()} + int{references.has_value()} != 1) {
    return invalid("x509", "one of clientCertificates, signingCertificates and caReferences is needed.");
  }
  if (client.has_value() == out.group) {
    return invalid("x509", out.group ? "a group has signingCertificates or caReferences."
                                     : "an individual enrollment has clientCertificates.");
  }
  if (references) {
    out.certificate_use = CertificateUse::reference;
    for (const auto* slot : {"primary", "secondary"}) {
      TRY(auto name, text(*references, slot));
      if (!name.empty()) out.ca_references.push_back(std::move(name));
    }
    if (out.ca_references.empty()) return invalid("caReferences", "a primary name is needed.");
    return {};
  }
  out.certificate_use = client ? CertificateUse::client : CertificateUse::signing;
  return read_certificates(client ? *client : *signing, out);
}

HubResult<> read_attestation(Object body, Enrollment& out) {
  TRY(const auto attestation, object_of(body, "attestation"));
  if (!attestation) return invalid("attestation", "missing.");
  TRY(const auto type, text(*attestation, "type"));
  if (type == "tpm") {
    return invalid("attestation", "TPM attestation is not offered: use a symmetric key or a certificate.");
  }
  if (type == "symmetricKey") {
    out.attestation = Attestation::symmetric_key;
    TRY(const auto keys, object_of(*attestation, "symmetricKey"));
    TRY(out.primary_key, key_of(keys, "primaryKey"));
    TRY(out.secondary_key, key_of(keys, "secondaryKey"));
    return {};
  }
  if (type != "x509") return invalid("attestation.type", "symmetricKey or x509.");
  out.attestation = Attestation::x509;
  TRY(const auto x509, object_of(*attestation, "x509"));
  if (!x509) return invalid("x509", "missing.");
  return read_x509(*x509, out);
}

HubResult<> read_allocation(Object body, Enrollment& out) {
  TRY(out.hub_host, text(body, "iotHubHostName"));
  TRY(const auto policy, text(body, "allocationPolicy"));
  if (policy == "custom") {
    return invalid("allocationPolicy", "custom is not offered: Picket calls no webhooks. Use static or hashed.");
  }
  if (policy == "static") {
    out.allocation = Allocation::fixed;
  } else if (policy == "geoLatency" || policy == "geolatency") {
    out.allocation = Allocation::geo_latency;
  } else if (!policy.empty() && policy != "hashed") {
    return invalid("allocationPolicy", "hashed, geoLatency or static.");
  }
  if (const auto hubs = member(body, "iotHubs")) {
    simdjson::dom::array list;
    if (hubs->get(list) != simdjson::SUCCESS) return invalid("iotHubs", "not a list.");
    for (const Element entry : list) {
      std::string_view host;
      if (entry.get(host) != simdjson::SUCCESS || host.empty() || host.size() > kHostBytesMax) {
        return invalid("iotHubs", "not a list of names.");
      }
      if (out.hub_hosts.size() == kHubsMax) return invalid("iotHubs", "too many.");
      out.hub_hosts.emplace_back(host);
    }
  }
  if (out.allocation == Allocation::fixed && out.hub_host.empty() && out.hub_hosts.size() != 1) {
    return invalid("allocationPolicy", "static needs iotHubHostName, or one name in iotHubs.");
  }
  return {};
}

/// The object without the members that the service adds: the twin makes its own.
std::string plain_object(Object object) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : object) {
    if (name == "$metadata" || name == "$version" || name == "version" || name == "count" || name == "metadata")
      continue;
    json.key(name).raw(simdjson::minify(value));
  }
  return json.end_object().take();
}

HubResult<> read_twin(Object body, Enrollment& out) {
  TRY(const auto twin, object_of(body, "initialTwin"));
  if (!twin) return {};
  TRY(const auto tags, object_of(*twin, "tags"));
  if (tags) out.tags_json = plain_object(*tags);
  TRY(const auto properties, object_of(*twin, "properties"));
  if (properties) {
    TRY(const auto desired, object_of(*properties, "desired"));
    if (desired) out.desired_json = plain_object(*desired);
  }
  if (out.tags_json.size() + out.desired_json.size() > kTwinBytesMax) return invalid("initialTwin", "too large.");
  return {};
}

HubResult<> read_rest(Object body, Enrollment& out) {
  TRY(const auto status, text(body, "provisioningStatus"));
  if (!status.empty() && status != "enabled" && status != "disabled") {
    return invalid("provisioningStatus", "enabled or disabled.");
  }
  out.enabled = status != "disabled";
  TRY(const auto capabilities, object_of(body, "capabilities"));
  if (capabilities) {
    TRY(out.edge, flag(*capabilities, "iotEdge", false));
  }
  TRY(const auto reprovision, object_of(body, "reprovisionPolicy"));
  if (reprovision) {
    TRY(out.update_hub_assignment, flag(*reprovision, "updateHubAssignment", true));
    TRY(out.migrate_device_data, flag(*reprovision, "migrateDeviceData", true));
  }
  TRY(out.etag, text(body, "etag"));
  std::erase(out.etag, '"');
  return {};
}

HubResult<Enrollment> read(Object body, bool group) {
  Enrollment out;
  out.group = group;
  TRY(out.id, text(body, group ? "enrollmentGroupId" : "registrationId"));
  if (!is_registration_id(out.id)) {
    return invalid(group ? "enrollmentGroupId" : "registrationId",
                   fmt::format("1 to {} of letters, digits, '-', '.', '_', ':'; the last is a letter, a digit or '-'.",
                               kRegistrationIdBytesMax));
  }
  if (!group) {
    TRY(out.device_id, text(body, "deviceId"));
    if (!out.device_id.empty() && !is_identifier(out.device_id)) return invalid("deviceId", "not a device id.");
  }
  for (const auto step : {read_attestation, read_allocation, read_twin, read_rest}) {
    if (auto done = step(body, out); !done) return std::unexpected(std::move(done).error());
  }
  return out;
}

void write_certificates(JsonWriter& json, const Enrollment& enrollment) {
  json.begin_object();
  for (std::size_t i = 0; i < enrollment.certificates.size(); ++i) {
    const auto& facts = enrollment.certificates[i];
    json.key(i == 0 ? "primary" : "secondary")
        .begin_object()
        .key("certificate")
        .value(to_pem(facts.der))
        .key("info")
        .begin_object()
        .key("subjectName")
        .value(facts.subject)
        .key("sha1Thumbprint")
        .value(facts.sha1)
        .key("sha256Thumbprint")
        .value(facts.sha256)
        .key("issuerName")
        .value(facts.issuer)
        .key("notBeforeUtc")
        .value(facts.not_before)
        .key("notAfterUtc")
        .value(facts.not_after)
        .key("serialNumber")
        .value(facts.serial)
        .key("version")
        .value(facts.version)
        .end_object()
        .end_object();
  }
  json.end_object();
}

void write_attestation(JsonWriter& json, const Enrollment& enrollment, bool with_keys) {
  json.begin_object().key("type");
  if (enrollment.attestation == Attestation::symmetric_key) {
    json.value("symmetricKey");
    if (with_keys) {
      json.key("symmetricKey")
          .begin_object()
          .key("primaryKey")
          .value(enrollment.primary_key)
          .key("secondaryKey")
          .value(enrollment.secondary_key)
          .end_object();
    }
  } else {
    json.value("x509").key("x509").begin_object();
    if (enrollment.certificate_use == CertificateUse::reference) {
      json.key("caReferences").begin_object();
      for (std::size_t i = 0; i < enrollment.ca_references.size(); ++i) {
        json.key(i == 0 ? "primary" : "secondary").value(enrollment.ca_references[i]);
      }
      json.end_object();
    } else {
      json.key(enrollment.certificate_use == CertificateUse::client ? "clientCertificates" : "signingCertificates");
      write_certificates(json, enrollment);
    }
    json.end_object();
  }
  json.end_object();
}

/// All members but those that only a stored one has.
void write_members(JsonWriter& json, const Enrollment& enrollment) {
  json.key(enrollment.group ? "enrollmentGroupId" : "registrationId").value(enrollment.id);
  if (!enrollment.device_id.empty()) json.key("deviceId").value(enrollment.device_id);
  json.key("attestation");
  write_attestation(json, enrollment, false);
  json.key("capabilities").begin_object().key("iotEdge").value(enrollment.edge).end_object();
  if (!enrollment.hub_host.empty()) json.key("iotHubHostName").value(enrollment.hub_host);
  json.key("initialTwin")
      .begin_object()
      .key("tags")
      .raw(enrollment.tags_json)
      .key("properties")
      .begin_object()
      .key("desired")
      .raw(enrollment.desired_json)
      .end_object()
      .end_object();
  json.key("provisioningStatus").value(enrollment.enabled ? "enabled" : "disabled");
  json.key("reprovisionPolicy")
      .begin_object()
      .key("updateHubAssignment")
      .value(enrollment.update_hub_assignment)
      .key("migrateDeviceData")
      .value(enrollment.migrate_device_data)
      .end_object();
  json.key("allocationPolicy")
      .value(enrollment.allocation == Allocation::hashed        ? "hashed"
             : enrollment.allocation == Allocation::geo_latency ? "geoLatency"
                                                                : "static");
  if (!enrollment.hub_hosts.empty()) {
    json.key("iotHubs").begin_array();
    for (const auto& host : enrollment.hub_hosts) json.value(host);
    json.end_array();
  }
}

std::string make_key() {
  Buffer made(kKeyBytes);
  random_bytes(made);
  return to_base64(made);
}

}  // namespace

void fill_keys(Enrollment& enrollment, const std::optional<state::StoredEnrollment>& before) {
  if (enrollment.attestation != Attestation::symmetric_key) return;
  const auto fill = [](std::string& key, const std::string& old) {
    if (key.empty()) key = old.empty() ? make_key() : old;
  };
  fill(enrollment.primary_key, before ? before->key_primary : std::string());
  fill(enrollment.secondary_key, before ? before->key_secondary : std::string());
}

bool is_registration_id(std::string_view id) {
  if (id.empty() || id.size() > kRegistrationIdBytesMax) return false;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  for (const char c : id) {
    if (!plain(c) && c != '.' && c != '_' && c != ':') return false;
  }
  return plain(id.back());
}

HubResult<Enrollment> parse_enrollment(std::string_view json, bool group) {
  simdjson::dom::parser parser;
  Object body;
  if (parser.parse(simdjson::padded_string(json)).get(body) != simdjson::SUCCESS) {
    return hub_fail(kArgumentInvalid, "The body is no JSON object.");
  }
  return read(body, group);
}

state::StoredEnrollment to_stored(const Enrollment& enrollment, Timestamp created, Timestamp updated) {
  JsonWriter json;
  json.begin_object();
  write_members(json, enrollment);
  const bool keys = enrollment.attestation == Attestation::symmetric_key;
  return {.group = enrollment.group,
          .id = enrollment.id,
          .etag = enrollment.etag,
          .enabled = enrollment.enabled,
          .attestation = keys ? "symmetricKey" : "x509",
          .key_primary = enrollment.primary_key,
          .key_secondary = enrollment.secondary_key,
          .document = json.end_object().take(),
          .created = created,
          .updated = updated};
}

Result<Enrollment> from_stored(const state::StoredEnrollment& stored) {
  auto out = parse_enrollment(stored.document, stored.group);
  if (!out) return fail(Errc::malformed, "provisioning.stored_enrollment");
  out->primary_key = stored.key_primary;
  out->secondary_key = stored.key_secondary;
  out->etag = stored.etag;
  return *std::move(out);
}

std::string to_json(const Enrollment& enrollment, Timestamp created, Timestamp updated,
                    std::string_view registration_state) {
  JsonWriter json;
  json.begin_object();
  write_members(json, enrollment);
  if (!registration_state.empty()) json.key("registrationState").raw(registration_state);
  json.key("etag").value("\"" + enrollment.etag + "\"");
  json.key("createdDateTimeUtc").value(created).key("lastUpdatedDateTimeUtc").value(updated);
  return json.end_object().take();
}

std::string attestation_json(const Enrollment& enrollment) {
  JsonWriter json;
  write_attestation(json, enrollment, true);
  return json.take();
}

}  // namespace picket::hub
