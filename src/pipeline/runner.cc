#include "pipeline/runner.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "loop.h"

namespace picket::pipeline {
namespace {

constexpr Duration kTurnWait = Duration::milliseconds(500);
/// Pause after a turn that failed, so that a full disk does not become a busy loop.
constexpr auto kFailurePause = std::chrono::milliseconds(200);

class ThreadRunner final : public Runner {
 public:
  ThreadRunner(std::unique_ptr<Loop> loop, std::function<void(std::string_view)> log)
      : loop_(std::move(loop)), log_(std::move(log)), thread_([this] { run(); }) {}
  ThreadRunner(const ThreadRunner&) = delete;
  ThreadRunner& operator=(const ThreadRunner&) = delete;
  ~ThreadRunner() override {
    stopping_ = true;
    loop_->interrupt();
    thread_.join();
  }
  Stats stats() const override { return loop_->stats(); }
  std::vector<RuleLoad> rule_loads() const override { return loop_->loads(); }

 private:
  void run() {
    Error last{};
    while (!stopping_) {
      const auto done = turn();
      if (!done && !(last == done.error()) && log_) log_("pipeline: " + describe(done.error()));
      last = done ? Error{} : done.error();
      if (!done && !stopping_) std::this_thread::sleep_for(kFailurePause);
    }
    if (const auto saved = loop_->checkpoint(); !saved && log_)
      log_("pipeline: last checkpoint: " + describe(saved.error()));
  }

  /// Libraries that we use may throw; a turn that did so is an error like others.
  Result<> turn() {
    try {
      return loop_->turn(kTurnWait);
    } catch (const std::exception& exception) {
      if (log_) log_(std::string("pipeline: begins again after an exception: ") + exception.what());
      TRY_VOID(loop_->recover());
      return fail(Errc::internal, "pipeline.turn.exception");
    }
  }

  std::unique_ptr<Loop> loop_;
  std::function<void(std::string_view)> log_;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;  // last: everything else is there when it starts
};

}  // namespace

Result<std::unique_ptr<Runner>> start_runner(RunnerOptions options, journal::Journal& messages,
                                             journal::Journal& derived, RowSink& sink, const Clock& clock) {
  auto log = options.log;
  TRY(auto loop, Loop::open(std::move(options), messages, derived, sink, clock));
  return std::make_unique<ThreadRunner>(std::move(loop), std::move(log));
}

}  // namespace picket::pipeline
