// Statistics: what each collector and each stage behind it took, sent and lost in the last cycle.
#include "agent/collector.h"

namespace picket::agent {
namespace {

class Statistics final : public Source {
 public:
  explicit Statistics(const Environment& environment)
      : environment_(environment), due_(environment.clock.monotonic() + environment.every) {}
  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return {.seen = reports_, .delivered = reports_}; }

  Duration on_timer() override {
    const Duration now = environment_.clock.monotonic();
    if (now >= due_) {
      due_ = now + environment_.every;
      ++reports_;
      environment_.agent->send_statistics(environment_.sink);
    }
    return due_ - now;
  }

 private:
  Environment environment_;
  Duration due_;
  std::uint64_t reports_ = 0;
};

Result<std::unique_ptr<Source>> open_counters(const Environment& environment) {
  if (environment.agent == nullptr) return fail(Errc::unsupported, "agent.statistics");
  return std::make_unique<Statistics>(environment);
}

constexpr Tier kTiers[] = {
    {"counters", "seen, aggregated, dropped, of each collector", "nothing", false, open_counters}};

}  // namespace

const CollectorSpec& statistics_collector() {
  static constexpr CollectorSpec spec{"statistics", "what collectors saw and lost", kTiers, Priority::low,
                                      Duration::minutes(5)};
  return spec;
}

}  // namespace picket::agent
