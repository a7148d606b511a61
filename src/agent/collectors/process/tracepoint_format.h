// The descriptions of tracepoints in tracefs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::agent {

/// A field of a tracepoint's record, from its file "format" in tracefs.
struct TracepointField {
  std::uint32_t offset = 0, bytes = 0;
};
/// Lines are "\tfield:int old_pid;\toffset:16;\tsize:4;\tsigned:1;". nullopt: no such field, or an offset above 64 KiB.
std::optional<TracepointField> tracepoint_field(std::string_view format, std::string_view name);

}  // namespace picket::agent
