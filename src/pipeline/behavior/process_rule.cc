#include "behavior/process_rule.h"

#include <algorithm>
#include <array>
#include <vector>

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::size_t kProcessesMax = 16'384;
/// A child is started within this time of the process that raised the alert; the same process runs another program
/// sooner.
constexpr Duration kChildWindow = Duration::minutes(10);
constexpr Duration kExecWindow = Duration::seconds(10);

constexpr std::array<std::string_view, 14> kShells{"sh",  "bash", "dash", "ash",   "zsh",  "ksh",     "mksh",
                                                   "csh", "tcsh", "fish", "rbash", "yash", "busybox", "toybox"};
constexpr std::array<std::string_view, 14> kInterpreters{"python", "perl",  "ruby", "php",  "lua",  "luajit", "node",
                                                         "nodejs", "tclsh", "awk",  "gawk", "mawk", "expect", "pwsh"};
bool among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view without_version(std::string_view program) {
  const auto end = program.find_last_not_of("0123456789.-");
  return end == std::string_view::npos ? program : program.substr(0, end + 1);
}

}  // namespace

std::string_view program_name(const DetectorEvent& event) {
  std::string_view path = event.text(Field::Executable);
  if (path.empty()) {
    path = event.text(Field::CommandLine);
    path = path.substr(0, path.find(' '));
  }
  if (path.ends_with(" (deleted)")) path.remove_suffix(10);
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_shell(std::string_view program) { return among(kShells, program); }

bool is_interpreter(std::string_view program) {
  return is_shell(program) || among(kInterpreters, program) || among(kInterpreters, without_version(program));
}

Finding process_finding(std::string_view alert_type, const DetectorEvent& event, std::string group_key,
                        std::string_view reason) {
  const auto text = [&](Field field) { return std::string(event.text(field)); };
  const auto number = [&](Field field) {
    const std::int64_t value = event.integer(field, -1);
    return value < 0 ? std::string() : std::to_string(value);
  };
  Finding finding{.alert_type = alert_type, .group_key = std::move(group_key)};
  // Whatever tells of it, a process is in one alert of a type.
  finding.rule = alert_type;
  finding.start = event.timestamp(Field::StartTimeUtc, event.time);
  finding.end = std::max(finding.start, event.timestamp(Field::EndTimeUtc, event.time));
  finding.count = static_cast<std::uint64_t>(std::max<std::int64_t>(1, event.integer(Field::HitCount, 1)));
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"CommandLine", text(Field::CommandLine)},
                        {"Executable", text(Field::Executable)},
                        {"User Name", text(Field::UserName)},
                        {"UserId", text(Field::UserId)},
                        {"ProcessId", number(Field::ProcessId)},
                        {"ParentProcessId", number(Field::ParentProcessId)},
                        {"ParentExecutable", text(Field::ParentExecutable)},
                        {"Reason", std::string(reason)}};
  finding.entities = {
      {"process", {{"ProcessId", number(Field::ProcessId)}, {"CommandLine", text(Field::CommandLine)}}}};
  if (!text(Field::UserName).empty()) finding.entities.push_back({"account", {{"Name", text(Field::UserName)}}});
  return finding;
}

std::string ProcessGroups::group_of(const DetectorEvent& event) {
  const auto key_of = [&](std::int64_t pid) {
    return state_key(event.device.hub, event.device.device_id, event.device.generation_id, std::to_string(pid));
  };
  const std::int64_t pid = event.integer(Field::ProcessId, 0);
  const std::int64_t parent = event.integer(Field::ParentProcessId, 0);
  std::string group;
  const auto join = [&](std::int64_t of, Duration within) {
    if (of <= 1 || !group.empty()) return;  // init is everybody's parent
    const Process* known = processes_.find(key_of(of));
    if (known == nullptr) return;
    const Duration apart = event.time - known->time;
    if (apart.us <= within.us && apart.us >= -within.us) group = known->group;
  };
  join(pid, kExecWindow);
  join(parent, kChildWindow);
  if (group.empty()) group = state_key(event.text(Field::Executable), event.text(Field::CommandLine));
  if (pid > 1) {
    processes_.touch(key_of(pid)) = {group, event.time, event.enqueued};
    evicted_ += evict_oldest(processes_, kProcessesMax);
  }
  return group;
}

void ProcessGroups::forget(Timestamp now) {
  processes_.erase_if(
      [&](const std::string&, const Process& process) { return process.last < now - kChildWindow * 2; });
}

void ProcessGroups::Process::encode(ByteWriter& out) const {
  put_text(out, group);
  put_time(out, time);
  put_time(out, last);
}

Result<ProcessGroups::Process> ProcessGroups::Process::decode(Cursor& in) {
  Process out;
  TRY(out.group, get_text(in));
  TRY(out.time, get_time(in));
  TRY(out.last, get_time(in));
  return out;
}

}  // namespace picket::pipeline
