#include "duckdb/hot_vector.h"

#include <cstring>

namespace picket::workspace {
namespace {

constexpr std::uint32_t kInlineBytes = 12;

/// DuckDB's string_t: up to 12 bytes inline and zero-padded, else the first 4 and a pointer.
duckdb_string_t string_at(const std::byte* entry) {
  std::uint32_t size = 0;
  std::memcpy(&size, entry, sizeof(size));
  const char* text = reinterpret_cast<const char*>(entry + sizeof(size));
  duckdb_string_t out{};
  if (size <= kInlineBytes) {
    out.value.inlined.length = size;
    std::memcpy(out.value.inlined.inlined, text, size);
  } else {
    out.value.pointer.length = size;
    std::memcpy(out.value.pointer.prefix, text, sizeof(out.value.pointer.prefix));
    out.value.pointer.ptr = const_cast<char*>(text);  // the C API has no const; DuckDB only reads
  }
  return out;
}

std::uint64_t* writable_validity(duckdb_vector out) {
  duckdb_vector_ensure_validity_writable(out);
  return duckdb_vector_get_validity(out);
}

void fill_null(std::uint32_t rows, duckdb_vector out) {
  std::uint64_t* validity = writable_validity(out);
  for (std::uint32_t i = 0; i < rows; ++i) duckdb_validity_set_row_invalid(validity, i);
}

void fill_texts(const HotArena& arena, const std::byte* offsets, std::uint32_t rows, duckdb_vector out) {
  auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(out));
  std::uint64_t* validity = nullptr;
  for (std::uint32_t i = 0; i < rows; ++i) {
    std::uint32_t offset = 0;
    std::memcpy(&offset, offsets + i * sizeof(offset), sizeof(offset));
    if (offset != 0) {
      values[i] = string_at(arena.at(offset));
      continue;
    }
    if (validity == nullptr) validity = writable_validity(out);
    duckdb_validity_set_row_invalid(validity, i);
  }
}

void fill_fixed(const std::byte* memory, std::size_t width, std::uint32_t rows, duckdb_vector out) {
  std::memcpy(duckdb_vector_get_data(out), memory + kChunkRows, rows * width);
  if (std::memchr(memory, 0, rows) == nullptr) return;
  std::uint64_t* validity = writable_validity(out);
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (memory[i] == std::byte{0}) duckdb_validity_set_row_invalid(validity, i);
  }
}

}  // namespace

duckdb_type duckdb_type_of(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return DUCKDB_TYPE_BOOLEAN;
    case ColumnType::int32:
      return DUCKDB_TYPE_INTEGER;
    case ColumnType::int64:
      return DUCKDB_TYPE_BIGINT;
    case ColumnType::real:
      return DUCKDB_TYPE_DOUBLE;
    case ColumnType::timestamp:
      return DUCKDB_TYPE_TIMESTAMP;
    case ColumnType::text:
    case ColumnType::json:
      return DUCKDB_TYPE_VARCHAR;
  }
  return DUCKDB_TYPE_INVALID;
}

const char* sql_type_of(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return "BOOLEAN";
    case ColumnType::int32:
      return "INTEGER";
    case ColumnType::int64:
      return "BIGINT";
    case ColumnType::real:
      return "DOUBLE";
    case ColumnType::timestamp:
      return "TIMESTAMP";
    case ColumnType::text:
    case ColumnType::json:
      return "VARCHAR";
  }
  return "";
}

std::optional<std::int64_t> bits_in(const HotArena& arena, const HotPart& part, std::size_t column) {
  const std::uint32_t at = part.chunk->column(column);
  if (at == 0) return std::nullopt;
  const std::byte* memory = arena.at(at);
  if (std::memchr(memory, 0, part.rows) != nullptr) return std::nullopt;
  std::int64_t out = 0;
  for (std::uint32_t row = 0; row < part.rows; ++row) {
    std::int64_t value = 0;
    std::memcpy(&value, memory + kChunkRows + row * sizeof(value), sizeof(value));
    out |= value;
  }
  return out;
}

void fill_vector(const HotArena& arena, const HotPart& part, std::size_t column, ColumnType type, duckdb_vector out) {
  const std::uint32_t at = part.chunk->column(column);
  if (at == 0) return fill_null(part.rows, out);
  if (type == ColumnType::text || type == ColumnType::json) return fill_texts(arena, arena.at(at), part.rows, out);
  fill_fixed(arena.at(at), value_width(type), part.rows, out);
}

}  // namespace picket::workspace
