#include "process_action.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kStatBytesMax = 4'096;
constexpr std::int64_t kPidMax = 1 << 22;
constexpr int kStartTimeField = 22;

struct ProcessFact {
  std::string name;
  std::uint64_t start_ticks = 0;
};

/// Of /proc/PID/stat: "PID (name) S …". The name may hold spaces and parentheses.
std::optional<ProcessFact> parse_stat(std::string_view text) {
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessFact out{.name = std::string(text.substr(open + 1, close - open - 1))};
  std::string_view rest = text.substr(close + 1);
  for (int field = 2; field < kStartTimeField; ++field) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out.start_ticks);
  if (error != std::errc()) return std::nullopt;
  return out;
}

}  // namespace

ActionResult signal_process(std::string_view action, const Json& arguments, const std::string& procfs) {
  const auto pid_value = arguments.find("pid");
  const auto pid = pid_value ? pid_value->integer() : std::nullopt;
  if (!pid || *pid < 1 || *pid > kPidMax) return {400, "pid must be the number of a process"};
  if (*pid == 1) return {400, "process 1 is what keeps the device running; it is not touched"};
  if (*pid == ::getpid()) return {400, "that is the agent itself; it is not touched"};
  const std::string number = std::to_string(*pid);

  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(*pid), 0)));
  if (!process.valid() && errno == ESRCH) return {404, "there is no process " + number};
  if (!process.valid()) return {500, "process " + number + ": " + std::strerror(errno)};
  const auto stat = read_file(procfs + "/" + number + "/stat", kStatBytesMax);
  const auto fact = stat ? parse_stat(*stat) : std::nullopt;
  if (!fact) return {404, "there is no process " + number};
  if (const auto expected = arguments.find("startTicks"); expected && expected->kind() != Json::Kind::null) {
    const auto ticks = expected->integer();
    if (!ticks || *ticks < 0) return {400, "startTicks must be field 22 of /proc/PID/stat"};
    if (static_cast<std::uint64_t>(*ticks) != fact->start_ticks) {
      return {404, "process " + number + " is another one now (" + fact->name + "); the one that was meant has ended"};
    }
  }
  const int number_of_signal = action == "kill" ? SIGKILL : action == "suspend" ? SIGSTOP : SIGCONT;
  if (::syscall(SYS_pidfd_send_signal, process.get(), number_of_signal, nullptr, 0) != 0) {
    if (errno == ESRCH) return {404, "process " + number + " has ended by itself"};
    return {500, "process " + number + ": " + std::strerror(errno)};
  }
  const std::string done = action == "kill" ? "killed" : action == "suspend" ? "suspended" : "resumed";
  return {200, done + " process " + number + " (" + fact->name + ")",
          "\"startTicks\":" + std::to_string(fact->start_ticks)};
}

}  // namespace picket::agent
