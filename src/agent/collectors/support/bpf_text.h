// From what our BPF programs write to what records carry: paths, addresses, times, errors.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/record.h"
#include "base/core/result.h"
#include "support/procfs.h"

namespace picket::agent {

/// Turns a path given as components from the file up to the root, each ended by NUL, into text. Owns the text.
class PathText {
 public:
  /// "sh\0bin\0" is "/bin/sh"; nothing is "/". Valid until the next call. What is longer than kPathBytesMax loses its
  /// front. " (deleted)" is added as procfs does. The same as the time before costs a comparison.
  std::string_view join(std::string_view components, bool deleted);

 private:
  static constexpr std::string_view kDeleted = " (deleted)";
  static constexpr std::size_t kBeforeMax = 256;

  std::array<char, kPathBytesMax + 16> text_;
  std::array<char, kBeforeMax> before_;
  std::size_t before_bytes_ = kBeforeMax + 1;  // more than is kept: nothing is known of the time before
  bool before_deleted_ = false;
  std::size_t at_ = 0;  // where the text begins
};

/// Address of an AF_INET or AF_INET6 socket from 4 or 16 raw bytes; IPv4-mapped IPv6 becomes IPv4, other families none.
IpAddress address_of(unsigned family, const std::uint8_t* raw);

/// Both clocks of a happening at `boot_ns` on CLOCK_BOOTTIME, by the clocks as they stand together in `now`.
Moment moment_from_boot(const Moment& now, std::uint64_t boot_ns);

/// The setting, if it is a power of two in [4 KiB, 16 MiB]. Errors: malformed.
Result<std::uint32_t> checked_ring_bytes(std::uint32_t bytes);

/// Error of a loader: `step` is "open", "load" or "attach", `status` a negative errno.
std::unexpected<Error> bpf_failure(std::string_view step, int status);

}  // namespace picket::agent
