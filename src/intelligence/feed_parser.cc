#include "intelligence/feed_parser.h"

#include <algorithm>
#include <charconv>

#include "base/core/json_reader.h"
#include "feed_row.h"

namespace picket::intelligence {
namespace {

struct FormatName {
  Format format;
  std::string_view name;
};
constexpr FormatName kFormats[] = {{Format::automatic, "auto"},
                                   {Format::plain, "plain"},
                                   {Format::csv, "csv"},
                                   {Format::json, "json"},
                                   {Format::stix, "stix"},
                                   {Format::misp, "misp"},
                                   {Format::warning_list, "warning-list"}};

constexpr std::size_t kExampleBytesMax = 120;

}  // namespace

std::string_view to_string(Format format) {
  const auto found = std::ranges::find(kFormats, format, &FormatName::format);
  return found == std::end(kFormats) ? std::string_view() : found->name;
}

bool parse_format(std::string_view text, Format& out) {
  const auto found = std::ranges::find(kFormats, text, &FormatName::name);
  if (found == std::end(kFormats)) return false;
  out = found->format;
  return true;
}

void ParseReport::skip(std::string_view reason, std::string_view example) {
  ++skipped;
  const auto known = std::ranges::find(reasons, reason, &Skip::reason);
  if (known != reasons.end()) {
    ++known->count;
  } else if (reasons.size() < kReasonsMax) {
    reasons.push_back({std::string(reason), 1, std::string(example.substr(0, kExampleBytesMax))});
  }
}

void ParseReport::add(const ParseReport& other) {
  indicators += other.indicators;
  skipped += other.skipped;
  for (const Skip& skip : other.reasons) {
    const auto known = std::ranges::find(reasons, skip.reason, &Skip::reason);
    if (known != reasons.end()) {
      known->count += skip.count;
    } else if (reasons.size() < kReasonsMax) {
      reasons.push_back(skip);
    }
  }
}

std::optional<Timestamp> parse_feed_time(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with(" UTC")) text.remove_suffix(4);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) {
    constexpr std::int64_t kSecondsMax = 253'402'300'799;
    return seconds > 0 && seconds <= kSecondsMax ? std::optional(Timestamp{seconds * 1'000'000}) : std::nullopt;
  }
  const auto time = parse_rfc3339(text.size() == 10 ? std::string(text) + "T00:00:00Z" : std::string(text));
  return time && time->us > 0 ? std::optional(*time) : std::nullopt;
}

Format detect_format(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return Format::plain;
  if (text[begin] != '{' && text[begin] != '[') return has_csv_heading(text) ? Format::csv : Format::plain;
  const auto json = parse_json(text.substr(begin), kFeedDepthMax);
  if (!json) return Format::json;  // one object a line, or broken: its parser tells
  if (json->find("objects")) return Format::stix;
  if (json->find("Event") || json->find("response")) return Format::misp;
  if (json->find("list") && json->find("name")) return Format::warning_list;
  return Format::json;
}

Result<ParseReport> parse_feed(Format format, std::string_view text, const FeedSink& sink) {
  if (text.size() > kFeedBytesMax) return fail(Errc::limit_exceeded, "intelligence.feed.bytes", kFeedBytesMax);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  switch (format == Format::automatic ? detect_format(text) : format) {
    case Format::csv:
      return parse_csv(text, sink);
    case Format::json:
      return parse_json_rows(text, sink);
    case Format::stix:
      return parse_stix(text, sink);
    case Format::misp:
      return parse_misp_event(text, sink);
    case Format::warning_list:
      return fail(Errc::unsupported, "intelligence.feed.warning_list");
    default:
      return parse_plain(text, sink);
  }
}

}  // namespace picket::intelligence
