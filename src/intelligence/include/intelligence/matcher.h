// From what a device was seen with to the indicator that lists it. Pure: an index and a time in, an answer out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intelligence/index.h"

namespace picket::intelligence {

struct Match {
  Observable indicator;           ///< As it is listed: a network that the address is in, a domain above the name.
  std::vector<Listing> listings;  ///< In force at that time, the surest first; at least one. Views into the index.
  std::uint8_t confidence = 0;    ///< Of the first, at that time.
};

/// Look-ups at one time. The index outlives it.
class Matcher {
 public:
  Matcher(const Index& index, Timestamp time) : index_(index), time_(time) {}

  /// Port 0: not known. The endpoint, the address, then networks, the smallest first. An address that a warning list
  /// has never matches.
  [[nodiscard]] std::optional<Match> address(const Observable& address, std::uint16_t port = 0) const;
  /// The name, then those above it; `name` in normal form (parse_domain).
  [[nodiscard]] std::optional<Match> domain(std::string_view name) const;
  /// The URL, the URL without its query, its path on any host. Not its host: that is another question.
  [[nodiscard]] std::optional<Match> url(const Observable& url) const;
  /// Anything that is listed as it stands: hashes, fingerprints.
  [[nodiscard]] std::optional<Match> exactly(Kind kind, std::string_view key) const;
  /// Whatever it is; of a URL also its host. For people who ask.
  [[nodiscard]] std::optional<Match> any(const Observable& what) const;

 private:
  const Index& index_;
  Timestamp time_;
};

/// Web addresses in a command line, at most 8: words with "://", and arguments of tools that fetch from a bare
/// host/path.
std::vector<Observable> urls_in(std::string_view command_line);

}  // namespace picket::intelligence
