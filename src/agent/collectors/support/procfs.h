// Reading facts about processes from procfs: small, without allocation, for records that cannot carry them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/record.h"

namespace picket::agent {

/// Longest argv and path that any record carries, bytes.
inline constexpr std::size_t kArgvBytesMax = 8192;
inline constexpr std::size_t kPathBytesMax = 4096;
/// As much of /proc/PID/cgroup is looked at, bytes.
inline constexpr std::size_t kCgroupTextMax = 4096;

/// The fields of /proc/PID/stat that we use.
struct ProcStat {
  std::string_view comm;  ///< View into the text parsed.
  std::uint32_t ppid = 0;
  std::uint32_t terminal = 0;     ///< Controlling terminal as the kernel encodes it (terminal_name); 0: none.
  std::uint64_t start_ticks = 0;  ///< Since boot, in clock ticks.
};
/// Parses one stat line. nullopt: not in the form of proc(5). A comm may hold any bytes, also ") ".
std::optional<ProcStat> parse_proc_stat(std::string_view text);

/// Longest name that terminal_name() makes, bytes.
inline constexpr std::size_t kTerminalBytesMax = 24;
/// "pts/3", "tty1", "ttyS0", "ttyUSB0", "console", else "major:minor", of ProcStat::terminal. Returns a view into
/// `out`.
std::string_view terminal_name(std::uint32_t terminal, std::span<char, kTerminalBytesMax> out);

/// The same of the name that the kernel itself gives a terminal: "pts3" is /dev/pts/3. Others stay as they are, cut.
std::string_view terminal_name(std::string_view kernel_name, std::span<char, kTerminalBytesMax> out);

/// Ids from /proc/PID/status: real and effective uid, real gid.
struct ProcIds {
  std::uint32_t uid = 0, euid = 0, gid = 0;
};
std::optional<ProcIds> parse_proc_status(std::string_view text);

/// All that procfs says of one process, in buffers of its own. 25 KiB: keep one and reuse it.
class ProcessFacts {
 public:
  explicit ProcessFacts(std::string procfs) : procfs_(std::move(procfs)) {}

  /// Reads everything about `pid`. False: there is no such process (any more); partly gone ones fill what they can.
  bool read(std::uint32_t pid);
  /// Reads what an exec's own record does not say: parents, descriptors, container, start. False: it is gone.
  bool read_around(std::uint32_t pid, std::uint32_t ppid);
  /// Puts what read_around() read into `record`.
  void fill_around(ProcessRecord& record) const;
  /// Reads executable and argv only: what a connection needs. False: neither could be read.
  bool read_program(std::uint32_t pid);
  /// Puts what was read into `record`; its views point into this object.
  void fill(ProcessRecord& record) const;

  /// Reads the executable only. False: it could not be read.
  bool read_executable(std::uint32_t pid) {
    executable_bytes_ = read_link(pid, "exe", executable_);
    return executable_bytes_ > 0;
  }

  [[nodiscard]] std::string_view executable() const { return {executable_.data(), executable_bytes_}; }
  [[nodiscard]] std::string_view argv() const { return {argv_.data(), argv_bytes_}; }
  [[nodiscard]] const std::optional<ProcIds>& ids() const { return ids_; }
  [[nodiscard]] std::uint32_t ppid() const { return ppid_; }

 private:
  std::size_t read_text(std::uint32_t pid, const char* name, std::span<char> out) const;
  std::size_t read_link(std::uint32_t pid, const char* name, std::span<char> out) const;
  void read_argv(std::uint32_t pid);
  void read_stdio(std::uint32_t pid);
  void read_deletion(std::uint32_t pid);
  void read_place(std::uint32_t pid, std::uint32_t terminal);
  void read_parents();
  /// Path or comm of another process: a parent.
  std::size_t read_name(std::uint32_t pid, std::span<char> out) const;

  std::string procfs_;
  std::array<char, kPathBytesMax> executable_, parent_, grandparent_, cwd_;
  std::array<char, kArgvBytesMax> argv_;
  std::array<char, kCgroupTextMax> cgroup_;
  std::array<char, kTerminalBytesMax> terminal_;
  std::size_t executable_bytes_ = 0, parent_bytes_ = 0, grandparent_bytes_ = 0, cwd_bytes_ = 0, argv_bytes_ = 0;
  std::size_t terminal_bytes_ = 0;
  std::string_view container_;  // into cgroup_
  std::uint64_t argv_total_ = 0, argv_hash_ = 0;
  std::uint32_t session_ = 0;
  bool deleted_ = false, memfd_ = false;
  std::optional<ProcIds> ids_;
  std::uint32_t ppid_ = 0;
  Duration start_;
  std::array<StdioFact, 3> stdio_;
};

/// There is such a process, or what is left of one that nobody has waited for. kill(pid, 0) would not do: the agent may
/// not send signals once it is hardened, and then every process seems to live.
bool process_exists(const std::string& procfs, std::uint32_t pid);

/// The pids of `procfs`, at most `pids.size()`; returns how many there are.
std::size_t list_processes(const std::string& procfs, std::span<std::uint32_t> pids);

}  // namespace picket::agent
