#include "format.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include "base/core/byte_writer.h"
#include "base/core/check.h"
#include "base/core/hash.h"

namespace picket::journal {
namespace {

constexpr std::string_view kMagic = "PKTJRNL\n";
constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kSequenceDigits = 20;
constexpr std::size_t kStringMax = std::numeric_limits<std::uint16_t>::max();

std::array<std::string_view, 4> parts_of(const IdentityView& identity) {
  return {identity.hub, identity.device_id, identity.module_id, identity.generation_id};
}

/// CRC of a whole encoded record but its CRC field.
std::uint32_t record_crc(Bytes record, std::uint32_t salt) {
  return crc32c(record.subspan(8), crc32c(record.first(4), salt));
}

/// Properties must be walkable inside their bytes before anybody relies on the count.
bool skip_properties(Cursor& in, std::uint16_t count) {
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto name_bytes = in.le<std::uint16_t>();
    const auto value_bytes = in.le<std::uint32_t>();
    if (!name_bytes || !value_bytes || !in.take(*name_bytes) || !in.take(*value_bytes)) return false;
  }
  return true;
}

}  // namespace

std::array<std::byte, kFileHeaderBytes> encode_file_header(const FileHeader& header) {
  Buffer out;
  ByteWriter writer(out);
  writer.text(kMagic).le(kFormat).le(static_cast<std::uint32_t>(kFileHeaderBytes)).le(header.first_sequence);
  writer.le(static_cast<std::uint64_t>(header.created.us)).le(header.salt);
  out.resize(kFileHeaderBytes - 4);
  writer.le(crc32c(out));
  std::array<std::byte, kFileHeaderBytes> fixed{};
  std::copy(out.begin(), out.end(), fixed.begin());
  return fixed;
}

Result<FileHeader> parse_file_header(Bytes bytes) {
  if (bytes.size() < kFileHeaderBytes) return fail(Errc::truncated, "journal.segment.header", bytes.size());
  Cursor in(bytes.first(kFileHeaderBytes));
  TRY(const auto magic, in.take_text(kMagic.size()));
  if (magic != kMagic) return fail(Errc::malformed, "journal.segment.magic");
  // Before the CRC: a newer format may keep its checksum elsewhere, and must be refused by its number.
  TRY(const auto format, in.le<std::uint32_t>());
  if (format != kFormat) return fail(Errc::unsupported, "journal.segment.format", format);
  TRY(const auto header_bytes, in.le<std::uint32_t>());
  FileHeader header;
  TRY(header.first_sequence, in.le<std::uint64_t>());
  TRY(const auto created, in.le<std::uint64_t>());
  TRY(header.salt, in.le<std::uint32_t>());
  header.created.us = static_cast<std::int64_t>(created);
  Cursor crc_at(bytes.subspan(kFileHeaderBytes - 4, 4));
  TRY(const auto crc, crc_at.le<std::uint32_t>());
  if (header_bytes != kFileHeaderBytes || crc != crc32c(bytes.first(kFileHeaderBytes - 4))) {
    return fail(Errc::malformed, "journal.segment.header");
  }
  return header;
}

Result<std::size_t> encoded_size(const Record& record) {
  std::size_t size = kRecordHeaderBytes;
  for (const auto part : parts_of(record.identity)) {
    if (part.size() > kStringMax) return fail(Errc::limit_exceeded, "journal.record.identity");
    size += part.size();
  }
  if (record.properties.size() > kPropertiesMax) return fail(Errc::limit_exceeded, "journal.record.properties");
  for (const Property& p : record.properties) {
    if (p.name.size() > kStringMax) return fail(Errc::limit_exceeded, "journal.record.property_name");
    if (p.value.size() > kRecordBytesMax) return fail(Errc::limit_exceeded, "journal.record.size");
    size += 6 + p.name.size() + p.value.size();
  }
  if (record.body.size() > kRecordBytesMax || size + record.body.size() > kRecordBytesMax) {
    return fail(Errc::limit_exceeded, "journal.record.size");
  }
  return size + record.body.size();
}

void encode_record(const Record& record, std::uint64_t sequence, Buffer& out) {
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.le(std::uint32_t{0}).le(std::uint32_t{0}).le(sequence).le(static_cast<std::uint64_t>(record.enqueued.us));
  writer.u8(static_cast<std::uint8_t>(record.kind)).u8(0).le(record.partition);
  const auto parts = parts_of(record.identity);
  for (const auto part : parts) writer.le(static_cast<std::uint16_t>(part.size()));
  writer.le(static_cast<std::uint16_t>(record.properties.size())).le(std::uint16_t{0});
  writer.le(static_cast<std::uint32_t>(record.body.size()));
  for (const auto part : parts) writer.text(part);
  for (const Property& p : record.properties) {
    writer.le(static_cast<std::uint16_t>(p.name.size())).le(static_cast<std::uint32_t>(p.value.size()));
    writer.text(p.name).text(p.value);
  }
  writer.bytes(record.body);
  writer.patch_le(begin, static_cast<std::uint32_t>(out.size() - begin));
}

void seal_records(std::span<std::byte> records, std::uint32_t salt) {
  while (!records.empty()) {
    const auto size = announced_size(records);
    CHECK(size && *size <= records.size(), "only whole encoded records are sealed");
    const std::uint32_t crc = record_crc(records.first(*size), salt);
    for (std::size_t i = 0; i < 4; ++i) records[4 + i] = static_cast<std::byte>(crc >> (8 * i));
    records = records.subspan(*size);
  }
}

std::optional<std::size_t> announced_size(Bytes bytes) {
  Cursor in(bytes);
  const auto length = in.le<std::uint32_t>();
  if (!length || *length < kRecordHeaderBytes || *length > kRecordBytesMax) return std::nullopt;
  return *length;
}

bool plausible_record(Bytes bytes, std::uint64_t sequence_min, std::uint64_t sequence_max) {
  if (bytes.size() < kRecordHeaderBytes || !announced_size(bytes)) return false;
  Cursor in(bytes.subspan(8));
  const auto sequence = in.le<std::uint64_t>();
  return sequence && *sequence >= sequence_min && *sequence <= sequence_max;
}

Result<std::optional<DecodedRecord>> parse_record(Cursor& in, std::uint32_t salt) {
  Cursor at = in;
  const std::size_t available = at.remaining();
  if (available < 4) return std::nullopt;
  TRY(const auto length, at.le<std::uint32_t>());
  if (length < kRecordHeaderBytes || length > kRecordBytesMax) {
    return fail(Errc::malformed, "journal.record.length", in.offset());
  }
  if (length > available) return std::nullopt;
  Cursor whole = in;
  TRY(const auto record, whole.take(length));
  TRY(const auto crc, at.le<std::uint32_t>());
  if (crc != record_crc(record, salt)) return fail(Errc::malformed, "journal.record.crc", in.offset());
  Cursor body(record.subspan(8));
  DecodedRecord out;
  out.bytes = length;
  TRY(out.view.id.sequence, body.le<std::uint64_t>());
  TRY(const auto enqueued, body.le<std::uint64_t>());
  out.view.enqueued.us = static_cast<std::int64_t>(enqueued);
  TRY(const auto kind, body.u8());
  out.view.kind = static_cast<RecordKind>(kind);
  TRY(const auto flags, body.u8());
  TRY(out.view.partition, body.le<std::uint16_t>());
  std::array<std::uint16_t, 4> sizes{};
  for (auto& size : sizes) {
    TRY(size, body.le<std::uint16_t>());
  }
  TRY(out.property_count, body.le<std::uint16_t>());
  TRY(const auto reserved, body.le<std::uint16_t>());
  TRY(const auto body_bytes, body.le<std::uint32_t>());
  // A right CRC over wrong lengths is a writer's fault, or a forgery; treated as damage either way.
  const auto broken = fail(Errc::malformed, "journal.record.parts", in.offset());
  if (flags != 0 || reserved != 0 || out.view.partition >= kPartitions) return broken;
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = body.take_text(sizes[i]);
    if (!part) return broken;
    parts[i] = *part;
  }
  out.view.identity.hub = parts[0];
  out.view.identity.device_id = parts[1];
  out.view.identity.module_id = parts[2];
  out.view.identity.generation_id = parts[3];
  if (body.remaining() < body_bytes) return broken;
  TRY(out.property_bytes, body.take(body.remaining() - body_bytes));
  out.view.body = body.take_rest();
  Cursor properties(out.property_bytes);
  if (out.property_count > kPropertiesMax || !skip_properties(properties, out.property_count) || !properties.empty()) {
    return broken;
  }
  in = whole;
  return out;
}

void parse_properties(const DecodedRecord& record, std::vector<Property>& out) {
  Cursor in(record.property_bytes);
  for (std::uint16_t i = 0; i < record.property_count; ++i) {
    const auto name_bytes = in.le<std::uint16_t>();
    const auto value_bytes = in.le<std::uint32_t>();
    if (!name_bytes || !value_bytes) return;
    const auto name = in.take_text(*name_bytes);
    const auto value = in.take_text(*value_bytes);
    if (!name || !value) return;
    out.push_back({*name, *value});
  }
}

std::string segment_name(std::uint64_t first_sequence) {
  const auto digits = std::to_string(first_sequence);
  return std::string(kSequenceDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != kSequenceDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kSequenceDigits, value);
  if (error != std::errc{} || end != name.data() + kSequenceDigits) return std::nullopt;
  return value;
}

}  // namespace picket::journal
