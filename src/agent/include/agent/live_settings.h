// The settings in force: the local ones, changed by the module twin while the agent runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/aggregate.h"
#include "agent/collector_set.h"
#include "agent/outbox.h"
#include "agent/spool.h"
#include "agent/twin_client.h"
#include "agent/twin_settings.h"

namespace picket::agent {

/// A changed desired section: everything counted is reported and given to the spool, the new values hold, the
/// collectors whose settings changed start again, the reported section says what came of it, and each property that is
/// refused is a ConfigurationError event. What was accepted is kept in data_dir, so a start without a hub has it. One
/// thread: the loop's.
class LiveSettings {
 public:
  static constexpr std::string_view kFileName = "/twin-settings.json";
  using Log = std::function<void(std::string_view line)>;
  /// What settings reach. All outlive this.
  struct Parts {
    Aggregator& aggregator;
    Outbox& outbox;
    Spool& spool;
    CollectorSet& collectors;
    std::function<void()> changed;  ///< Timers that follow settings.
  };

  /// `local` outlives this. With `follow_twin`, what was accepted before is read from data_dir.
  LiveSettings(const Config& local, bool follow_twin, Log log);

  /// The same object for ever; its values change.
  [[nodiscard]] const Config& config() const { return twin_settings_.config; }
  [[nodiscard]] TwinClient& twin() { return twin_; }
  /// Must be called before the twin comes.
  void attach(Parts parts);
  /// Says again what the collectors are in, after they have started or changed.
  void report();
  [[nodiscard]] TwinStatus status() const;

 private:
  void on_desired(std::string_view desired);
  void change_to(TwinSettings next);
  void save(const std::string& good);
  void complain();

  const Config& local_;
  Log log_;
  std::optional<Parts> parts_;
  TwinSettings twin_settings_;
  TwinClient twin_;
  std::uint64_t seen_ = 0;        ///< Hash of the desired section that came last.
  std::uint64_t complained_ = 0;  ///< Hash of the problems that were told last.
  std::uint64_t changes_ = 0;
};

/// Two collectors' records have tables of their own; these take priority and cache as all others do.
AggregateOptions aggregate_options(const Config& config);

}  // namespace picket::agent
