// The shape of a detector of the hub's own records: what it sees, what it may find.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control.h"
#include "detector.h"
#include "hub_record.h"
#include "pipeline/catalogue.h"
#include "pipeline/recommendation.h"

namespace picket::pipeline {

using HubFinding = DeviceFinding;

/// What a detector thinks of one recommendation now. The book writes a change only when that is news.
struct Verdict {
  std::string_view type;  ///< Static; must be in content/recommendations.yaml.
  Identity device;        ///< Device empty: the hub itself.
  bool active = false;
  std::string data = "{}";  ///< RecommendationAdditionalData: a JSON object of texts.
};

struct HubFindings {
  std::vector<HubFinding> alerts;
  std::vector<Verdict> verdicts;
  /// Of types that no catalogue names, since devices do: whole but for rule, source and generated. Their detector
  /// remembers their state; it tells changes only.
  std::vector<RecommendationChange> checks;
};

/// A security message as a whole: who sent it, when by its own clock.
struct SeenMessage {
  const Identity& sender;
  Timestamp enqueued;
  std::optional<Timestamp> sent;
  std::size_t bytes = 0;  ///< On the wire.
  Profile profile = Profile::standard;
};

/// Deterministic: sees record time only, and everything it remembers is in its state part.
class HubDetector {
 public:
  virtual ~HubDetector() = default;
  virtual void see(const HubRecord&, HubFindings&) {}
  /// Each security message that is no duplicate.
  virtual void see_message(const SeenMessage&, HubFindings&) {}
  /// Each payload item.
  virtual void see_event(const DetectorEvent&, HubFindings&) {}
  /// An event without a payload item: an empty snapshot.
  virtual void see_empty(const DetectorEvent&, HubFindings&) {}
  /// After the events of a message.
  virtual void message_done(HubFindings&) {}
  virtual void see_group(const Identity& /*device*/, std::string_view /*group*/) {}
  /// A rules_change record.
  virtual void configure(const RulesChange&, Timestamp) {}
  /// An intelligence_change record.
  virtual void see_intelligence(const journal::RecordView&) {}
  /// Once a minute of record time, before the first record of the minute `now`: what follows from time alone, and
  /// forgetting.
  virtual void minute(Timestamp, HubFindings&) {}
  /// nullptr: it remembers nothing.
  virtual StatePart* state() { return nullptr; }
  /// Entries forgotten because a bound was reached.
  [[nodiscard]] virtual std::uint64_t evicted() const { return 0; }

  /// The security group of a device, as records have set it.
  using GroupOf = std::function<std::string(const Identity&)>;
  /// `groups` outlives the detector.
  void use_groups(const GroupOf& groups) { groups_ = &groups; }

 protected:
  [[nodiscard]] std::string group_of(const Identity& device) const { return (*groups_)(device); }

 private:
  const GroupOf* groups_ = nullptr;
};

/// One line of the table. What a detector wants besides hub records costs time for every message of the fleet.
struct HubDetectorEntry {
  std::string_view name;  ///< The rule, as alerts name it.
  std::unique_ptr<HubDetector> (*make)();
  bool messages = false;
  bool events = false;
};

/// All of them, in the order in which they see a record.
std::span<const HubDetectorEntry> all_hub_detectors();

}  // namespace picket::pipeline
