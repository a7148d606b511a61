// What sources of threat intelligence publish, as indicators. Pure functions of bytes; everything that is left out is
// counted under its reason.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "intelligence/indicator.h"

namespace picket::intelligence {

inline constexpr std::size_t kFeedBytesMax = 512U << 20;
inline constexpr std::size_t kReasonsMax = 64;  ///< Different ones in a report.

enum class Format : std::uint8_t {
  automatic,     ///< Told by its beginning.
  plain,         ///< One a line: address, network, endpoint, name, URL, path, hash; hosts files, ipsets, Spamhaus DROP.
  csv,           ///< With a heading that names columns: URLhaus, ThreatFox, Feodo, SSLBL, MalwareBazaar.
  json,          ///< Rows as objects, anywhere in a document or one a line: the same sources.
  stix,          ///< A STIX 2.1 bundle, or an envelope of TAXII.
  misp,          ///< An event of a MISP feed, or several.
  warning_list,  ///< In MISP's form: what indicates nothing.
};
std::string_view to_string(Format format);
bool parse_format(std::string_view text, Format& out);

struct Skip {
  std::string reason;
  std::uint64_t count = 0;
  std::string example;  ///< The first, cut to 120 bytes.
};

struct ParseReport {
  std::uint64_t indicators = 0;
  std::uint64_t skipped = 0;
  std::vector<Skip> reasons;  ///< The first kReasonsMax different ones.

  void skip(std::string_view reason, std::string_view example);
  void add(const ParseReport& other);
};

/// Where a parser puts what it has read. An error of `take` ends the parse.
struct FeedSink {
  std::function<Result<>(Indicator)> take;
  /// An object that has ids stands here anew (its indicators follow) or is revoked: what it said before is void.
  std::function<void(std::string_view source_id)> anew = [](std::string_view) {};
};

/// Errors: malformed "intelligence.…" (the document as a whole cannot be read), limit_exceeded, and those of the sink.
/// Broken entries of a readable document are counted, and the rest is taken.
Result<ParseReport> parse_feed(Format format, std::string_view text, const FeedSink& sink);
/// What `text` looks like; never `automatic`.
Format detect_format(std::string_view text);

// The parts of parse_feed.
Result<ParseReport> parse_plain(std::string_view text, const FeedSink& sink);
Result<ParseReport> parse_csv(std::string_view text, const FeedSink& sink);
Result<ParseReport> parse_json_rows(std::string_view text, const FeedSink& sink);
Result<ParseReport> parse_stix(std::string_view text, const FeedSink& sink);
Result<ParseReport> parse_misp_event(std::string_view text, const FeedSink& sink);

/// An event of a MISP feed, as its manifest.json names it.
struct MispEntry {
  std::string uuid;
  Timestamp changed;
};
/// Errors: malformed, limit_exceeded.
Result<std::vector<MispEntry>> parse_misp_manifest(std::string_view json);
/// hashes.csv: MD5 of each value, and the event that has it. Calls each(md5 in lower-case hex, event uuid) for readable
/// lines; returns how many were not.
std::uint64_t parse_misp_hashes(std::string_view csv,
                                const std::function<void(std::string_view, std::string_view)>& each);

struct WarningList {
  std::string name;
  std::vector<Observable> entries;
  ParseReport report;
};
/// {"name","type":"cidr|hostname|string","list":[…]}; types substring and regex are refused by name. Errors: malformed,
/// unsupported "intelligence.warning_list.type".
Result<WarningList> parse_warning_list(std::string_view json);

/// RFC 3339, "2026-11-22 10:00:00 UTC", a date, or seconds since 1970. nullopt: none of them.
std::optional<Timestamp> parse_feed_time(std::string_view text);

}  // namespace picket::intelligence
