#include "intelligence/sighting_finding.h"

#include <algorithm>

#include "behavior/event_words.h"
#include "behavior/process_rule.h"
#include "intelligence/matcher.h"
#include "state_part.h"

namespace picket::pipeline {
namespace {

using message::Field;

/// So sure a source makes an alert High in the default profile.
constexpr std::uint8_t kSure = 90;

struct KindName {
  SightingKind kind;
  std::string_view name;
  std::string_view alert_type;
  std::string_view reason;
};
constexpr KindName kKinds[] = {
    {SightingKind::connection, "connection", "IoT_TiConnection", "the device connected to what is listed"},
    {SightingKind::inbound, "inbound", "IoT_TiConnection", "what is listed connected to the device"},
    {SightingKind::login, "login", "IoT_TiConnection", "a login came from what is listed"},
    {SightingKind::name, "name", "IoT_MaliciousNameQueriesDetection", "the device looked up what is listed"},
    {SightingKind::url, "url", "IoT_PossibleMalware", "a command names what is listed"},
    {SightingKind::file, "file", "IoT_MaliciousFile", "the device ran or wrote a file that is listed"},
};
const KindName& entry_of(SightingKind kind) { return *std::ranges::find(kKinds, kind, &KindName::kind); }

/// One alert an indicator; connections from outside share one, since a port that is open to the world gets many.
std::string group_of(const IndicatorSighting& sighting) {
  if (sighting.kind == SightingKind::inbound) return "inbound";
  return state_key(to_string(sighting.kind), sighting.indicator_kind, sighting.indicator);
}

void describe(const IndicatorSighting& sighting, Finding& finding) {
  const auto add = [&](std::string_view name, std::string value) {
    if (!value.empty()) finding.properties.emplace_back(name, std::move(value));
  };
  std::erase_if(finding.properties, [](const auto& one) { return one.second.empty() || one.first == "Reason"; });
  add("Reason", std::string(entry_of(sighting.kind).reason));
  add("Observed", sighting.observed);
  add("Indicator", sighting.indicator);
  add("Indicator Type", sighting.indicator_kind);
  add("Feed", sighting.feeds);
  add("Feed Licence", sighting.licence);
  add("Confidence", std::to_string(sighting.confidence));
  add("Threat", sighting.threat);
  add("Reference", sighting.reference);
  if (sighting.listed.us > 0) add("Listed Since", format_rfc3339(sighting.listed));
  if (sighting.expires.us > 0) add("Expires", format_rfc3339(sighting.expires));
  if (sighting.confidence >= kSure) finding.severity = "High";
  const bool host = sighting.kind == SightingKind::connection || sighting.kind == SightingKind::inbound ||
                    sighting.kind == SightingKind::login;
  if (host) {
    const auto endpoint = intelligence::parse_endpoint(sighting.observed);
    const std::string_view text = sighting.observed;
    const std::string address(endpoint ? text.substr(0, text.rfind(':')) : text);
    if (const auto plain = intelligence::parse_address(address)) {
      finding.entities.push_back({"ip", {{"Address", intelligence::to_text(*plain)}}});
    }
  } else if (sighting.kind == SightingKind::name) {
    finding.entities.push_back({"dns", {{"DomainName", sighting.observed.substr(0, sighting.observed.find(' '))}}});
  } else if (sighting.kind == SightingKind::url) {
    finding.entities.push_back({"url", {{"Url", sighting.observed}}});
  } else if (sighting.kind == SightingKind::file) {
    finding.entities.push_back({"filehash", {{"Algorithm", sighting.indicator_kind}, {"Value", sighting.indicator}}});
  }
}

}  // namespace

std::string_view to_string(SightingKind kind) { return entry_of(kind).name; }
std::string_view alert_type_of(SightingKind kind) { return entry_of(kind).alert_type; }

IndicatorSighting sighting_of(SightingKind kind, std::string_view observed, const intelligence::Match& match,
                              const intelligence::Index& index) {
  IndicatorSighting out{.kind = kind,
                        .observed = std::string(observed),
                        .indicator = intelligence::to_text(match.indicator),
                        .indicator_kind = std::string(intelligence::to_string(match.indicator.kind)),
                        .confidence = match.confidence};
  for (const intelligence::Listing& listing : match.listings) {
    const intelligence::FeedLabel& feed = index.feeds()[listing.feed];
    if (out.feeds.empty()) {
      out.licence = feed.licence;
      out.listed = listing.from;
      out.expires = listing.until;
    }
    if (out.threat.empty()) out.threat = listing.threat;
    if (out.reference.empty()) out.reference = listing.reference.empty() ? feed.reference : listing.reference;
    if ((", " + out.feeds + ",").find(", " + feed.name + ",") == std::string::npos) {
      out.feeds += (out.feeds.empty() ? "" : ", ") + feed.name;
    }
  }
  return out;
}

Finding finding_of(const IndicatorSighting& sighting, const DetectorEvent& event) {
  const std::string_view type = alert_type_of(sighting.kind);
  Finding out = process_finding(type, event, group_of(sighting), "");
  if (event.integer(Field::ProcessId, 0) <= 0) out.entities.clear();
  if (event.event.kind == message::EventKind::FileSystem) {
    out.properties.emplace_back("Path", std::string(event.text(Field::Path)));
  }
  describe(sighting, out);
  return out;
}

Finding finding_of(const RetroHit& hit, const RetroHunt& hunt) {
  Finding out;
  out.alert_type = alert_type_of(hit.sighting.kind);
  out.group_key = group_of(hit.sighting);
  out.start = hit.first;
  out.end = hit.last;
  out.count = hit.count;
  out.evidence_count = hit.count;
  if (hit.evidence) out.evidence.push_back(*hit.evidence);
  describe(hit.sighting, out);
  out.properties.emplace_back("Found By", "retro-hunt over the stored events of " + std::to_string(hunt.days) +
                                              " days: it was listed only after this happened");
  return out;
}

}  // namespace picket::pipeline
