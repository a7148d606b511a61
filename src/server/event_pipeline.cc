#include "event_pipeline.h"

#include "base/core/cursor.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/random.h"
#include "durable_group.h"
#include "pipeline/control_records.h"
#include "server_log.h"

namespace picket::server {
namespace {

// Keys the fingerprints by which the pipeline recognises repeated messages; the same at each start, unknown to devices.
Result<SipKey> fingerprint_key(const std::string& secrets) {
  const std::string path = secrets + "/fingerprint.key";
  auto text = read_file(path, 64);
  if (!text && text.error().code == Errc::not_found) {
    std::array<std::byte, 16> key{};
    random_bytes(key);
    text = to_hex(key);
    TRY_VOID(replace_file(path, as_bytes(*text)));
  }
  if (!text) return std::unexpected(text.error());
  TRY(const Buffer bytes, from_hex(*text));
  if (bytes.size() != 16) return fail(Errc::malformed, "secrets.fingerprint_key");
  Cursor in{bytes};
  SipKey out;
  TRY(out.k0, in.le<std::uint64_t>());
  TRY(out.k1, in.le<std::uint64_t>());
  return out;
}

// The severity profile is part of what decides a verdict, so it is a record like everything else that does.
void announce_profile(const Options& options, journal::Journal& messages, Timestamp now) {
  const std::string body =
      pipeline::rules_change_body(options.parity_profile ? pipeline::Profile::parity : pipeline::Profile::standard);
  const Identity identity{options.hub, "", "", ""};
  const journal::Record record{.kind = journal::RecordKind::rules_change,
                               .partition = partition_of(identity),
                               .enqueued = now,
                               .identity = identity,
                               .properties = {},
                               .body = as_bytes(body)};
  DurableGroup group;
  // A full disk must not keep the server from starting: operators need it then more than ever.
  if (!messages.append(record, group.expect()) || !group.wait()) {
    log::warning("server", "the journal takes no records now; the severity profile stays as it was");
  }
}

}  // namespace

EventPipeline::EventPipeline(const Parts& parts)
    : rows_(parts.tables.workspace()), sink_(rows_, parts.tables.schema(), parts.presence, events_, dead_letters_) {}

Result<std::unique_ptr<EventPipeline>> EventPipeline::start(const Parts& parts) {
  announce_profile(parts.options, *parts.storage.messages, parts.clock.now());
  std::unique_ptr<EventPipeline> out(new EventPipeline(parts));
  TRY_VOID(out->run(parts));
  return out;
}

Result<> EventPipeline::run(const Parts& parts) {
  Storage& storage = parts.storage;
  const DataDirectory& data = storage.data;
  pipeline::RunnerOptions runner;
  runner.checkpoint_directory = data.checkpoints();
  runner.installation_id = data.installation_id();
  TRY(runner.fingerprint_key, fingerprint_key(data.secrets()));
  runner.log = log_to("pipeline");
  TRY(intelligence_, IntelligenceKeeper::open({.state = storage.state.intelligence,
                                               .devices = storage.state.devices,
                                               .messages = *storage.messages,
                                               .workspace = parts.tables.workspace(),
                                               .clock = parts.clock,
                                               .directory = data.intelligence(),
                                               .secrets = data.secrets() + "/intelligence",
                                               .hub = parts.options.hub}));
  runner.open_indicators = intelligence_->opener();
  TRY(runner_, pipeline::start_runner(std::move(runner), *storage.messages, *storage.derived, sink_, parts.clock));
  return {};
}

}  // namespace picket::server
