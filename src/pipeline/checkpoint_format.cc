#include "checkpoint_format.h"

#include "base/core/hash.h"
#include "journal/position.h"

namespace picket::pipeline {
namespace {

constexpr std::string_view kMagic = "PKTCKPT\n";
constexpr std::uint32_t kFormat = 2;
constexpr std::uint32_t kFormatWithoutSkipped = 1;
constexpr std::uint32_t kErased = 0xFFFF'FFFF;

Result<PartChanges> parse_changes(Cursor& in) {
  PartChanges out;
  TRY(const auto count, in.le<std::uint32_t>());
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(auto key, get_text(in));
    TRY(const auto size, in.le<std::uint32_t>());
    std::optional<Buffer> value;
    if (size != kErased) {
      TRY(const auto bytes, in.take(size));
      value.emplace(bytes.begin(), bytes.end());
    }
    if (!out.emplace(std::move(key), std::move(value)).second) return fail(Errc::malformed, "checkpoint.key");
  }
  return out;
}

std::uint64_t last_before(const journal::Position& position) {
  const std::uint64_t next = position.next_of(0);
  return next == 0 ? 0 : next - 1;
}

std::size_t size_max(const CheckpointFile& file) {
  constexpr std::size_t kLengths = 32;
  std::size_t out = 4096 + file.position.size() + file.derived.size() + file.skipped.entries().size() * kLengths;
  for (std::size_t p = 0; p < file.parts.size(); ++p) {
    out += kLengths + file.parts[p].name.size();
    for (const auto& [key, value] : file.changes[p]) out += kLengths + key.size() + (value ? value->size() : 0);
  }
  return out;
}

}  // namespace

Buffer encode_checkpoint(const CheckpointFile& file) {
  Buffer bytes;
  bytes.reserve(size_max(file));
  ByteWriter out(bytes);
  out.text(kMagic).le(kFormat).le(file.number).le(file.previous);
  put_text(out, file.position);
  put_text(out, file.derived);
  file.skipped.encode(out);
  out.le(static_cast<std::uint32_t>(file.parts.size()));
  for (std::size_t i = 0; i < file.parts.size(); ++i) {
    put_text(out, file.parts[i].name);
    out.le(file.parts[i].version).le(static_cast<std::uint32_t>(file.changes[i].size()));
    for (const auto& [key, value] : file.changes[i]) {
      put_text(out, key);
      out.le(value ? static_cast<std::uint32_t>(value->size()) : kErased);
      if (value) out.bytes(*value);
    }
  }
  out.le(crc32c(bytes));
  return bytes;
}

Result<CheckpointFile> parse_checkpoint(Bytes bytes) {
  if (bytes.size() < kMagic.size() + 8) return fail(Errc::truncated, "checkpoint.header", bytes.size());
  Cursor in(bytes.first(bytes.size() - 4));
  TRY(const auto magic, in.take_text(kMagic.size()));
  if (magic != kMagic) return fail(Errc::malformed, "checkpoint.magic");
  TRY(const auto format, in.le<std::uint32_t>());
  if (format != kFormat && format != kFormatWithoutSkipped) return fail(Errc::unsupported, "checkpoint.format", format);
  Cursor end(bytes.last(4));
  TRY(const auto crc, end.le<std::uint32_t>());
  if (crc != crc32c(bytes.first(bytes.size() - 4))) return fail(Errc::malformed, "checkpoint.crc");
  CheckpointFile out;
  TRY(out.number, in.le<std::uint64_t>());
  TRY(out.previous, in.le<std::uint64_t>());
  TRY(out.position, get_text(in));
  TRY(out.derived, get_text(in));
  if (format == kFormatWithoutSkipped) {
    TRY(const auto position, journal::Position::parse(out.position));
    out.skipped.forget_through(last_before(position));
  } else {
    TRY(out.skipped, SkippedBook::decode(in));
  }
  TRY(const auto parts, in.le<std::uint32_t>());
  for (std::uint32_t i = 0; i < parts; ++i) {
    PartVersion part;
    TRY(part.name, get_text(in));
    TRY(part.version, in.le<std::uint16_t>());
    TRY(auto changes, parse_changes(in));
    out.parts.push_back(std::move(part));
    out.changes.push_back(std::move(changes));
  }
  if (!in.empty()) return fail(Errc::malformed, "checkpoint.end", in.offset());
  return out;
}

}  // namespace picket::pipeline
