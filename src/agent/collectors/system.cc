// System information: once at start and on schedule.
#include "sources.h"
#include "system_facts.h"

namespace picket::agent {
namespace {

class System final : public Source {
 public:
  explicit System(const Environment& environment) : environment_(environment) {}
  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return {.seen = count_, .delivered = count_}; }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (count_ == 0 || now.monotonic >= due_) {
      due_ = now.monotonic + environment_.settings.system_every;
      ++count_;
      facts_.read(environment_.settings.procfs, "");
      SystemRecord record = facts_.record();
      record.time = now;
      record.origin = {"system", "snapshot", false};
      environment_.sink.emit(record);
    }
    return due_ - now.monotonic;
  }

 private:
  Environment environment_;
  SystemFacts facts_;
  Duration due_;
  std::uint64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> open_system(const Environment& environment) {
  return std::make_unique<System>(environment);
}

}  // namespace picket::agent
