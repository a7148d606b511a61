#include "agent/status.h"

#include "base/core/json_writer.h"

namespace picket::agent {
namespace {

void add_counts(JsonWriter& json, std::string_view name, const std::array<std::uint64_t, kPriorities>& counts) {
  json.key(name).begin_object();
  for (std::size_t i = 0; i < kPriorities; ++i) json.key(to_string(static_cast<Priority>(i))).value(counts[i]);
  json.end_object();
}

void add_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
  json.key(name);
  if (time) {
    json.value(*time);
  } else {
    json.null();
  }
}

void add_uplink(JsonWriter& json, const AgentStatus& status) {
  const UplinkStatus& uplink = status.uplink;
  json.key("uplink").begin_object();
  json.key("hub").value(status.hub).key("identity").value(status.identity);
  json.key("state").value(to_string(uplink.state)).key("since").value(uplink.since);
  json.key("problem").value(to_string(uplink.problem)).key("reason").value(uplink.reason);
  json.key("transport").value(uplink.transport).key("fallback").value(uplink.fallback);
  add_time(json, "certificateEnd", uplink.certificate_end);
  add_time(json, "nextAttempt", uplink.next_attempt);
  add_time(json, "lastConnected", uplink.last_connected);
  add_time(json, "lastAcknowledged", uplink.last_acknowledged);
  json.key("attempts").value(uplink.attempts).key("connections").value(uplink.connections);
  json.key("sent").value(uplink.sent).key("sentAgain").value(uplink.sent_again);
  json.key("acknowledged").value(uplink.acknowledged).key("bytesSent").value(uplink.bytes_sent).end_object();
}

void add_twin(JsonWriter& json, const TwinStatus& twin) {
  json.key("twin").begin_object().key("known").value(twin.link.known).key("version").value(twin.link.version);
  json.key("state").value(twin.invalid == 0 ? "success" : "failed").key("reported").value(twin.link.reported);
  json.key("changes").value(twin.changes).key("errors").value(twin.link.errors);
  json.key("problems").begin_array();
  for (const TwinProblem& problem : twin.problems) {
    json.begin_object().key("name").value(problem.name).key("reason").value(problem.reason);
    json.key("used").value(problem.used).end_object();
  }
  json.end_array().end_object();
}

void add_hardening(JsonWriter& json, const std::vector<HardeningPart>& parts) {
  json.key("hardening").begin_array();
  for (const HardeningPart& part : parts) {
    json.begin_object().key("name").value(part.name).key("enabled").value(part.enabled);
    json.key("problem").value(part.problem).end_object();
  }
  json.end_array();
}

void add_collector(JsonWriter& json, const CollectorStatus& each) {
  json.begin_object().key("name").value(each.name).key("enabled").value(each.enabled);
  json.key("tier").value(each.tier).key("sampled").value(each.sampled).key("reason").value(each.reason);
  json.key("seen").value(each.counters.seen).key("delivered").value(each.counters.delivered);
  json.key("droppedKernel").value(each.counters.dropped_kernel).key("droppedUser").value(each.counters.dropped_user);
  json.key("incomplete").value(each.counters.incomplete).end_object();
}

void add_spool(JsonWriter& json, const AgentStatus& status) {
  json.key("spool").begin_object();
  json.key("place").value(status.spool_place).key("onDisk").value(status.spool_on_disk);
  json.key("messages").value(status.spool_messages).key("inFlight").value(std::uint64_t{status.spool_in_flight});
  json.key("bytes").value(status.spool_bytes).key("bytesMax").value(status.spool_bytes_max);
  json.key("lastAcknowledged").value(status.last_acknowledged);
  json.key("dropped").begin_object().key("total").value(status.spool_drops.total());
  add_counts(json, "evicted", status.spool_drops.evicted);
  add_counts(json, "expired", status.spool_drops.expired);
  add_counts(json, "refused", status.spool_drops.refused);
  add_counts(json, "corrupted", status.spool_drops.corrupted);
  json.end_object().end_object();
}

/// Text padded with spaces to `width`, and at least one.
std::string pad(std::string_view text, std::size_t width) {
  std::string out(text);
  out.append(out.size() < width ? width - out.size() : 1, ' ');
  return out;
}

std::string line(std::string_view name, std::string_view value) { return pad(name, 14) + std::string(value) + "\n"; }

std::string ago(Timestamp now, const std::optional<Timestamp>& then) {
  if (!then) return "never";
  const std::int64_t seconds = (now - *then).whole_seconds();
  if (seconds < 120) return std::to_string(seconds) + " s ago";
  if (seconds < 7'200) return std::to_string(seconds / 60) + " min ago";
  return std::to_string(seconds / 3'600) + " h ago";
}

}  // namespace

std::string status_json(const AgentStatus& status) {
  JsonWriter json;
  json.begin_object();
  json.key("version").value(status.version).key("now").value(status.now).key("started").value(status.started);
  add_uplink(json, status);
  json.key("collectors").begin_array();
  for (const CollectorStatus& each : status.collectors) add_collector(json, each);
  json.end_array();
  json.key("aggregation").begin_object();
  json.key("taken").value(status.aggregation.taken).key("passed").value(status.aggregation.passed);
  json.key("aggregated").value(status.aggregation.aggregated).key("reported").value(status.aggregation.reported);
  json.key("evicted").value(status.aggregation.evicted);
  json.key("entries").value(std::uint64_t{status.aggregate_entries});
  json.key("bytes").value(std::uint64_t{status.aggregate_bytes}).end_object();
  json.key("outbox").begin_object().key("events").value(status.outbox.events);
  json.key("batches")
      .value(status.outbox.batches)
      .key("droppedEvents")
      .value(status.outbox.dropped_events)
      .end_object();
  add_spool(json, status);
  json.key("profile").value(status.profile);
  add_twin(json, status.twin);
  add_hardening(json, status.hardening);
  return json.end_object().take();
}

std::string status_table(const AgentStatus& status) {
  const UplinkStatus& uplink = status.uplink;
  std::string out;
  out += line("agent", status.version + ", started " + ago(status.now, status.started));
  out += line("hub", status.hub + " as " + status.identity);
  std::string state(to_string(uplink.state));
  state += " since " + format_rfc3339(uplink.since);
  if (uplink.transport != "mqtt") state += " by " + std::string(uplink.transport);
  if (!uplink.fallback.empty()) state += " (" + uplink.fallback + ")";
  out += line("connection", state);
  if (!uplink.reason.empty()) out += line("problem", std::string(to_string(uplink.problem)) + ": " + uplink.reason);
  if (uplink.next_attempt) {
    const std::int64_t left = std::max<std::int64_t>(0, (*uplink.next_attempt - status.now).whole_ms());
    out += line("next attempt", "in " + std::to_string((left + 999) / 1000) + " s");
  }
  if (uplink.certificate_end) out += line("certificate", "ends " + format_rfc3339(*uplink.certificate_end));
  out += line("messages", std::to_string(uplink.acknowledged) + " acknowledged, the last " +
                              ago(status.now, uplink.last_acknowledged) + "; " + std::to_string(uplink.sent_again) +
                              " sent again");
  out += line("spool", std::to_string(status.spool_messages) + " messages, " + std::to_string(status.spool_bytes) +
                           " of " + std::to_string(status.spool_bytes_max) + " bytes, " + status.spool_place);
  out += line("lost", std::to_string(status.spool_drops.total()) + " messages by the spool, " +
                          std::to_string(status.outbox.dropped_events) + " events before it");
  out += line("aggregation", std::to_string(status.aggregation.taken) +
                                 " records: " + std::to_string(status.aggregation.passed) + " sent at once, " +
                                 std::to_string(status.aggregation.aggregated) + " counted into " +
                                 std::to_string(status.aggregate_entries) + " entries");
  if (status.twin.link.known) {
    out +=
        line("twin", "version " + std::to_string(status.twin.link.version) + ", " +
                         (status.twin.invalid == 0 ? "all settings in force"
                                                   : std::to_string(status.twin.invalid) + " settings not in force"));
  }
  for (const TwinProblem& problem : status.twin.problems) {
    out += line("", problem.name.substr(0, 100) + ": " + problem.reason);
  }
  for (const HardeningPart& part : status.hardening) {
    if (!part.enabled) out += line("hardening", std::string(part.name) + " is off");
    if (!part.problem.empty()) out += line("hardening", std::string(part.name) + " not in force: " + part.problem);
  }
  out += "\n" + pad("collector", 17) + pad("tier", 16) + pad("seen", 10) + pad("delivered", 11) + pad("dropped", 9) +
         "why not better\n";
  for (const CollectorStatus& each : status.collectors) {
    const std::string tier = !each.enabled ? "(off)" : each.tier.empty() ? "(none)" : each.tier;
    out += pad(each.name, 17) + pad(tier + (each.sampled ? " (sampled)" : ""), 16) +
           pad(std::to_string(each.counters.seen), 10) + pad(std::to_string(each.counters.delivered), 11) +
           pad(std::to_string(each.counters.dropped_kernel + each.counters.dropped_user), 9) + each.reason + "\n";
  }
  return out;
}

}  // namespace picket::agent
