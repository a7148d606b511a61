// What detectors of single processes share: what programs are called, and which processes belong together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "detector.h"

namespace picket::pipeline {

/// "/usr/bin/python3.11" -> "python3.11"; the first word of the command line where the executable is not known.
std::string_view program_name(const DetectorEvent& event);
/// sh, bash, busybox and their like.
bool is_shell(std::string_view program);
/// Shells and script interpreters, with a version behind their name or without.
bool is_interpreter(std::string_view program);
/// Fills what all alerts about a process have.
Finding process_finding(std::string_view alert_type, const DetectorEvent& event, std::string group_key,
                        std::string_view reason);

/// Remembers which processes raised an alert, so that a shell that a recognised command starts is evidence of the same
/// alert and no second one.
class ProcessGroups final : public StatePart {
 public:
  /// `name`: of the state part; static.
  explicit ProcessGroups(std::string_view name) : name_(name) {}

  /// The group of the alert that this process, or its parent, belongs to; else the process' own: executable and command
  /// line. Either way the process is remembered.
  std::string group_of(const DetectorEvent& event);
  void forget(Timestamp now);
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return name_; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return processes_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return processes_.load(key, value); }

  struct Process {
    std::string group;
    Timestamp time;  ///< Of the event.
    Timestamp last;  ///< Enqueued.
    void encode(ByteWriter& out) const;
    static Result<Process> decode(Cursor& in);
  };

 private:
  std::string_view name_;
  KeyedTable<Process> processes_;
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
