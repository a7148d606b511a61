// The agent's own log lines on their way to the Log collector: bounded in number and rate, and never about themselves.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/file.h"
#include "base/core/time.h"

namespace picket::agent {

enum class LogLevel : std::uint8_t { error, warning, information };
std::string_view to_string(LogLevel level);
/// "error" of "error: …"; lines say it themselves where it is not information.
LogLevel level_of_line(std::string_view line);

/// One thread. Lines that do not fit are counted, and the next one that fits tells how many were left out: writing
/// about a full log would fill it.
class LogLines {
 public:
  static constexpr std::size_t kLinesMax = 64, kLineBytesMax = 512, kWarningsMax = 16;
  static constexpr std::size_t kBurst = 30;  ///< Then one line each kRefill.
  static constexpr Duration kRefill = Duration::seconds(10);
  static constexpr Duration kRepeatAfter = Duration::minutes(10);  ///< The same line again before is left out.

  struct Line {
    Timestamp time;
    LogLevel level = LogLevel::information;
    std::string text;
    std::uint64_t left_out = 0;  ///< Lines before this one.
  };

  LogLines();
  void add(Timestamp time, Duration now, std::string_view line);
  std::optional<Line> take();
  /// Readable while there are lines; -1 where the kernel has no eventfd.
  [[nodiscard]] int fd() const { return ready_.get(); }
  /// The last warnings and errors, oldest first, also those that were left out above.
  [[nodiscard]] std::vector<Line> warnings() const { return {warnings_.begin(), warnings_.end()}; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  UniqueFd ready_;
  std::deque<Line> lines_;
  std::deque<Line> warnings_;
  std::string last_;
  Duration last_at_, refilled_at_;
  std::size_t tokens_ = kBurst;
  std::uint64_t taken_ = 0, left_out_ = 0, untold_ = 0;
};

}  // namespace picket::agent
