// Heartbeat: a counted sign of life, so that silence and gaps are seen on the other side.
#include "sources.h"

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
      due_ = now.monotonic + environment_.settings.heartbeat_every;
      environment_.sink.emit(HeartbeatRecord{now, {"heartbeat", "timer", false}, ++count_});
    }
    return due_ - now.monotonic;
  }

 private:
  Environment environment_;
  Duration due_;
  std::uint64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> open_heartbeat(const Environment& environment) {
  return std::make_unique<Heartbeat>(environment);
}

}  // namespace picket::agent
