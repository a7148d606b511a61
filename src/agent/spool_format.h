// Bytes of spool segments and of the spool's state file. Pure; docs/formats/spool.md is the byte table.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/spool.h"
#include "base/core/bytes.h"
#include "base/core/cursor.h"
#include "base/core/result.h"

namespace picket::agent::spool_format {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 40;
inline constexpr std::size_t kEntryHeaderBytes = 32;
inline constexpr std::size_t kStateSlotBytes = 1024;
/// Distance of the two slots in the file: a torn page damages one of them.
inline constexpr std::size_t kStateSlotStride = 4096;

/// First bytes of every segment.
struct SegmentHeader {
  std::uint64_t epoch = 0;
  std::uint64_t base_sequence = 0;  ///< No entry here is below it; the spool's next sequence when it was made.
  Priority priority = Priority::low;
};

/// What stands before each payload.
struct EntryHeader {
  std::uint32_t payload_bytes = 0;
  std::uint32_t crc = 0;  ///< CRC-32C of the header after this field, and of the payload.
  std::uint64_t sequence = 0;
  Timestamp time;
};

/// What the spool must know apart from its entries.
struct State {
  std::uint64_t generation = 0;  ///< The slot with the higher one counts.
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 1;
  std::array<std::byte, 16> boot_id{};
  bool clean = false;      ///< Closed properly: everything is on the disk.
  bool in_memory = false;  ///< Entries of this epoch were held in memory only, so the disk does not know all sequences.
  std::uint64_t acknowledged_epoch = 0;
  std::uint64_t acknowledged_through = 0;  ///< All of acknowledged_epoch up to here are done, and all older epochs.
  std::vector<std::uint64_t> acknowledged_above;  ///< At most kAcknowledgedAboveMax.
  SpoolDrops drops;
};
inline constexpr std::size_t kAcknowledgedAboveMax = kSpoolInFlightMax;

void write_segment_header(Buffer& out, const SegmentHeader& header);
/// Errors: truncated, malformed, unsupported (a newer version).
Result<SegmentHeader> read_segment_header(Cursor& in);

void write_entry(Buffer& out, std::uint64_t sequence, Timestamp time, Bytes payload);
/// Only the fixed part; does not check the CRC. Errors: truncated, limit_exceeded (length above kSpoolPayloadMax).
Result<EntryHeader> read_entry_header(Cursor& in);
struct EntryView {
  EntryHeader header;
  Bytes payload;
};
/// Header, payload and CRC. Errors: truncated, limit_exceeded, malformed (CRC). `in` moves only on success.
Result<EntryView> read_entry(Cursor& in);

/// Exactly kStateSlotBytes.
Buffer write_state(const State& state);
/// nullopt when it is not a whole, valid slot of our version.
std::optional<State> read_state(Bytes slot);

}  // namespace picket::agent::spool_format
