#include "intelligence/feed.h"

#include <algorithm>

#include "base/core/json_reader.h"
#include "base/core/json_writer.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kTextBytesMax = 2'048;
constexpr std::size_t kStatusCursorsMax = 200'000;

struct TransportName {
  Transport transport;
  std::string_view name;
};
constexpr TransportName kTransports[] = {
    {Transport::document, "document"}, {Transport::taxii, "taxii"}, {Transport::misp_feed, "misp-feed"}};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_printable(std::string_view text) {
  return text.size() <= kTextBytesMax &&
         std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; });
}

/// Reads members one by one and remembers the first that is wrong.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  void text(std::string_view name, std::string& out) {
    const auto value = take(name);
    if (!value) return;
    const auto read = value->text();
    if (!read || !is_printable(*read)) return wrong(name, "must be a line of text of at most 2048 bytes");
    out = *read;
  }
  template <class T>
  void number(std::string_view name, std::int64_t min, std::int64_t max, T& out) {
    const auto value = take(name);
    if (!value) return;
    const auto read = value->integer();
    if (!read || *read < min || *read > max) {
      return wrong(name, "must be a number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    out = static_cast<T>(*read);
  }
  void boolean(std::string_view name, bool& out) {
    const auto value = take(name);
    if (!value) return;
    const auto read = value->boolean();
    read ? static_cast<void>(out = *read) : wrong(name, "must be true or false");
  }
  void wrong(std::string_view name, std::string text) {
    if (!fault) fault = SettingsFault{std::string(name), std::move(text)};
  }
  void refuse_others() {
    object_.for_members([&](std::string_view name, const Json&) {
      if (std::ranges::find(known_, name) == known_.end()) wrong(name, "there is no such setting");
    });
  }
  std::optional<SettingsFault> fault;

 private:
  std::optional<Json> take(std::string_view name) {
    known_.push_back(name);
    auto value = object_.find(name);
    if (value && value->kind() == Json::Kind::null) return std::nullopt;
    return value;
  }
  const Json& object_;
  std::vector<std::string_view> known_;
};

bool is_source(std::string_view source) {
  return source.empty() || source.starts_with("https://") || source.starts_with("http://") ||
         source.starts_with("file:///") || source.starts_with('/');
}

}  // namespace

std::expected<FeedSettings, SettingsFault> parse_feed_settings(std::string_view name, std::string_view text) {
  if (!is_name(name)) return std::unexpected(SettingsFault{"name", "must be 1 to 64 of a-z, 0-9, '-', '_', '.'"});
  const auto json = parse_json(text);
  if (!json || json->kind() != Json::Kind::object) {
    return std::unexpected(SettingsFault{"settings", "must be a JSON object"});
  }
  FeedSettings out{.name = std::string(name)};
  Members in(*json);
  std::string transport = "document";
  std::string format = "auto";
  std::string decay = "none";
  in.text("source", out.source);
  in.text("transport", transport);
  in.text("format", format);
  in.text("collection", out.collection);
  in.number("intervalMinutes", 0, kIntervalMinutesMax, out.interval_minutes);
  in.number("confidence", 1, kConfidenceMax, out.confidence);
  in.number("lifeDays", 0, kLifeDaysMax, out.life_days);
  in.text("decay", decay);
  in.text("licence", out.licence);
  in.text("reference", out.reference);
  in.text("threat", out.threat);
  in.text("user", out.user);
  in.text("authHeader", out.auth_header);
  in.text("caFile", out.ca_file);
  in.boolean("enabled", out.enabled);
  in.refuse_others();
  const auto how = std::ranges::find(kTransports, transport, &TransportName::name);
  if (how == std::end(kTransports)) {
    in.wrong("transport", "must be document, taxii or misp-feed");
  } else {
    out.transport = how->transport;
  }
  if (!parse_format(format, out.format)) {
    in.wrong("format", "must be auto, plain, csv, json, stix, misp or warning-list");
  }
  if (!parse_decay(decay, out.decay)) in.wrong("decay", "must be none, linear or late");
  if (out.decay != Decay::none && out.life_days == 0) in.wrong("decay", "needs a life time (lifeDays)");
  if (!is_source(out.source)) in.wrong("source", "must be an http(s) URL or an absolute path");
  if (out.source.empty() && out.transport != Transport::document) in.wrong("source", "is needed");
  if (out.interval_minutes != 0 && out.interval_minutes < kIntervalMinutesMin) {
    in.wrong("intervalMinutes", "must be 0 or at least 5");
  }
  if (out.auth_header.find_first_of(": ") != std::string::npos) in.wrong("authHeader", "is not a header's name");
  if (in.fault) return std::unexpected(*in.fault);
  return out;
}

std::string to_json(const FeedSettings& settings) {
  const auto how = std::ranges::find(kTransports, settings.transport, &TransportName::transport);
  JsonWriter out;
  out.begin_object().key("source").value(settings.source).key("transport").value(how->name);
  out.key("format").value(to_string(settings.format)).key("collection").value(settings.collection);
  out.key("intervalMinutes").value(std::uint64_t{settings.interval_minutes});
  out.key("confidence").value(std::uint64_t{settings.confidence});
  out.key("lifeDays").value(std::uint64_t{settings.life_days}).key("decay").value(to_string(settings.decay));
  out.key("licence").value(settings.licence).key("reference").value(settings.reference);
  out.key("threat").value(settings.threat).key("user").value(settings.user);
  out.key("authHeader").value(settings.auth_header).key("caFile").value(settings.ca_file);
  return out.key("enabled").value(settings.enabled).end_object().take();
}

FeedStatus parse_feed_status(std::string_view text) {
  FeedStatus out;
  const auto json = parse_json(text);
  if (!json) return out;
  const auto text_of = [](const Json& object, std::string_view name) {
    const auto value = object.find(name);
    return value ? value->text().value_or(std::string()) : std::string();
  };
  const auto count_of = [](const Json& object, std::string_view name) {
    const auto value = object.find(name);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value ? value->integer().value_or(0) : 0));
  };
  const auto time_of = [&](std::string_view name) { return parse_rfc3339(text_of(*json, name)).value_or(Timestamp{}); };
  out.tried = time_of("tried");
  out.changed = time_of("changed");
  out.read = time_of("read");
  out.fault = text_of(*json, "fault");
  out.etag = text_of(*json, "etag");
  out.last_modified = text_of(*json, "lastModified");
  if (const auto cursors = json->find("cursors")) {
    cursors->for_members([&](std::string_view name, const Json& value) {
      if (out.cursors.size() < kStatusCursorsMax) out.cursors[std::string(name)] = value.text().value_or("");
    });
  }
  out.indicators = count_of(*json, "indicators");
  out.kept_out = count_of(*json, "keptOut");
  out.report.indicators = count_of(*json, "readIndicators");
  out.report.skipped = count_of(*json, "skipped");
  if (const auto reasons = json->find("reasons")) {
    reasons->for_items([&](const Json& item) {
      if (out.report.reasons.size() >= kReasonsMax) return;
      out.report.reasons.push_back({text_of(item, "reason"), count_of(item, "count"), text_of(item, "example")});
    });
  }
  return out;
}

std::string to_json(const FeedStatus& status) {
  JsonWriter out;
  out.begin_object();
  for (const auto& [name, time] :
       {std::pair("tried", status.tried), std::pair("changed", status.changed), std::pair("read", status.read)}) {
    if (time.us != 0) out.key(name).value(time);
  }
  out.key("fault").value(status.fault).key("etag").value(status.etag);
  out.key("lastModified").value(status.last_modified).key("cursors").begin_object();
  for (const auto& [name, value] : status.cursors) out.key(name).value(value);
  out.end_object().key("indicators").value(status.indicators).key("keptOut").value(status.kept_out);
  out.key("readIndicators").value(status.report.indicators).key("skipped").value(status.report.skipped);
  out.key("reasons").begin_array();
  for (const Skip& skip : status.report.reasons) {
    out.begin_object().key("reason").value(skip.reason).key("count").value(skip.count);
    out.key("example").value(skip.example).end_object();
  }
  return out.end_array().end_object().take();
}

}  // namespace picket::intelligence
