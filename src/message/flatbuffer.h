// A bounds-checked reader of FlatBuffers (format: https://flatbuffers.dev/internals), without generated code.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::message {

/// A buffer under reading. Every access says Errc::malformed, "message.flatbuffers", with the offset, when it would
/// leave the buffer. Work is bounded by a budget of steps, since offsets may make many parents share one child.
class FlatBuffer {
 public:
  FlatBuffer(Bytes bytes, std::size_t steps_max) : bytes_(bytes), steps_left_(steps_max) {}

  /// Little-endian integer at `at`.
  template <std::unsigned_integral T>
  Result<T> le(std::uint64_t at) const {
    TRY(const Bytes in, slice(at, sizeof(T)));
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i > 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i - 1]);
    return static_cast<T>(value);
  }
  [[nodiscard]] Result<Bytes> slice(std::uint64_t at, std::uint64_t n) const {
    if (at > bytes_.size() || n > bytes_.size() - at) return fail(Errc::malformed, "message.flatbuffers", at);
    return bytes_.subspan(at, n);
  }
  /// Where the unsigned offset stored at `at` leads; offsets only go forward.
  [[nodiscard]] Result<std::uint64_t> follow(std::uint64_t at) const {
    TRY(const auto distance, le<std::uint32_t>(at));
    if (distance == 0 || distance >= bytes_.size() - at) return fail(Errc::malformed, "message.flatbuffers", at);
    return at + distance;
  }
  /// Counts one table or vector. limit_exceeded when the budget is used up.
  Result<> spend(std::uint64_t at) {
    if (steps_left_ == 0) return fail(Errc::limit_exceeded, "message.flatbuffers.steps", at);
    --steps_left_;
    return {};
  }

 private:
  Bytes bytes_;
  std::size_t steps_left_;
};

struct FlatVector {
  std::uint64_t first = 0;  ///< Offset of element 0.
  std::uint32_t count = 0;
};

/// One table. Copyable; borrows the buffer.
class FlatTable {
 public:
  /// The root table of a buffer without size prefix.
  static Result<FlatTable> root(FlatBuffer& buffer);
  /// The table that starts at `at`.
  static Result<FlatTable> open(FlatBuffer& buffer, std::uint64_t at);

  [[nodiscard]] std::uint64_t offset() const { return at_; }

  /// Integer field `id`; `otherwise` when it is absent. T is the unsigned type of the field's width.
  template <std::unsigned_integral T>
  Result<T> number(unsigned id, T otherwise = 0) const {
    TRY(const auto at, field(id, sizeof(T)));
    if (!at) return otherwise;
    return buffer_->le<T>(*at);
  }
  /// Struct field of `size` bytes; nullopt when absent.
  [[nodiscard]] Result<std::optional<Bytes>> structure(unsigned id, std::size_t size) const;
  /// String field; empty when absent. Not necessarily UTF-8.
  [[nodiscard]] Result<std::string_view> text(unsigned id) const;
  [[nodiscard]] Result<std::optional<FlatTable>> table(unsigned id) const;
  /// Vector of elements of `element_size` bytes; count 0 when absent.
  [[nodiscard]] Result<FlatVector> vector(unsigned id, std::size_t element_size) const;
  /// Element of a vector of tables.
  [[nodiscard]] Result<FlatTable> element(const FlatVector& vector, std::uint32_t index) const;

 private:
  FlatTable(FlatBuffer& buffer, std::uint64_t at) : buffer_(&buffer), at_(at) {}
  /// Offset of an inline field of `size` bytes, inside the table.
  [[nodiscard]] Result<std::optional<std::uint64_t>> field(unsigned id, std::size_t size) const;

  FlatBuffer* buffer_;
  std::uint64_t at_;
  std::uint64_t vtable_ = 0;
  std::uint16_t vtable_bytes_ = 0;
  std::uint16_t table_bytes_ = 0;
};

}  // namespace picket::message
