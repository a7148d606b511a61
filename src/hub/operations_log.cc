#include "hub/operations_log.h"

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "journal/journal.h"

namespace picket::hub {
namespace {

constexpr std::array<std::string_view, kHubEventKinds> kKinds = {"tls_failed",    "connect",
                                                                 "disconnect",    "auth_failed",
                                                                 "evicted",       "subscribe_denied",
                                                                 "topic_denied",  "throttled",
                                                                 "d2c",           "c2d",
                                                                 "twin",          "method",
                                                                 "job",           "upload",
                                                                 "registry",      "registry_change",
                                                                 "policy_change", "key_read",
                                                                 "key_rotated",   "cert_change",
                                                                 "filter_change", "sink_change",
                                                                 "query_run",     "clock_skew"};

struct OperationInfo {
  std::string_view name;
  HubEventKind kind;
};
constexpr std::array<OperationInfo, kOperations> kOperationTable = {{
    {"d2c_message", HubEventKind::d2c},
    {"c2d_message", HubEventKind::c2d},
    {"c2d_completed", HubEventKind::c2d},
    {"c2d_rejected", HubEventKind::c2d},
    {"c2d_abandoned", HubEventKind::c2d},
    {"queue_purge", HubEventKind::c2d},
    {"twin_read", HubEventKind::twin},
    {"twin_update", HubEventKind::twin},
    {"twin_report", HubEventKind::twin},
    {"method_invoke", HubEventKind::method},
    {"job", HubEventKind::job},
    {"upload_start", HubEventKind::upload},
    {"upload_notify", HubEventKind::upload},
    {"registry_read", HubEventKind::registry},
    {"query", HubEventKind::query_run},
}};

void member(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.key(name).value(text.substr(0, HubEvent::kTextBytesMax));
}
void member(JsonWriter& json, std::string_view name, std::optional<Timestamp> time) {
  if (time) json.key(name).value(*time);
}
void member_ms(JsonWriter& json, std::string_view name, std::optional<Duration> duration) {
  if (duration) json.key(name).value(duration->whole_ms());
}
void member(JsonWriter& json, std::string_view name, std::uint64_t number) {
  if (number != 0) json.key(name).value(number);
}

void write_identity(JsonWriter& json, const HubEvent& event) {
  if (event.identity.device_id.empty()) return;
  json.key(event.authenticated ? "identity" : "claimed").begin_object();
  member(json, "device", event.identity.device_id);
  member(json, "module", event.identity.module_id);
  member(json, "generation", event.identity.generation_id);
  json.end_object();
  if (event.claimed_online) json.key("claimed_online").value(*event.claimed_online);
}

void write_auth(JsonWriter& json, const HubEvent& event) {
  const bool token = event.token_expiry || !event.policy_name.empty();
  const auto type = event.auth_type.empty() && token ? std::string_view("sas") : event.auth_type;
  if (type.empty() && event.credential.empty()) return;
  json.key("auth").begin_object();
  member(json, "type", type);
  member(json, "scope", event.auth_scope);
  member(json, "skn", event.policy_name);
  member(json, "token_se", event.token_expiry);
  member(json, "key_slot", event.key_slot);
  member(json, "credential", event.credential);
  json.end_object();
}

void write_certificate(JsonWriter& json, const PeerCertificate& certificate) {
  json.key("peer").begin_object();
  member(json, "thumbprint", certificate.thumbprint);
  member(json, "thumbprint_sha1", certificate.thumbprint_sha1);
  member(json, "subject", certificate.subject);
  member(json, "issuer", certificate.issuer);
  member(json, "issuer_thumbprint", certificate.issuer_thumbprint);
  member(json, "key", certificate.key);
  member(json, "signature", certificate.signature);
  member(json, "not_before", certificate.not_before);
  member(json, "not_after", certificate.not_after);
  json.end_object();
}

void write_tls(JsonWriter& json, const HubEvent& event) {
  if (event.tls_version.empty() && !event.certificate) return;
  json.key("tls").begin_object();
  member(json, "version", event.tls_version);
  member(json, "cipher", event.tls_cipher);
  member(json, "group", event.tls_group);
  member(json, "signature", event.tls_signature);
  member(json, "sni", event.server_name);
  if (event.certificate) write_certificate(json, *event.certificate);
  json.end_object();
}

void write_operation(JsonWriter& json, const HubEvent& event) {
  if (event.operation) json.key("operation").value(to_string(*event.operation));
  if (event.window_from && event.window_to) {
    json.key("window").begin_object().key("from").value(*event.window_from).key("to").value(*event.window_to);
    json.end_object().key("count").value(event.count);
  }
  member(json, "bytes", event.bytes);
  member(json, "size_max", event.size_max);
  member(json, "size_p95", event.size_p95);
  if (event.kind == HubEventKind::disconnect) json.key("messages").value(event.messages);
  member_ms(json, "connected_ms", event.connected_for);
  member_ms(json, "duration_ms", event.duration);
  member_ms(json, "skew_ms", event.skew);
}

}  // namespace

std::string_view to_string(HubEventKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view to_string(Operation operation) { return kOperationTable[static_cast<std::size_t>(operation)].name; }
HubEventKind kind_of(Operation operation) { return kOperationTable[static_cast<std::size_t>(operation)].kind; }

std::string to_json(const HubEvent& event, std::uint64_t dropped_before, std::uint64_t sequence) {
  JsonWriter json;
  json.begin_object().key("v").value(2).key("ts").value(event.time);
  member(json, "seq", sequence);
  json.key("kind").value(to_string(event.kind)).key("hub").value(event.identity.hub);
  write_identity(json, event);
  member(json, "actor", event.actor);
  member(json, "src_ip", event.source_address);
  if (event.source_port != 0) json.key("port").value(static_cast<unsigned>(event.source_port));
  json.key("protocol").value(event.protocol).key("transport").value(event.transport);
  write_tls(json, event);
  write_auth(json, event);
  member(json, "sdk", event.sdk);
  json.key("result").begin_object().key("code").value(event.code);
  member(json, "reason", event.reason);
  json.end_object();
  member(json, "object", std::string_view(event.object).substr(0, HubEvent::kObjectBytesMax));
  member(json, "before", event.object_before);
  member(json, "after", event.object_after);
  member(json, "trace_id", event.trace_id);
  write_operation(json, event);
  member(json, "dropped_before", dropped_before);
  json.end_object();
  return json.take();
}

std::string credential_fingerprint(SipKey key, std::string_view type, Bytes secret) {
  std::string out(type);
  out += ':';
  const std::uint64_t hash = siphash24(key, secret);
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(hash >> (56 - 8 * i));
  return out + to_hex(bytes);
}

struct JournalOperationsLog::Pending {
  std::atomic<std::uint64_t> count = 0;
};

JournalOperationsLog::JournalOperationsLog(journal::Journal& journal)
    : journal_(journal), pending_(std::make_shared<Pending>()) {}

JournalOperationsLog::~JournalOperationsLog() = default;

/// Takes the drops that no event has carried yet.
std::uint64_t JournalOperationsLog::claim_unreported() {
  auto reported = reported_.load();
  while (true) {
    const auto dropped = dropped_.load();
    if (dropped <= reported) return 0;
    if (reported_.compare_exchange_weak(reported, dropped)) return dropped - reported;
  }
}

void JournalOperationsLog::drop(std::uint64_t unreported) {
  reported_ -= unreported;  // the next event carries them
  ++dropped_;
}

void JournalOperationsLog::record(const HubEvent& event) {
  const auto unreported = claim_unreported();
  if (pending_->count >= kPendingMax) return drop(unreported);
  const auto body = to_json(event, unreported, ++sequence_);
  // A claimed identity must not become the record's: what was not proven stays in the body.
  const Identity identity = event.authenticated ? event.identity : Identity{.hub = event.identity.hub};
  const journal::Record record{.kind = journal::RecordKind::hub_event,
                               .partition = partition_of(identity),
                               .enqueued = event.time,
                               .identity = identity,
                               .body = as_bytes(body)};
  ++pending_->count;
  const auto appended = journal_.append(record, [pending = pending_](Result<journal::RecordId>) { --pending->count; });
  if (!appended) {
    --pending_->count;
    drop(unreported);
  }
}

}  // namespace picket::hub
