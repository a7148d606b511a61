// Events of devices as Sigma rules see them: log sources, and fields under the rules' own names (docs/sigma.md).
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "detector.h"
#include "message/event_table.h"
#include "sigma/matcher.h"

namespace picket::pipeline {

/// One event can be seen in several ways: a start of a process is process_creation, and the EXECVE and SYSCALL records
/// of auditd. Rules for auditd expect one record to be one event, so each is a view of its own.
class EventViews {
 public:
  /// Both outlive it.
  EventViews(const sigma::RuleSet& rules, sigma::Matcher& matcher);

  using Each = std::function<void(sigma::RouteId route, std::span<const sigma::EventField> fields)>;
  /// Calls `each` for every view of the event. Fields live for the call.
  void see(const DetectorEvent& event, const Each& each);

  /// The log sources of a kind of event, for documentation and tests.
  static std::vector<sigma::LogSource> sources(message::EventKind kind);

 private:
  /// How a promoted value is called: by its key, and as Sigma has it.
  struct Names {
    sigma::FieldId own = sigma::kUnnamedField;
    sigma::FieldId sigma = sigma::kUnnamedField;
    std::span<const message::SigmaValue> renames;
  };
  struct Plan {
    std::vector<Names> names;  ///< By message::Field.
    std::vector<sigma::RouteId> routes;
  };

  /// Fields that records of auditd and lines of logs have, by number.
  struct RecordFields {
    sigma::FieldId type, exe, comm, pid, ppid, euid, uid, syscall_name, syscall, success, name, nametype, message,
        change;
    std::array<sigma::FieldId, 16> arguments;
  };

  void put(sigma::FieldId field, std::string_view text) { fields_.push_back({field, sigma::Value::of(text)}); }
  void put(sigma::FieldId field, std::int64_t number) { fields_.push_back({field, sigma::Value::of(number)}); }
  std::string_view keep(std::string text);
  void put_promoted(const Plan& plan, const DetectorEvent& event);
  void see_process(const Plan& plan, const DetectorEvent& event, const Each& each);
  void see_file(const Plan& plan, const DetectorEvent& event, const Each& each);
  void see_login(const Plan& plan, const DetectorEvent& event, const Each& each);
  void see_snapshot(const Plan& plan, const DetectorEvent& event, const Each& each);

  RecordFields record_{};
  bool auditd_ = false;  ///< Some rule is for records of auditd,
  bool sshd_ = false;    ///< or for the log of sshd.
  bool auth_ = false;
  std::array<Plan, message::kEventKinds> plans_;
  std::vector<sigma::EventField> fields_;
  std::deque<std::string> texts_;  ///< What had to be made.
};

}  // namespace picket::pipeline
