// What a MISP feed publishes: events with attributes, the manifest that names them, the hashes of their values.
#include <algorithm>

#include "base/core/json_reader.h"
#include "feed_row.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kEventsMax = 200'000;
constexpr std::size_t kUuidBytes = 36;

enum class Part : std::uint8_t { whole, first, second, both, endpoint };

struct AttributeType {
  std::string_view name;
  Part part;
  Kind kind;  ///< ipv4 stands for any address, network4 for any network.
};
/// Of compound types ("filename|sha256") the part that says something.
constexpr AttributeType kTypes[] = {{"ip-dst", Part::whole, Kind::ipv4},
                                    {"ip-src", Part::whole, Kind::ipv4},
                                    {"ip-dst|port", Part::endpoint, Kind::endpoint4},
                                    {"ip-src|port", Part::endpoint, Kind::endpoint4},
                                    {"domain", Part::whole, Kind::domain},
                                    {"hostname", Part::whole, Kind::domain},
                                    {"hostname|port", Part::first, Kind::domain},
                                    {"domain|ip", Part::both, Kind::domain},
                                    {"url", Part::whole, Kind::url},
                                    {"uri", Part::whole, Kind::url_path},
                                    {"md5", Part::whole, Kind::md5},
                                    {"sha1", Part::whole, Kind::sha1},
                                    {"sha256", Part::whole, Kind::sha256},
                                    {"filename|md5", Part::second, Kind::md5},
                                    {"filename|sha1", Part::second, Kind::sha1},
                                    {"filename|sha256", Part::second, Kind::sha256},
                                    {"malware-sample", Part::second, Kind::md5},
                                    {"x509-fingerprint-sha1", Part::whole, Kind::certificate1},
                                    {"x509-fingerprint-sha256", Part::whole, Kind::certificate256},
                                    {"ja3-fingerprint-md5", Part::whole, Kind::ja3},
                                    {"ja4-plus", Part::whole, Kind::ja4}};

std::string text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  if (!value) return {};
  if (value->kind() == Json::Kind::number) return std::string(value->raw());
  return value->text().value_or(std::string());
}

bool is_true(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  if (!value) return false;
  return value->boolean().value_or(value->raw() == "1" || value->text() == "1");
}

std::optional<Observable> read(Kind kind, std::string_view text) {
  if (kind != Kind::ipv4) return parse_as(kind, text);
  auto address = parse_address(text);
  return address ? address : parse_network(text);
}

std::vector<Observable> observables_of(const AttributeType& type, std::string_view value) {
  std::vector<Observable> out;
  const auto add = [&](std::optional<Observable> what) {
    if (what) out.push_back(*std::move(what));
  };
  const auto bar = value.rfind('|');
  const auto first = value.substr(0, bar);
  const auto second = bar == std::string_view::npos ? std::string_view() : value.substr(bar + 1);
  switch (type.part) {
    case Part::whole:
      add(read(type.kind, value));
      break;
    case Part::first:
      add(read(type.kind, first));
      break;
    case Part::second:
      add(read(type.kind, second));
      break;
    case Part::both:
      add(read(type.kind, first));
      add(read(Kind::ipv4, second));
      break;
    case Part::endpoint: {
      const bool ipv6 = first.find(':') != std::string_view::npos;
      add(parse_endpoint((ipv6 ? '[' + std::string(first) + ']' : std::string(first)) + ':' + std::string(second)));
      break;
    }
  }
  return out;
}

class Event {
 public:
  Event(const Json& event, const FeedSink& sink, ParseReport& report)
      : event_(event), uuid_(text_of(event, "uuid")), info_(text_of(event, "info")), sink_(sink), report_(report) {}

  Result<> take() {
    if (!uuid_.empty()) sink_.anew(uuid_);
    attributes_of(event_);
    if (const auto objects = event_.find("Object")) {
      objects->for_items([&](const Json& object) {
        if (!is_true(object, "deleted")) attributes_of(object);
      });
    }
    return done_;
  }

 private:
  void attributes_of(const Json& of) {
    if (const auto attributes = of.find("Attribute")) {
      attributes->for_items([&](const Json& attribute) {
        if (done_) done_ = attribute_of(attribute);
      });
    }
  }

  Result<> attribute_of(const Json& attribute) {
    const std::string value = text_of(attribute, "value");
    if (!is_true(attribute, "to_ids") || is_true(attribute, "deleted")) {
      report_.skip("not meant for detection (to_ids)", value);
      return {};
    }
    const std::string name = text_of(attribute, "type");
    const auto type = std::ranges::find(kTypes, name, &AttributeType::name);
    if (type == std::end(kTypes)) {
      report_.skip("attribute type " + name.substr(0, 40) + " is not supported", value);
      return {};
    }
    const auto all = observables_of(*type, refang(trimmed(value)));
    if (all.empty()) report_.skip("not a readable value of type " + name, value);
    for (const Observable& one : all) {
      Indicator out{.what = one, .threat = info_, .source_id = uuid_};
      for (const std::string_view member : {"first_seen", "timestamp"}) {
        const auto from = parse_feed_time(text_of(attribute, member));
        if (from && out.from.us == 0) out.from = *from;
      }
      TRY_VOID(take_indicator(std::move(out), sink_, report_));
    }
    return {};
  }

  const Json& event_;
  std::string uuid_, info_;
  const FeedSink& sink_;
  ParseReport& report_;
  Result<> done_;
};

}  // namespace

Result<ParseReport> parse_misp_event(std::string_view text, const FeedSink& sink) {
  const auto json = parse_json(text, kFeedDepthMax);
  if (!json) return std::unexpected(Error{json.error().code, "intelligence.misp", json.error().offset});
  ParseReport report;
  Result<> done;
  bool found = false;
  const auto one = [&](const Json& value) {
    const auto event = value.find("Event");
    if (!event || !done) return;
    found = true;
    done = Event(*event, sink, report).take();
  };
  one(*json);
  json->for_items(one);
  if (const auto response = json->find("response")) response->for_items(one);  // an answer of its REST API
  TRY_VOID(done);
  if (!found) return fail(Errc::malformed, "intelligence.misp.event");
  return report;
}

Result<std::vector<MispEntry>> parse_misp_manifest(std::string_view text) {
  const auto json = parse_json(text, kFeedDepthMax);
  if (!json || json->kind() != Json::Kind::object) return fail(Errc::malformed, "intelligence.misp.manifest");
  std::vector<MispEntry> out;
  json->for_members([&](std::string_view uuid, const Json& entry) {
    // The name becomes a part of a URL or path.
    const bool good = uuid.size() == kUuidBytes && std::ranges::all_of(uuid, [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
                      });
    if (!good || out.size() > kEventsMax) return;
    out.push_back({std::string(uuid), parse_feed_time(text_of(entry, "timestamp")).value_or(Timestamp{})});
  });
  if (out.size() > kEventsMax) return fail(Errc::limit_exceeded, "intelligence.misp.manifest", kEventsMax);
  return out;
}

std::uint64_t parse_misp_hashes(std::string_view csv,
                                const std::function<void(std::string_view, std::string_view)>& each) {
  std::uint64_t bad = 0;
  while (!csv.empty()) {
    const auto end = csv.find('\n');
    const auto line = trimmed(csv.substr(0, end));
    csv = end == std::string_view::npos ? std::string_view() : csv.substr(end + 1);
    if (line.empty()) continue;
    const auto comma = line.find(',');
    const bool good = comma == 32 && line.size() == 33 + kUuidBytes &&
                      std::ranges::all_of(line.substr(0, 32),
                                          [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    good ? each(line.substr(0, 32), line.substr(33)) : static_cast<void>(++bad);
  }
  return bad;
}

}  // namespace picket::intelligence
