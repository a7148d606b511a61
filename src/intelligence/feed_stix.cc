// Indicators of STIX 2.1 (OASIS, 4.7): of a bundle, or of the envelope that TAXII hands out.
#include <algorithm>

#include "base/core/json_reader.h"
#include "feed_row.h"
#include "intelligence/stix_pattern.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kIdBytesMax = 256;

/// Marking definitions that the specification fixes (7.2.1.4 and the TLP 2.0 extension).
struct Marking {
  std::string_view id, name;
};
constexpr Marking kTlp[] = {
    {"613f2e26-407d-48c7-9eca-b8e91df99dc9", "TLP:CLEAR"}, {"34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN"},
    {"f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER"}, {"5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED"},
    {"94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR"}, {"bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN"},
    {"55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER"}, {"939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT"},
    {"e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED"}};

std::string text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? value->text().value_or(std::string()) : std::string();
}

std::string tlp_of(const Json& object) {
  std::string out;
  if (const auto markings = object.find("object_marking_refs")) {
    markings->for_items([&](const Json& marking) {
      const std::string id = marking.text().value_or(std::string());
      for (const Marking& known : kTlp) {
        if (std::string_view(id).ends_with(known.id)) out = known.name;
      }
    });
  }
  return out;
}

std::string reference_of(const Json& object) {
  std::string out;
  if (const auto references = object.find("external_references")) {
    references->for_items([&](const Json& reference) {
      if (out.empty()) out = text_of(reference, "url");
    });
  }
  return out;
}

/// An optional time; false: it is there and cannot be read.
bool read_time(const Json& object, std::string_view member, Timestamp& out) {
  const std::string text = text_of(object, member);
  if (text.empty()) return true;
  const auto time = parse_rfc3339(text);
  if (!time) return false;
  out = *time;
  return true;
}

Result<> take_indicator_object(const Json& object, const FeedSink& sink, ParseReport& report) {
  Indicator base;
  base.source_id = text_of(object, "id");
  if (base.source_id.empty() || base.source_id.size() > kIdBytesMax) {
    report.skip("an indicator without id", object.raw().substr(0, 80));
    return {};
  }
  sink.anew(base.source_id);
  if (const auto revoked = object.find("revoked"); revoked && revoked->boolean().value_or(false)) {
    report.skip("revoked", base.source_id);
    return {};
  }
  const std::string type = text_of(object, "pattern_type");
  if (!type.empty() && type != "stix") {
    report.skip("pattern_type " + type.substr(0, 40) + " is not supported", base.source_id);
    return {};
  }
  if (!read_time(object, "valid_from", base.from) || !read_time(object, "valid_until", base.until)) {
    report.skip("a time that cannot be read", base.source_id);
    return {};
  }
  if (const auto confidence = object.find("confidence")) {
    const auto value = confidence->integer().value_or(-1);
    if (value >= 0 && value <= kConfidenceMax) base.confidence = static_cast<std::uint8_t>(value);
  }
  base.threat = text_of(object, "name").substr(0, kThreatBytesMax - 24);
  if (const std::string tlp = tlp_of(object); !tlp.empty()) base.threat += (base.threat.empty() ? "" : " ") + tlp;
  base.reference = reference_of(object);
  const auto what = read_pattern(text_of(object, "pattern"));
  if (!what) {
    const PatternFault& fault = what.error();
    report.skip((fault.malformed ? "broken pattern: " : "pattern: ") + fault.text, base.source_id);
    return {};
  }
  for (const Observable& one : *what) {
    Indicator indicator = base;
    indicator.what = one;
    TRY_VOID(take_indicator(std::move(indicator), sink, report));
  }
  return {};
}

}  // namespace

Result<ParseReport> parse_stix(std::string_view text, const FeedSink& sink) {
  const auto json = parse_json(text, kFeedDepthMax);
  if (!json) return std::unexpected(Error{json.error().code, "intelligence.stix", json.error().offset});
  if (json->kind() != Json::Kind::object) return fail(Errc::malformed, "intelligence.stix");
  ParseReport report;
  Result<> done;
  const auto objects = json->find("objects");
  if (!objects) {
    // An envelope without more to tell; also a single object.
    if (text_of(*json, "type") == "indicator") done = take_indicator_object(*json, sink, report);
    TRY_VOID(done);
    return report;
  }
  if (objects->kind() != Json::Kind::array) return fail(Errc::malformed, "intelligence.stix.objects");
  objects->for_items([&](const Json& object) {
    if (!done || text_of(object, "type") != "indicator") return;
    done = take_indicator_object(object, sink, report);
  });
  TRY_VOID(done);
  return report;
}

}  // namespace picket::intelligence
