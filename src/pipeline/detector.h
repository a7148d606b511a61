// The shape of a detector: it sees events in the order of the journal and tells what it found.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/json_reader.h"
#include "base/core/time.h"
#include "journal/record.h"
#include "message/decoder.h"
#include "pipeline/alert.h"
#include "pipeline/indicators.h"
#include "pipeline/rule_load.h"
#include "state_part.h"
#include "workspace/rows.h"

namespace picket::pipeline {

class ProcessGroups;
class ProcessTree;
struct AlertInfo;
struct RulesChange;

/// One payload item, enriched. Views live for the call.
struct DetectorEvent {
  const message::Event& event;
  const message::Item& item;
  const Identity& device;  ///< Who sent it.
  std::string_view group;  ///< Its security group.
  /// Hardware model, firmware and system of the device as it told them itself; its group where it has not. Devices of
  /// one model should behave alike, and start anew with another firmware.
  std::string_view model;
  const ProcessTree& processes;  ///< What ran on the devices before this event.
  ProcessGroups& groups;         ///< Which processes belong to one alert, over all detectors.
  workspace::RowId row;
  Timestamp time;       ///< TimeGenerated.
  Timestamp enqueued;   ///< The only clock a detector may use.
  Duration correction;  ///< Added to the device's times; for StartTimeUtc and EndTimeUtc.

  [[nodiscard]] const message::Value* value(message::Field field) const;
  /// Empty when absent or no text.
  [[nodiscard]] std::string_view text(message::Field field) const;
  /// `absent` when there is no such number.
  [[nodiscard]] std::int64_t integer(message::Field field, std::int64_t absent) const;
  /// A time of the device, corrected and clamped as `time` is; `absent` when there is none.
  [[nodiscard]] Timestamp timestamp(message::Field field, Timestamp absent) const;
  /// The whole item, for keys that are no column. nullopt: not readable.
  [[nodiscard]] std::optional<Json> details() const;
  [[nodiscard]] EvidenceRow evidence() const;
};

/// Something to raise. The raise stage makes it a new alert, or a change of the one with the same type, device and
/// group key.
struct Finding {
  std::string_view alert_type;  ///< Static; must be in content/alerts/, unless `info` says what it is.
  std::string group_key;
  Timestamp start;
  Timestamp end;
  std::uint64_t count = 1;
  std::vector<EvidenceRow> evidence;  ///< New ones only.
  std::uint64_t evidence_count = 1;   ///< May be more than are listed.
  NamedTexts properties;              ///< Replace those of the same name.
  std::vector<Entity> entities;       ///< Added unless there.
  /// Static; empty: the catalogue's. Taken in the default profile only, and never lowers what an alert has.
  std::string_view severity;
  std::string rule;                 ///< Empty: the detector's name.
  const AlertInfo* info = nullptr;  ///< nullptr: the catalogue's. Lives for the call; `alert_type` is its type then.
  /// ATT&CK ids, static; empty: all of the alert's.
  std::vector<std::string_view> techniques = {};
  /// Of what a detector found on another device than the event's; of the same hub.
  std::optional<Identity> device = {};
};

/// A finding that no event of its device gave cause for.
struct DeviceFinding {
  Identity device;  ///< Device empty: the hub itself.
  Finding finding;
};

/// Deterministic: sees record time only, and everything it remembers is in its state part.
class Detector {
 public:
  virtual ~Detector() = default;
  virtual void see(const DetectorEvent& event, std::vector<Finding>& findings) = 0;
  /// Once a minute of record time: what follows from time alone, then forget what is too old.
  virtual void minute(Timestamp, std::vector<DeviceFinding>&) {}
  virtual void forget(Timestamp) {}
  /// A rules_change record, or an audit record that changes rules.
  virtual void configure(const RulesChange&) {}
  /// Once, before the first event: how sets of indicators are opened.
  virtual void use_indicators(const OpenIndicators&) {}
  /// An intelligence_change record.
  virtual void see_intelligence(const journal::RecordView&, std::vector<DeviceFinding>&) {}
  /// nullptr: it remembers nothing.
  virtual StatePart* state() { return nullptr; }
  /// Entries forgotten because a bound was reached.
  [[nodiscard]] virtual std::uint64_t evicted() const { return 0; }
  /// Of a detector that runs rules: each of them.
  virtual void add_loads(std::vector<RuleLoad>&) const {}
};

/// One line of the table: a detector is made once and given the events of its kinds.
struct DetectorEntry {
  std::string_view name;    ///< The rule, as alerts name it.
  std::string_view raises;  ///< AlertTypes, for lists of rules; empty: it runs rules that are listed themselves.
  std::string_view title;   ///< What it watches for, likewise.
  std::span<const message::EventKind> kinds;
  std::unique_ptr<Detector> (*make)();
};

/// Names of detectors that are listed and switched like rules begin with this.
inline constexpr std::string_view kDetectorPrefix = "behavior.";

/// All detectors, in the order in which they see an event.
std::span<const DetectorEntry> all_detectors();

}  // namespace picket::pipeline
