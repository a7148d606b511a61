#include "hub/automation.h"

#include <chrono>

#include "base/server/log.h"

namespace picket::hub {

Automation::Automation(state::Database& database, Twins& twins, MethodInvoker& methods, const Clock& clock)
    : configurations_(database, twins, clock), jobs_(database, twins, methods, clock), clock_(clock) {}

Automation::~Automation() { stop(); }

Result<bool> Automation::run_due(Timestamp now) {
  TRY(bool more, jobs_.run(now));
  TRY(const bool reconciled, configurations_.reconcile(kDevicesPerStep));
  more |= reconciled;
  // Metrics are counted when the values they count have settled.
  if (!reconciled) TRY_VOID(configurations_.count_metrics(now));
  return more;
}

void Automation::start() {
  jobs_.on_progress([this] { wake(); });
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

void Automation::stop() {
  if (!thread_.joinable()) return;
  jobs_.on_progress({});
  thread_.request_stop();
  thread_.join();
}

void Automation::wake() {
  {
    const std::scoped_lock lock(mutex_);
    wake_ = true;
  }
  woken_.notify_one();
}

void Automation::run(const std::stop_token& stopping) {
  if (auto recovered = jobs_.recover(); !recovered) log::error("automation", "jobs: {}", describe(recovered.error()));
  int failures = 0;
  while (!stopping.stop_requested()) {
    const auto more = run_due(clock_.now());
    if (!more && failures++ % 60 == 0) log::error("automation", "{}", describe(more.error()));
    if (more) failures = 0;
    if (more && *more) continue;
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stopping, more ? std::chrono::milliseconds(250) : std::chrono::seconds(1),
                    [this] { return wake_; });
    wake_ = false;
  }
}

}  // namespace picket::hub
