// All collectors of the agent on its loop: their start, their timers, their account and their coverage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collector.h"
#include "agent/event_loop.h"
#include "agent/statistics_report.h"
#include "agent/status.h"

namespace picket::agent {

/// One thread: the loop's.
class CollectorSet {
 public:
  using Log = std::function<void(std::string_view line)>;

  /// All outlive the set. Records go to `sink`.
  CollectorSet(EventLoop& loop, RecordSink& sink, AgentView& agent, Log log)
      : loop_(loop), sink_(sink), agent_(agent), log_(std::move(log)) {}
  CollectorSet(const CollectorSet&) = delete;
  CollectorSet& operator=(const CollectorSet&) = delete;

  /// Starts every enabled collector in its best tier and logs which it is, and why not a better one. `settings`
  /// outlives the set or the next stop().
  void start(const CollectorSettings& settings);
  /// Takes what the kernel has buffered, then ends all, or those named.
  void stop();
  void stop(std::span<const std::string> names);
  /// After stop(): those named start with the settings of now, if these let them.
  void start_again(std::span<const std::string> names);
  /// Takes what a collector looks at from time to time now, by starting it again. False: none of this name runs.
  bool run_now(std::string_view name);

  /// Of each collector that runs, since the agent started.
  [[nodiscard]] std::vector<CollectorAccount> accounts() const;
  /// [{"Name","Tier","Coverage","Reason"}...]: the coverage of this device, for SystemInformation.
  [[nodiscard]] std::string coverage_json() const;
  /// Happenings lost in the kernel or in collectors since the start.
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] std::vector<CollectorStatus> status() const;

 private:
  struct Running {
    std::unique_ptr<Collector> collector;
    const CollectorSpec* spec = nullptr;
    std::optional<std::uint32_t> timer;
    bool enabled = true;
    Counters former;     ///< Of the sources that ran before this one.
    std::string reason;  ///< Why no better tier, or none; empty when the best one runs.
  };
  void start_one(std::size_t index);
  void stop_one(Running& running);
  [[nodiscard]] static Counters counters(const Running& running);
  void watch(std::size_t index);
  void tick(std::size_t index, Duration delay);

  EventLoop& loop_;
  RecordSink& sink_;
  AgentView& agent_;
  Log log_;
  const CollectorSettings* settings_ = nullptr;
  std::vector<Running> collectors_;
};

}  // namespace picket::agent
