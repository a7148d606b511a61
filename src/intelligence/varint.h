// Numbers of 1 to 10 bytes, 7 bits each, the lowest first.
#pragma once

#include "base/core/byte_writer.h"
#include "base/core/cursor.h"

namespace picket::intelligence {

inline void put_varint(ByteWriter& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.u8(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.u8(static_cast<std::uint8_t>(value));
}

inline Result<std::uint64_t> get_varint(Cursor& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    TRY(const auto byte, in.u8());
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return fail(Errc::malformed, "intelligence.varint", in.offset());
}

inline void put_text(ByteWriter& out, std::string_view text) {
  put_varint(out, text.size());
  out.text(text);
}
inline Result<std::string_view> get_text(Cursor& in) {
  TRY(const auto size, get_varint(in));
  if (size > in.remaining()) return fail(Errc::truncated, "intelligence.text", in.offset());
  return in.take_text(static_cast<std::size_t>(size));
}

}  // namespace picket::intelligence
