// All collectors of the agent on its loop: their start, their timers, their account and their coverage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collector.h"
#include "agent/event_loop.h"
#include "agent/status.h"

namespace picket::agent {

/// One thread: the loop's.
class CollectorSet {
 public:
  using Log = std::function<void(std::string_view line)>;

  /// All outlive the set. Records go to `sink`.
  CollectorSet(EventLoop& loop, RecordSink& sink, Log log) : loop_(loop), sink_(sink), log_(std::move(log)) {}
  CollectorSet(const CollectorSet&) = delete;
  CollectorSet& operator=(const CollectorSet&) = delete;

  /// Starts every enabled collector in its best tier and logs which it is, and why not a better one. `settings`
  /// outlives the set or the next stop().
  void start(const CollectorSettings& settings);
  /// Takes what the kernel has buffered, then ends all.
  void stop();

  /// Sends each running collector's account to the sink.
  void send_statistics() const;
  /// [{"Name","Tier","Coverage","Reason"}...]: the coverage of this device, for SystemInformation.
  [[nodiscard]] std::string coverage_json() const;
  /// Happenings lost in the kernel or in collectors since the start.
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] std::vector<CollectorStatus> status() const;

 private:
  struct Running {
    std::unique_ptr<Collector> collector;
    std::uint32_t timer = 0;
    bool enabled = true;
    std::string reason;  ///< Why no better tier, or none; empty when the best one runs.
  };
  void start_one(Running& running);
  void watch(std::size_t index);
  void tick(std::size_t index, Duration delay);

  EventLoop& loop_;
  RecordSink& sink_;
  Log log_;
  std::vector<Running> collectors_;
};

}  // namespace picket::agent
