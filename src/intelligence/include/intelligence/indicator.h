// One entry of a source of threat intelligence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "intelligence/observable.h"

namespace picket::intelligence {

inline constexpr std::uint8_t kConfidenceMax = 100;
inline constexpr std::uint8_t kConfidenceUnsaid = 255;  ///< The feed's own counts.
inline constexpr std::size_t kThreatBytesMax = 256;
inline constexpr std::size_t kReferenceBytesMax = 512;

struct Indicator {
  Observable what;
  Timestamp from;   ///< First seen, or valid from; 0: when the feed was read.
  Timestamp until;  ///< No longer valid then; 0: the feed's life time after `from`.
  std::uint8_t confidence = kConfidenceUnsaid;
  std::string threat;     ///< "Mirai"; may be empty.
  std::string reference;  ///< Where to read more; may be empty.
  std::string source_id;  ///< Of the object that it comes from, where the source has such; a newer one replaces it.

  friend bool operator==(const Indicator&, const Indicator&) = default;
};

/// How the confidence of an indicator falls over its life.
enum class Decay : std::uint8_t {
  none = 0,    ///< Whole until it expires.
  linear = 1,  ///< Evenly to nothing.
  late = 2,    ///< Slowly at first: 1 - (age / life)^3.
};
std::string_view to_string(Decay decay);
bool parse_decay(std::string_view text, Decay& out);

/// What one feed says of an indicator, as the index keeps it: times are whole hours.
struct Listing {
  std::uint16_t feed = 0;  ///< Index of Index::feeds().
  std::uint8_t confidence = 0;
  Decay decay = Decay::none;
  Timestamp from;
  Timestamp until;  ///< 0: does not expire.
  std::string_view threat;
  std::string_view reference;

  /// 0: not valid at that time.
  [[nodiscard]] std::uint8_t confidence_at(Timestamp time) const;
};

}  // namespace picket::intelligence
