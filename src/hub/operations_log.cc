#include "hub/operations_log.h"

#include <array>

#include "base/core/json_writer.h"
#include "journal/journal.h"

namespace picket::hub {
namespace {

constexpr std::array<std::string_view, 8> kKinds = {"tls_failed", "connect",          "disconnect",   "auth_failed",
                                                    "evicted",    "subscribe_denied", "topic_denied", "throttled"};

void member(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.key(name).value(text);
}

void write_identity(JsonWriter& json, const HubEvent& event) {
  json.key(event.authenticated ? "identity" : "claimed").begin_object();
  member(json, "device", event.identity.device_id);
  member(json, "module", event.identity.module_id);
  member(json, "generation", event.identity.generation_id);
  json.end_object();
}

void write_auth(JsonWriter& json, const HubEvent& event) {
  if (!event.token_expiry && event.policy_name.empty()) return;
  json.key("auth").begin_object().key("type").value("sas");
  member(json, "skn", event.policy_name);
  if (event.token_expiry) json.key("token_se").value(*event.token_expiry);
  member(json, "key_slot", event.key_slot);
  json.end_object();
}

void write_tls(JsonWriter& json, const HubEvent& event) {
  if (event.tls_version.empty()) return;
  json.key("tls").begin_object().key("version").value(event.tls_version);
  member(json, "cipher", event.tls_cipher);
  member(json, "sni", event.server_name);
  json.end_object();
}

}  // namespace

std::string_view to_string(HubEventKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::string to_json(const HubEvent& event, std::uint64_t dropped_before) {
  JsonWriter json;
  json.begin_object().key("v").value(1).key("ts").value(event.time).key("kind").value(to_string(event.kind));
  json.key("hub").value(event.identity.hub);
  if (!event.identity.device_id.empty()) write_identity(json, event);
  member(json, "src_ip", event.source_address);
  if (event.source_port != 0) json.key("port").value(static_cast<unsigned>(event.source_port));
  json.key("protocol").value(event.protocol).key("transport").value("tls");
  write_tls(json, event);
  write_auth(json, event);
  member(json, "sdk", event.sdk);
  json.key("result").begin_object().key("code").value(event.code);
  member(json, "reason", event.reason);
  json.end_object();
  member(json, "object", std::string_view(event.object).substr(0, HubEvent::kObjectBytesMax));
  if (event.kind == HubEventKind::disconnect) json.key("messages").value(event.messages);
  if (dropped_before > 0) json.key("dropped_before").value(dropped_before);
  json.end_object();
  return json.take();
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
  const auto body = to_json(event, unreported);
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
