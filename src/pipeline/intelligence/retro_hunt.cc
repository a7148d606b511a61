// The body of a record that tells what stored events have shown.
#include "base/core/json_reader.h"
#include "base/core/json_writer.h"
#include "pipeline/indicators.h"

namespace picket::pipeline {
namespace {

std::string text_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->text().value_or(std::string()) : std::string();
}
std::int64_t number_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->integer().value_or(-1) : -1;
}
Timestamp time_of(const Json& object, std::string_view name) {
  return parse_rfc3339(text_of(object, name)).value_or(Timestamp{});
}

void write(JsonWriter& out, const RetroHit& hit) {
  const IndicatorSighting& seen = hit.sighting;
  out.begin_object().key("Hub").value(hit.device.hub).key("DeviceId").value(hit.device.device_id);
  out.key("ModuleId").value(hit.device.module_id).key("GenerationId").value(hit.device.generation_id);
  out.key("Kind").value(to_string(seen.kind)).key("Observed").value(seen.observed);
  out.key("Indicator").value(seen.indicator).key("IndicatorType").value(seen.indicator_kind);
  out.key("Feeds").value(seen.feeds).key("Licence").value(seen.licence).key("Threat").value(seen.threat);
  out.key("Reference").value(seen.reference).key("Confidence").value(std::uint64_t{seen.confidence});
  out.key("Listed").value(seen.listed).key("Expires").value(seen.expires);
  out.key("First").value(hit.first).key("Last").value(hit.last).key("Count").value(hit.count);
  if (hit.evidence) {
    const auto& row = hit.evidence->row;
    out.key("Sequence").value(row.sequence).key("Event").value(row.event).key("Item").value(row.item);
    out.key("EventId").value(hit.evidence->raw_event_id).key("EventTime").value(hit.evidence->time);
  }
  out.end_object();
}

Result<RetroHit> read(const Json& json) {
  RetroHit out;
  out.device = {text_of(json, "Hub"), text_of(json, "DeviceId"), text_of(json, "ModuleId"),
                text_of(json, "GenerationId")};
  IndicatorSighting& seen = out.sighting;
  const std::string kind = text_of(json, "Kind");
  bool known = false;
  for (const SightingKind one : {SightingKind::connection, SightingKind::inbound, SightingKind::login,
                                 SightingKind::name, SightingKind::url, SightingKind::file}) {
    if (to_string(one) != kind) continue;
    seen.kind = one;
    known = true;
  }
  seen.observed = text_of(json, "Observed");
  seen.indicator = text_of(json, "Indicator");
  seen.indicator_kind = text_of(json, "IndicatorType");
  seen.feeds = text_of(json, "Feeds");
  seen.licence = text_of(json, "Licence");
  seen.threat = text_of(json, "Threat");
  seen.reference = text_of(json, "Reference");
  const auto confidence = number_of(json, "Confidence");
  seen.listed = time_of(json, "Listed");
  seen.expires = time_of(json, "Expires");
  out.first = time_of(json, "First");
  out.last = time_of(json, "Last");
  const auto count = number_of(json, "Count");
  if (!known || out.device.device_id.empty() || seen.indicator.empty() || confidence < 0 || confidence > 100 ||
      out.first.us <= 0 || out.last < out.first || count < 1) {
    return fail(Errc::malformed, "indicators.retro");
  }
  seen.confidence = static_cast<std::uint8_t>(confidence);
  out.count = static_cast<std::uint64_t>(count);
  if (json.find("Sequence")) {
    const auto sequence = number_of(json, "Sequence");
    const auto event = number_of(json, "Event");
    const auto item = number_of(json, "Item");
    if (sequence < 0 || event < 0 || item < 0 || event > 0xFFFF'FFFF || item > 0xFFFF'FFFF) {
      return fail(Errc::malformed, "indicators.retro.row");
    }
    out.evidence = EvidenceRow{
        {static_cast<std::uint64_t>(sequence), static_cast<std::uint32_t>(event), static_cast<std::uint32_t>(item)},
        text_of(json, "EventId"),
        time_of(json, "EventTime")};
  }
  return out;
}

}  // namespace

std::string to_json(const RetroHunt& hunt) {
  JsonWriter out;
  out.begin_object().key("Version").value(hunt.version).key("Days").value(hunt.days).key("Hits").begin_array();
  for (const RetroHit& hit : hunt.hits) write(out, hit);
  return out.end_array().end_object().take();
}

Result<RetroHunt> parse_retro_hunt(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return std::unexpected(Error{json.error().code, "indicators.retro", json.error().offset});
  RetroHunt out;
  out.version = text_of(*json, "Version");
  const auto days = number_of(*json, "Days");
  const auto hits = json->find("Hits");
  if (days < 0 || days > 36'500 || !hits || hits->kind() != Json::Kind::array) {
    return fail(Errc::malformed, "indicators.retro");
  }
  out.days = static_cast<std::uint32_t>(days);
  Result<> done;
  hits->for_items([&](const Json& item) {
    if (!done) return;
    auto hit = read(item);
    if (!hit) {
      done = std::unexpected(hit.error());
    } else if (out.hits.size() >= kRetroHitsMax) {
      done = fail(Errc::limit_exceeded, "indicators.retro", kRetroHitsMax);
    } else {
      out.hits.push_back(*std::move(hit));
    }
  });
  TRY_VOID(done);
  return out;
}

}  // namespace picket::pipeline
