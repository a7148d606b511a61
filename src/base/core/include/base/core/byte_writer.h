// Appends integers and byte runs to a buffer: the mirror of Cursor.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/check.h"

namespace picket {

/// Writes at the end of a Buffer it borrows.
class ByteWriter {
 public:
  explicit ByteWriter(Buffer& out) : out_(out) {}

  [[nodiscard]] std::size_t size() const { return out_.size(); }

  template <std::unsigned_integral T>
  ByteWriter& be(T value) {
    for (std::size_t shift = sizeof(T) * 8; shift > 0; shift -= 8) {
      out_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (shift - 8)));
    }
    return *this;
  }
  template <std::unsigned_integral T>
  ByteWriter& le(T value) {
    for (std::size_t shift = 0; shift < sizeof(T) * 8; shift += 8) {
      out_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> shift));
    }
    return *this;
  }
  ByteWriter& u8(std::uint8_t value) { return be(value); }
  ByteWriter& bytes(Bytes in) {
    append(out_, in);
    return *this;
  }
  ByteWriter& text(std::string_view in) { return bytes(as_bytes(in)); }

  /// Overwrites a little-endian field written before, such as a length that is known only at the end.
  template <std::unsigned_integral T>
  void patch_le(std::size_t at, T value) {
    CHECK(at <= out_.size() && sizeof(T) <= out_.size() - at, "patch inside what was written");
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      out_[at + i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
  }

 private:
  Buffer& out_;
};

}  // namespace picket
