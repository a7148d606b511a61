// What the API needs of threat intelligence beyond what stands in the state.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::api {

struct IndicatorSource {
  std::string feed;
  std::string licence;
  std::uint8_t confidence = 0;  ///< Now, with what age took of it.
  Timestamp from, until;
  std::string threat;
  std::string reference;
};

/// What is known of one address, name, URL or hash.
struct IndicatorLookUp {
  std::string kind;       ///< Of what was asked for; empty: it is nothing that can be listed.
  std::string value;      ///< In normal form.
  std::string indicator;  ///< What lists it; empty: nothing does.
  std::string indicator_kind;
  std::string warning;  ///< The warning list that speaks for it.
  std::vector<IndicatorSource> sources;
};

struct IndicatorSetState {
  std::string version;  ///< Empty: none was made yet.
  Timestamp made;
  std::uint64_t indicators = 0;
  std::uint64_t warnings = 0;
  std::uint64_t file_bytes = 0;
  std::vector<std::pair<std::string, std::uint64_t>> by_kind;
  bool building = false;
};

/// Reads feeds, makes sets, hunts. Any thread; work of length is done by a thread of its own.
class IndicatorDesk {
 public:
  virtual ~IndicatorDesk() = default;
  /// Feeds or own indicators have changed: a new set is made soon.
  virtual void changed() = 0;
  /// Keeps the secret of a feed's source; empty: forgets it. Errors: io.
  virtual Result<> set_secret(std::string_view feed, std::string_view secret) = 0;
  [[nodiscard]] virtual bool has_secret(std::string_view feed) const = 0;
  /// The feed is gone: its file and secret go too.
  virtual void forget(std::string_view feed) = 0;
  /// Reads the feed soon; what comes of it stands in its status. Errors: unavailable (too much is waiting).
  virtual Result<> refresh(std::string_view feed, bool force) = 0;
  /// Content in place of a source, at once. Failure: text for people.
  virtual std::expected<std::uint64_t, std::string> upload(std::string_view feed, std::string_view content,
                                                           bool force) = 0;
  [[nodiscard]] virtual IndicatorLookUp look_up(std::string_view text) const = 0;
  [[nodiscard]] virtual IndicatorSetState set() const = 0;
  /// Looks for everything in force in the stored events of so many days. Returns its id. Errors: unavailable.
  virtual Result<std::string> hunt(std::uint32_t days) = 0;
};

}  // namespace picket::api
