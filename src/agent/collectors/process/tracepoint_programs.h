// Loading the programs of tier "tracepoint" without a skeleton: kernels without BTF cannot take one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/core/result.h"

struct picket_tracepoint_shared;

namespace picket::agent {

class BpfRing;

/// A field of a tracepoint's record, from its file "format" in tracefs.
struct TracepointField {
  std::uint32_t offset = 0, bytes = 0;
};
/// Lines are "\tfield:int old_pid;\toffset:16;\tsize:4;\tsigned:1;". nullopt: no such field, or an offset above 64 KiB.
std::optional<TracepointField> tracepoint_field(std::string_view format, std::string_view name);

struct TracepointPrograms {
  std::unique_ptr<BpfRing> ring;
  picket_tracepoint_shared* shared = nullptr;  ///< Lives as long as the ring.
};
/// Makes the maps, loads the programs, fitted to this kernel, and attaches them. Needs tracefs (mounted at its usual
/// place), ring buffers (kernel 5.8) and perf events for tracepoints. `fork_exit`: forks and ends too. Errors: not_found (tracefs), unsupported
/// (architecture, form of a tracepoint), io (refused).
Result<TracepointPrograms> open_tracepoint_programs(std::uint32_t ring_bytes, bool fork_exit);

}  // namespace picket::agent
