#include "file_system/fanotify_message.h"

#include <linux/fanotify.h>

#include "base/core/cursor.h"

namespace picket::agent {
namespace {

/// The kernel writes in the machine's order, and every machine we run on is little-endian.
Result<FanotifyEntry> read_entry(Bytes record) {
  Cursor in{record};
  TRY_VOID(in.take(kFileSystemIdBytes));
  TRY(const auto handle_bytes, in.le<std::uint32_t>());
  TRY_VOID(in.take(4));  // type
  if (handle_bytes > kHandleBytesMax) return fail(Errc::malformed, "agent.fanotify.handle", in.offset());
  TRY_VOID(in.take(handle_bytes));
  const auto name = as_text(in.take_rest());
  return FanotifyEntry{record.first(kFileSystemIdBytes + kHandleHeaderBytes + handle_bytes),
                       name.substr(0, name.find('\0'))};
}

Result<> read_record(Cursor& in, FanotifyEvent& event) {
  TRY(const auto type, in.u8());
  TRY_VOID(in.take(1));
  TRY(const auto length, in.le<std::uint16_t>());
  if (length < 4) return fail(Errc::malformed, "agent.fanotify.record", in.offset());
  TRY(const Bytes body, in.take(length - 4U));
  if (type == FAN_EVENT_INFO_TYPE_DFID_NAME || type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME) {
    TRY(event.entry, read_entry(body));
  } else if (type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME) {
    TRY(event.old_entry, read_entry(body));
  }
  return {};
}

Result<> read_event(Cursor& in, FanotifyEvent& event) {
  TRY(const auto length, in.le<std::uint32_t>());
  TRY(const auto version, in.u8());
  TRY_VOID(in.take(1));
  TRY(const auto header_bytes, in.le<std::uint16_t>());
  TRY(event.mask, in.le<std::uint64_t>());
  TRY_VOID(in.take(4));  // no descriptor in this mode
  TRY(const auto pid, in.le<std::uint32_t>());
  event.pid = static_cast<std::int32_t>(pid);
  if (version != FANOTIFY_METADATA_VERSION || header_bytes < FAN_EVENT_METADATA_LEN || length < header_bytes) {
    return fail(Errc::malformed, "agent.fanotify.metadata", in.offset());
  }
  TRY_VOID(in.take(header_bytes - FAN_EVENT_METADATA_LEN));
  TRY(Cursor records, in.sub(length - header_bytes));
  while (!records.empty()) TRY_VOID(read_record(records, event));
  return {};
}

}  // namespace

bool next_fanotify(Bytes& rest, FanotifyEvent& event) {
  Cursor in{rest};
  event = {};
  if (!read_event(in, event)) return false;
  rest = in.take_rest();
  return true;
}

}  // namespace picket::agent
