// Heartbeat: a counted sign of life, so that silence and gaps are seen on the other side.
#include "agent/collector.h"

namespace picket::agent {
namespace {

class Heartbeat final : public Source {
 public:
  explicit Heartbeat(const Environment& environment) : environment_(environment) {}
  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return {.seen = count_, .delivered = count_}; }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (count_ == 0 || now.monotonic >= due_) {
      due_ = now.monotonic + environment_.every;
      environment_.sink.emit(HeartbeatRecord{now, {"heartbeat", "timer", false}, ++count_});
    }
    return due_ - now.monotonic;
  }

 private:
  Environment environment_;
  Duration due_;
  std::uint64_t count_ = 0;
};

Result<std::unique_ptr<Source>> open_timer(const Environment& environment) {
  return std::make_unique<Heartbeat>(environment);
}

constexpr Tier kTiers[] = {{"timer", "a counted sign of life", "nothing", false, open_timer}};

}  // namespace

const CollectorSpec& heartbeat_collector() {
  static constexpr CollectorSpec spec{"heartbeat", "a sign of life", kTiers, Priority::low, Duration::minutes(1)};
  return spec;
}

}  // namespace picket::agent
