// One source of threat intelligence: what an operator says of it, and how far it has been read. Both are JSON in the
// state (docs/threat-intelligence.md).
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "intelligence/feed_parser.h"

namespace picket::intelligence {

/// How a source hands out what it has.
enum class Transport : std::uint8_t {
  document,   ///< One document, or all files of a folder.
  taxii,      ///< A TAXII 2.1 server.
  misp_feed,  ///< A folder or base URL with manifest.json.
};

inline constexpr std::uint32_t kIntervalMinutesMin = 5;
inline constexpr std::uint32_t kIntervalMinutesMax = 60 * 24 * 31;
inline constexpr std::uint32_t kLifeDaysMax = 3'650;

struct FeedSettings {
  std::string name;    ///< 1 to 64 of a-z 0-9 - _ .
  std::string source;  ///< URL, absolute path of a file or folder; empty: content is uploaded.
  Transport transport = Transport::document;
  Format format = Format::automatic;
  std::string collection;              ///< Of TAXII: id, alias or title; empty: all that may be read.
  std::uint32_t interval_minutes = 0;  ///< 0: only on request.
  std::uint8_t confidence = 70;        ///< Of indicators that come without one.
  std::uint32_t life_days = 90;        ///< Of indicators that come without an end; 0: for ever.
  Decay decay = Decay::none;
  std::string licence;
  std::string reference;
  std::string threat;       ///< Of indicators that come without one.
  std::string user;         ///< Basic authentication; the secret is kept apart.
  std::string auth_header;  ///< Name of a header that carries the secret, e.g. Auth-Key; "Authorization": as bearer.
  std::string ca_file;
  bool enabled = true;

  friend bool operator==(const FeedSettings&, const FeedSettings&) = default;
};

/// For people: which member is wrong and why.
struct SettingsFault {
  std::string member;
  std::string text;
};
/// Unknown members are faults.
std::expected<FeedSettings, SettingsFault> parse_feed_settings(std::string_view name, std::string_view json);
std::string to_json(const FeedSettings& settings);

struct FeedStatus {
  Timestamp tried;    ///< 0: never.
  Timestamp changed;  ///< When it last brought something new.
  Timestamp read;     ///< When it was last read without a fault.
  std::string fault;  ///< Of the last try; empty: none.
  std::string etag, last_modified;
  std::map<std::string, std::string> cursors;  ///< By collection: added_after; by event of MISP: when it changed.
  std::uint64_t indicators = 0;
  std::uint64_t kept_out = 0;  ///< By warning lists, in the newest set.
  ParseReport report;          ///< Of the last read.
};
/// What cannot be read becomes a status that knows nothing.
FeedStatus parse_feed_status(std::string_view json);
std::string to_json(const FeedStatus& status);

}  // namespace picket::intelligence
