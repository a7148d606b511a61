// Bytes of a segment file: docs/formats/journal.md. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/cursor.h"
#include "base/core/result.h"
#include "journal/record.h"

namespace picket::journal {

inline constexpr std::uint32_t kFormat = 1;
inline constexpr std::size_t kFileHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 44;

struct FileHeader {
  std::uint64_t first_sequence = 0;
  Timestamp created;       ///< Not before the enqueued time of any record of an earlier segment.
  std::uint32_t salt = 0;  ///< Seeds every CRC: a sender cannot write bytes into its body that pass for a record.
};

std::array<std::byte, kFileHeaderBytes> encode_file_header(const FileHeader& header);
/// Errors: truncated; malformed (magic, CRC); unsupported (format number, which is `offset`).
Result<FileHeader> parse_file_header(Bytes bytes);

/// Encoded size. Errors: limit_exceeded (kRecordBytesMax, kPropertiesMax, or a string too long for its length field).
Result<std::size_t> encoded_size(const Record& record);
/// Appends exactly encoded_size bytes, without a CRC yet: seal_records.
void encode_record(const Record& record, std::uint64_t sequence, Buffer& out);
/// Sets the CRC of each of the records that fill `records`. Apart from encoding because the salt belongs to the
/// segment, and because it is the expensive part: the appender's lock is not held for it.
void seal_records(std::span<std::byte> records, std::uint32_t salt);

/// A record in a byte range, properties still as bytes.
struct DecodedRecord {
  RecordView view;  ///< Its `properties` are empty: see parse_properties.
  Bytes property_bytes;
  std::uint16_t property_count = 0;
  std::size_t bytes = 0;  ///< Encoded size.
};
/// Reads one record at the cursor. nullopt: `in` ends before the record does (as its length field says), `in` unmoved.
/// malformed: length out of range, CRC wrong, or the parts do not fill the length; `in` unmoved.
Result<std::optional<DecodedRecord>> parse_record(Cursor& in, std::uint32_t salt);
/// Appends property_count entries to `out`. Cannot fail for a record that parse_record returned.
void parse_properties(const DecodedRecord& record, std::vector<Property>& out);

/// The size that a record at the beginning of `bytes` announces, when that size is possible.
std::optional<std::size_t> announced_size(Bytes bytes);
/// True when the fixed fields could begin a record with a sequence in [sequence_min, sequence_max]; says nothing of the
/// CRC.
bool plausible_record(Bytes bytes, std::uint64_t sequence_min, std::uint64_t sequence_max);

/// "00000000000000000042.journal"
std::string segment_name(std::uint64_t first_sequence);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

}  // namespace picket::journal
