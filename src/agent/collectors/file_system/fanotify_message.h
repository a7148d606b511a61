// What fanotify(7) tells with FAN_REPORT_DFID_NAME, one event after the other.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent {

/// An entry of a folder. Views point into what was read.
struct FanotifyEntry {
  Bytes folder;           ///< 8 bytes of file system id, then struct file_handle; empty: not told.
  std::string_view name;  ///< ".": the folder itself.
};
inline constexpr std::size_t kFileSystemIdBytes = 8;
inline constexpr std::size_t kHandleHeaderBytes = 8;  ///< Length and type.
inline constexpr std::size_t kHandleBytesMax = 128;   ///< MAX_HANDLE_SZ.

struct FanotifyEvent {
  std::uint64_t mask = 0;
  std::int32_t pid = 0;
  FanotifyEntry entry;
  FanotifyEntry old_entry;  ///< FAN_RENAME only.
};

/// Takes one event from the front of `rest`. False: nothing whole is there, or not in the form of version 3.
bool next_fanotify(Bytes& rest, FanotifyEvent& event);

}  // namespace picket::agent
