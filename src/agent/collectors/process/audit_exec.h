// From the records that audit makes of one exec (SYSCALL, EXECVE, CWD, EOE) to the exec.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "support/argv_hash.h"

namespace picket::agent {

/// Record types of linux/audit.h that tell about an exec.
enum class AuditExecType : std::uint16_t { syscall = 1300, cwd = 1307, execve = 1309, end = 1320 };

/// One exec, put together.
struct AuditExec {
  Timestamp time;
  std::uint32_t pid = 0, ppid = 0, uid = 0, euid = 0, gid = 0;
  std::uint32_t session = 0;  ///< 0: unset.
  std::string terminal;       ///< As the kernel names it, "pts3"; empty: none.
  std::string executable, cwd;
  std::string argv;              ///< Each argument ends with NUL; at most kArgvBytesMax, then cut.
  std::uint64_t argv_bytes = 0;  ///< Of all arguments.
  std::uint64_t argv_hash = 0;   ///< Of all arguments.
  bool argv_lost = false;        ///< A record of them is missing.
};

/// Joins records by the serial number of their event; events of several CPUs come mixed. Pure, bounded: kOpenMax events
/// at a time, each of at most the argv that is kept and four texts of the kernel's own length. Who is open longest
/// makes room, and is told as far as it is known.
class AuditExecAssembler {
 public:
  static constexpr std::size_t kOpenMax = 64;
  static constexpr Duration kOpenFor = Duration::seconds(2);  ///< Then its end was lost.
  static constexpr std::size_t kTextBytesMax = 4096;
  using Emit = std::function<void(const AuditExec&)>;

  explicit AuditExecAssembler(Emit emit) : emit_(std::move(emit)) {}

  /// Takes the next record, which may be any audit makes; `text` begins with "audit(". `now` is monotonic.
  void take(std::uint16_t type, std::string_view text, Duration now);
  /// Gives up waiting for what is missing. Returns whether some events are still open: then call again within seconds.
  bool tick(Duration now);

  /// Events that were open too long or made room.
  [[nodiscard]] std::uint64_t unfinished() const { return unfinished_; }

 private:
  struct Open {
    std::uint64_t serial = 0;
    Duration since;
    AuditExec exec;
    ArgvHash hash;
    bool succeeded = false;  // SYSCALL was there, and said so
    bool has_argv = false;   // EXECVE was there
    std::uint32_t argument_count = 0, next_argument = 0;
    bool in_pieces = false;             // the last argument is being told in pieces
    std::uint64_t piece_text_left = 0;  // as written: of hexadecimal the digits
  };

  Open* find(std::uint64_t serial);
  Open& open(std::uint64_t serial, Duration now);
  void finish(Open& event);
  static void take_syscall(Open& event, std::string_view text);
  static void take_arguments(Open& event, std::string_view text);
  static void take_argument(Open& event, std::string_view key, std::string_view value);
  static void add(Open& event, std::string_view bytes);
  static void end_argument(Open& event);

  Emit emit_;
  std::vector<Open> open_;  // oldest first
  std::uint64_t unfinished_ = 0;
};

}  // namespace picket::agent
