#include "spool_format.h"

#include <algorithm>

#include "base/core/byte_writer.h"
#include "base/core/check.h"
#include "base/core/hash.h"

namespace picket::agent::spool_format {
namespace {

constexpr std::string_view kSegmentMagic = "PKTSPOOL";
constexpr std::string_view kStateMagic = "PKTSTATE";

void write_counts(ByteWriter& writer, const std::array<std::uint64_t, kPriorities>& counts) {
  for (const std::uint64_t count : counts) writer.le(count);
}

Result<> read_counts(Cursor& in, std::array<std::uint64_t, kPriorities>& counts) {
  for (std::uint64_t& count : counts) {
    TRY(count, in.le<std::uint64_t>());
  }
  return {};
}

Result<State> read_state_fields(Cursor in) {
  State state;
  TRY(const auto flags, in.le<std::uint32_t>());
  state.clean = (flags & 1U) != 0;
  state.in_memory = (flags & 2U) != 0;
  TRY(state.generation, in.le<std::uint64_t>());
  TRY(state.epoch, in.le<std::uint64_t>());
  TRY(state.next_sequence, in.le<std::uint64_t>());
  TRY(const Bytes boot_id, in.take(state.boot_id.size()));
  std::ranges::copy(boot_id, state.boot_id.begin());
  TRY(state.acknowledged_epoch, in.le<std::uint64_t>());
  TRY(state.acknowledged_through, in.le<std::uint64_t>());
  TRY(const auto above, in.le<std::uint32_t>());
  if (above > kAcknowledgedAboveMax) return fail(Errc::limit_exceeded, "spool.state.acknowledged", in.offset());
  for (std::uint32_t i = 0; i < above; ++i) {
    TRY(const auto sequence, in.le<std::uint64_t>());
    state.acknowledged_above.push_back(sequence);
  }
  TRY_VOID(read_counts(in, state.drops.evicted));
  TRY_VOID(read_counts(in, state.drops.expired));
  TRY_VOID(read_counts(in, state.drops.refused));
  TRY_VOID(read_counts(in, state.drops.corrupted));
  return state;
}

Result<State> read_whole_state(Bytes slot) {
  if (slot.size() != kStateSlotBytes) return fail(Errc::truncated, "spool.state.size");
  const Bytes covered = slot.first(kStateSlotBytes - 4);
  Cursor last(slot.last(4));
  TRY(const auto crc, last.le<std::uint32_t>());
  if (crc != crc32c(covered)) return fail(Errc::malformed, "spool.state.crc");
  Cursor in(covered);
  TRY(const auto magic, in.take_text(kStateMagic.size()));
  if (magic != kStateMagic) return fail(Errc::malformed, "spool.state.magic");
  TRY(const auto version, in.le<std::uint32_t>());
  if (version != kVersion) return fail(Errc::unsupported, "spool.state.version");
  return read_state_fields(in);
}

}  // namespace

void write_segment_header(Buffer& out, const SegmentHeader& header) {
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.text(kSegmentMagic).le(kVersion).le(static_cast<std::uint32_t>(header.priority));
  writer.le(header.epoch).le(header.base_sequence).le(std::uint32_t{0});
  writer.le(crc32c(Bytes(out).subspan(begin)));
  CHECK(out.size() - begin == kSegmentHeaderBytes, "docs/formats/spool.md");
}

Result<SegmentHeader> read_segment_header(Cursor& in) {
  Cursor at = in;
  TRY(const Bytes whole, at.take(kSegmentHeaderBytes));
  Cursor fields(whole);
  TRY(const auto magic, fields.take_text(kSegmentMagic.size()));
  if (magic != kSegmentMagic) return fail(Errc::malformed, "spool.segment.magic", in.offset());
  TRY(const auto version, fields.le<std::uint32_t>());
  // Before the checksum: a newer version may place it elsewhere, and must be named, not called damage.
  if (version != kVersion) return fail(Errc::unsupported, "spool.segment.version", in.offset() + 8);
  TRY(const auto priority, fields.le<std::uint32_t>());
  SegmentHeader header;
  TRY(header.epoch, fields.le<std::uint64_t>());
  TRY(header.base_sequence, fields.le<std::uint64_t>());
  TRY_VOID(fields.le<std::uint32_t>());
  TRY(const auto crc, fields.le<std::uint32_t>());
  if (crc != crc32c(whole.first(kSegmentHeaderBytes - 4)))
    return fail(Errc::malformed, "spool.segment.crc", in.offset());
  if (priority >= kPriorities) return fail(Errc::malformed, "spool.segment.priority", in.offset() + 12);
  header.priority = static_cast<Priority>(priority);
  in = at;
  return header;
}

void write_entry(Buffer& out, std::uint64_t sequence, Timestamp time, Bytes payload) {
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.le(static_cast<std::uint32_t>(payload.size())).le(std::uint32_t{0});
  writer.le(sequence).le(static_cast<std::uint64_t>(time.us)).le(std::uint64_t{0});
  writer.bytes(payload);
  // The length is covered too: a damaged one must not pass as a short entry.
  const std::uint32_t crc = crc32c(Bytes(out).subspan(begin + 8), crc32c(Bytes(out).subspan(begin, 4)));
  writer.patch_le(begin + 4, crc);
}

Result<EntryHeader> read_entry_header(Cursor& in) {
  Cursor at = in;
  EntryHeader header;
  TRY(header.payload_bytes, at.le<std::uint32_t>());
  if (header.payload_bytes > kSpoolPayloadMax) return fail(Errc::limit_exceeded, "spool.entry.length", in.offset());
  TRY(header.crc, at.le<std::uint32_t>());
  TRY(header.sequence, at.le<std::uint64_t>());
  TRY(const auto time, at.le<std::uint64_t>());
  header.time = Timestamp{static_cast<std::int64_t>(time)};
  TRY_VOID(at.le<std::uint64_t>());
  in = at;
  return header;
}

Result<EntryView> read_entry(Cursor& in) {
  Cursor at = in;
  Cursor whole = in;
  TRY(const EntryHeader header, read_entry_header(at));
  TRY(const Bytes bytes, whole.take(kEntryHeaderBytes + header.payload_bytes));
  if (header.crc != crc32c(bytes.subspan(8), crc32c(bytes.first(4)))) {
    return fail(Errc::malformed, "spool.entry.crc", in.offset());
  }
  in = whole;
  return EntryView{header, bytes.subspan(kEntryHeaderBytes)};
}

Buffer write_state(const State& state) {
  CHECK(state.acknowledged_above.size() <= kAcknowledgedAboveMax, "bounded by what is in flight");
  Buffer out;
  out.reserve(kStateSlotBytes);
  ByteWriter writer(out);
  writer.text(kStateMagic).le(kVersion);
  writer.le((state.clean ? 1U : 0U) | (state.in_memory ? 2U : 0U));
  writer.le(state.generation).le(state.epoch).le(state.next_sequence).bytes(state.boot_id);
  writer.le(state.acknowledged_epoch).le(state.acknowledged_through);
  writer.le(static_cast<std::uint32_t>(state.acknowledged_above.size()));
  for (const std::uint64_t sequence : state.acknowledged_above) writer.le(sequence);
  write_counts(writer, state.drops.evicted);
  write_counts(writer, state.drops.expired);
  write_counts(writer, state.drops.refused);
  write_counts(writer, state.drops.corrupted);
  out.resize(kStateSlotBytes - 4);
  writer.le(crc32c(out));
  return out;
}

std::optional<State> read_state(Bytes slot) {
  auto state = read_whole_state(slot);
  if (!state) return std::nullopt;
  return *std::move(state);
}

}  // namespace picket::agent::spool_format
