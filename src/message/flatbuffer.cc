#include "flatbuffer.h"

namespace picket::message {

Result<FlatTable> FlatTable::root(FlatBuffer& buffer) {
  TRY(const auto at, buffer.follow(0));
  return open(buffer, at);
}

Result<FlatTable> FlatTable::open(FlatBuffer& buffer, std::uint64_t at) {
  TRY_VOID(buffer.spend(at));
  FlatTable table(buffer, at);
  TRY(const auto back, buffer.le<std::uint32_t>(at));  // signed: the vtable may stand on either side
  const auto vtable = static_cast<std::int64_t>(at) - static_cast<std::int32_t>(back);
  if (vtable < 0) return fail(Errc::malformed, "message.flatbuffers", at);
  table.vtable_ = static_cast<std::uint64_t>(vtable);
  TRY(table.vtable_bytes_, buffer.le<std::uint16_t>(table.vtable_));
  TRY(table.table_bytes_, buffer.le<std::uint16_t>(table.vtable_ + 2));
  if (table.vtable_bytes_ < 4 || table.vtable_bytes_ % 2 != 0 || table.table_bytes_ < 4) {
    return fail(Errc::malformed, "message.flatbuffers", table.vtable_);
  }
  TRY_VOID(buffer.slice(table.vtable_, table.vtable_bytes_));
  TRY_VOID(buffer.slice(at, table.table_bytes_));
  return table;
}

Result<std::optional<std::uint64_t>> FlatTable::field(unsigned id, std::size_t size) const {
  const std::uint64_t slot = 4 + std::uint64_t{2} * id;
  if (slot + 2 > vtable_bytes_) return std::nullopt;  // a sender of an earlier minor version
  TRY(const auto distance, buffer_->le<std::uint16_t>(vtable_ + slot));
  if (distance == 0) return std::nullopt;
  if (distance < 4 || distance > table_bytes_ || size > table_bytes_ - distance) {
    return fail(Errc::malformed, "message.flatbuffers", vtable_ + slot);
  }
  return at_ + distance;
}

Result<std::optional<Bytes>> FlatTable::structure(unsigned id, std::size_t size) const {
  TRY(const auto at, field(id, size));
  if (!at) return std::nullopt;
  TRY(const Bytes bytes, buffer_->slice(*at, size));
  return bytes;
}

Result<std::string_view> FlatTable::text(unsigned id) const {
  TRY(const FlatVector characters, vector(id, 1));
  TRY(const Bytes bytes, buffer_->slice(characters.first, characters.count));
  return as_text(bytes);
}

Result<std::optional<FlatTable>> FlatTable::table(unsigned id) const {
  TRY(const auto at, field(id, 4));
  if (!at) return std::nullopt;
  TRY(const auto target, buffer_->follow(*at));
  TRY(const FlatTable child, open(*buffer_, target));
  return child;
}

Result<FlatVector> FlatTable::vector(unsigned id, std::size_t element_size) const {
  TRY(const auto at, field(id, 4));
  if (!at) return FlatVector{};
  TRY_VOID(buffer_->spend(*at));
  TRY(const auto begin, buffer_->follow(*at));
  TRY(const auto count, buffer_->le<std::uint32_t>(begin));
  TRY_VOID(buffer_->slice(begin + 4, std::uint64_t{count} * element_size));
  return FlatVector{begin + 4, count};
}

Result<FlatTable> FlatTable::element(const FlatVector& vector, std::uint32_t index) const {
  TRY(const auto target, buffer_->follow(vector.first + std::uint64_t{4} * index));
  return open(*buffer_, target);
}

}  // namespace picket::message
