#include "agent/log_lines.h"

#include <algorithm>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace picket::agent {

std::string_view to_string(LogLevel level) {
  constexpr std::string_view names[] = {"error", "warning", "information"};
  return names[static_cast<std::size_t>(level)];
}

LogLevel level_of_line(std::string_view line) {
  if (line.starts_with("error: ")) return LogLevel::error;
  for (const std::string_view sign : {"warning: ", "not connected: "}) {
    if (line.starts_with(sign)) return LogLevel::warning;
  }
  for (const std::string_view sign : {"not running", "not in force", "cannot", "damaged", "not used"}) {
    if (line.contains(sign)) return LogLevel::warning;
  }
  return LogLevel::information;
}

LogLines::LogLines() : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void LogLines::add(Timestamp time, Duration now, std::string_view line) {
  line = line.substr(0, kLineBytesMax);
  const LogLevel level = level_of_line(line);
  if (level != LogLevel::information) {
    warnings_.push_back({time, level, std::string(line)});
    if (warnings_.size() > kWarningsMax) warnings_.pop_front();
  }
  const auto refills = static_cast<std::size_t>(std::max<std::int64_t>(0, (now - refilled_at_).us / kRefill.us));
  if (refills > 0) {
    tokens_ = std::min(kBurst, tokens_ + std::min(refills, kBurst));
    refilled_at_ = now;
  }
  const bool repeated = line == last_ && now - last_at_ < kRepeatAfter;
  if (repeated || tokens_ == 0 || lines_.size() == kLinesMax) {
    ++left_out_;
    ++untold_;
    return;
  }
  --tokens_;
  last_ = line;
  last_at_ = now;
  lines_.push_back({time, level, std::string(line), std::exchange(untold_, 0)});
  const std::uint64_t one = 1;
  if (lines_.size() == 1 && ready_.valid()) (void)!::write(ready_.get(), &one, sizeof one);
}

std::optional<LogLines::Line> LogLines::take() {
  if (lines_.empty()) return std::nullopt;
  Line out = std::move(lines_.front());
  lines_.pop_front();
  ++taken_;
  std::uint64_t count = 0;
  if (lines_.empty() && ready_.valid()) (void)!::read(ready_.get(), &count, sizeof count);
  return out;
}

}  // namespace picket::agent
