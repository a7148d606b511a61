// The pipeline as a component: one thread that turns the messages journal into rows and alert changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/hash.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/journal.h"
#include "pipeline/catalogue.h"
#include "pipeline/indicators.h"
#include "pipeline/row_sink.h"
#include "pipeline/rule_load.h"
#include "pipeline/stats.h"

namespace picket::pipeline {

struct RunnerOptions {
  std::string checkpoint_directory;  ///< DIR/checkpoints
  std::string installation_id;       ///< Goes into AzureSubscriptionId and resource ids.
  /// Secret of the installation, the same at each start: keys the fingerprints of message ids.
  SipKey fingerprint_key;
  Duration checkpoint_interval = Duration::seconds(30);
  std::size_t batch_bytes = 256U << 10;           ///< Journal bytes handled in one turn.
  const Catalogue* catalogue = nullptr;           ///< nullptr: Catalogue::builtin().
  OpenIndicators open_indicators;                 ///< Empty: no indicator matches.
  std::function<void(std::string_view)> log;      ///< One line for each thing an operator should know.
  std::function<void(std::string_view)> on_step;  ///< For tests: called between any two durable effects.
};

/// Name of the consumer that the pipeline registers with the messages journal.
inline constexpr std::string_view kPipelineConsumer = "pipeline";

/// Owns its thread; joined by the destructor after a last checkpoint. Journals, sink and clock outlive it.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Any thread.
  [[nodiscard]] virtual Stats stats() const = 0;
  /// Of every rule and detector in force, at most a second old while records come. Any thread.
  [[nodiscard]] virtual std::vector<RuleLoad> rule_loads() const = 0;
};

/// Restores the state (fast: replay happens in the thread) and starts. Errors: as Loop::open.
Result<std::unique_ptr<Runner>> start_runner(RunnerOptions options, journal::Journal& messages,
                                             journal::Journal& derived, RowSink& sink, const Clock& clock);

}  // namespace picket::pipeline
