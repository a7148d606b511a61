// Log: the agent's own log lines as events. It logs nothing itself, and what it cannot take is told by the next line.
#include "agent/collector.h"

#include "agent/log_lines.h"
#include "message/events.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

message::LogLevel level(LogLevel each) {
  return each == LogLevel::error     ? message::LogLevel::Error
         : each == LogLevel::warning ? message::LogLevel::Warning
                                     : message::LogLevel::Information;
}

class Log final : public Source {
 public:
  Log(const Environment& environment, LogLines& lines) : environment_(environment), lines_(lines), fd_(lines.fd()) {}
  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override {
    return {.seen = sent_ + left_out_, .delivered = sent_, .dropped_user = left_out_};
  }

  Duration on_timer() override {
    while (const auto line = lines_.take()) send(*line);
    return Duration::hours(1);
  }

 private:
  void send(const LogLines::Line& line) {
    ++sent_;
    left_out_ += line.left_out;
    const std::string left_out = std::to_string(line.left_out);
    const std::array<message::Detail, 1> extra{{{"LinesLeftOut", left_out}}};
    message::Log item{.message = line.text, .level = level(line.level), .timestamp = line.time, .source = "lines"};
    if (line.left_out > 0) item.extra_details = extra;
    SnapshotEvents<message::Log> event(environment_.sink, {line.time, environment_.clock.monotonic()},
                                       {"log", "lines", false}, environment_.priority);
    if (event.add(item)) event.finish();
  }

  Environment environment_;
  LogLines& lines_;
  int fd_;
  std::uint64_t sent_ = 0, left_out_ = 0;
};

Result<std::unique_ptr<Source>> open_lines(const Environment& environment) {
  if (environment.agent == nullptr) return fail(Errc::unsupported, "agent.log");
  LogLines& lines = environment.agent->log_lines();
  if (lines.fd() < 0) return fail(Errc::unsupported, "agent.log.eventfd");
  return std::make_unique<Log>(environment, lines);
}

constexpr Tier kTiers[] = {
    {"lines", "the agent's own log lines, at most one each 10 s in the long run", "nothing", false, open_lines}};

}  // namespace

const CollectorSpec& log_collector() {
  static constexpr CollectorSpec spec{"log", "the agent's own log", kTiers, Priority::low};
  return spec;
}

}  // namespace picket::agent
