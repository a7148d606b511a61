// The one way bytes from outside are read.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket {

/// Reads forward through a byte range it does not own. A failed read returns Errc::truncated and leaves the cursor
/// where it was. Copyable: a parser works on a copy and commits it at the end. A length field becomes a child cursor by
/// sub(), so that a nested parser cannot leave its own part.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}
  explicit Cursor(std::string_view text) : bytes_(as_bytes(text)) {}

  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  [[nodiscard]] bool empty() const { return remaining() == 0; }
  /// Bytes from the beginning of the outermost input, also inside a sub cursor.
  [[nodiscard]] std::uint64_t offset() const { return base_ + at_; }

  Result<Bytes> take(std::size_t n) {
    if (n > remaining()) return fail(Errc::truncated, "cursor.take", offset());  // never at_ + n > size: that can wrap
    const auto out = bytes_.subspan(at_, n);
    at_ += n;
    return out;
  }
  Result<std::string_view> take_text(std::size_t n) {
    TRY(const Bytes out, take(n));
    return as_text(out);
  }
  Bytes take_rest() {
    const auto out = bytes_.subspan(at_);
    at_ = bytes_.size();
    return out;
  }
  Result<Cursor> sub(std::size_t n) {
    const auto begin = offset();
    TRY(const Bytes out, take(n));
    Cursor child{out};
    child.base_ = begin;
    return child;
  }
  /// Next byte without moving.
  Result<std::uint8_t> peek() const {
    if (empty()) return fail(Errc::truncated, "cursor.peek", offset());
    return static_cast<std::uint8_t>(bytes_[at_]);
  }
  Result<std::uint8_t> u8() { return be<std::uint8_t>(); }

  /// Big-endian (network order) integer.
  template <std::unsigned_integral T>
  Result<T> be() {
    TRY(const Bytes in, take(sizeof(T)));
    std::uint64_t value = 0;
    for (const std::byte b : in) value = value << 8 | static_cast<std::uint8_t>(b);
    return static_cast<T>(value);
  }
  /// Little-endian integer.
  template <std::unsigned_integral T>
  Result<T> le() {
    TRY(const Bytes in, take(sizeof(T)));
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i > 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i - 1]);
    return static_cast<T>(value);
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
  std::uint64_t base_ = 0;
};

}  // namespace picket
