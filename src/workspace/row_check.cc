#include "row_check.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/core/encoding.h"

namespace picket::workspace {
namespace {

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080ULL) != 0) return false;
  }
  return std::all_of(text.begin() + i, text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Bytes of the UTF-8 character at the beginning of `text`; 0: there is none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t n = 1; n <= std::min<std::size_t>(4, text.size()); ++n) {
    if (is_utf8(text.substr(0, n))) return n;
  }
  return 0;
}

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t n = character_bytes(text);
    out += n == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

Cell::Kind kind_of(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return Cell::Kind::boolean;
    case ColumnType::int32:
    case ColumnType::int64:
      return Cell::Kind::integer;
    case ColumnType::real:
      return Cell::Kind::real;
    case ColumnType::timestamp:
      return Cell::Kind::timestamp;
    case ColumnType::text:
    case ColumnType::json:
      return Cell::Kind::text;
  }
  return Cell::Kind::null;
}

bool fits_int32(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
}

Result<> check_text(std::string_view text, std::size_t row, std::size_t cell, CheckedRows& out) {
  if (text.size() > kTextBytesMax) return fail(Errc::malformed, "workspace.append.text", row);
  std::size_t bytes = text.size();
  if (!is_ascii(text) && !is_utf8(text)) {
    out.repairs.push_back({row, cell, repaired(text)});
    bytes = out.repairs.back().text.size();
  }
  out.text_bytes += bytes;
  ++out.text_cells;
  return {};
}

Result<> check_row(const TableSchema& table, const Row& row, std::size_t index, CheckedRows& out) {
  if (row.cells.size() > table.columns.size()) return fail(Errc::malformed, "workspace.append.cells", index);
  if (!fits_int32(row.id.event) || !fits_int32(row.id.item))
    return fail(Errc::malformed, "workspace.append.int32", index);
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const Cell& cell = row.cells[i];
    if (cell.is_null()) continue;
    const ColumnType type = table.columns[i].type;
    if (cell.kind() != kind_of(type)) return fail(Errc::malformed, "workspace.append.cell_type", index);
    if (type == ColumnType::int32 && !fits_int32(cell.as_integer())) {
      return fail(Errc::malformed, "workspace.append.int32", index);
    }
    if (cell.kind() == Cell::Kind::text) TRY_VOID(check_text(cell.as_text(), index, i, out));
  }
  return {};
}

}  // namespace

Result<CheckedRows> check_rows(const Schema& schema, std::string_view stream, std::uint64_t held, std::uint64_t through,
                               std::span<const Row> rows) {
  if (through > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fail(Errc::malformed, "workspace.append.order");
  }
  const auto is_held = [&](const Row& row) { return row.id.sequence <= held; };
  CheckedRows out;
  out.fresh = rows.subspan(static_cast<std::size_t>(std::ranges::find_if_not(rows, is_held) - rows.begin()));
  out.rows_of_table.resize(schema.tables.size());
  RowId before{held, std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::uint32_t>::max()};
  for (std::size_t i = 0; i < out.fresh.size(); ++i) {
    const Row& row = out.fresh[i];
    if (row.id <= before || row.id.sequence > through) return fail(Errc::malformed, "workspace.append.order", i);
    before = row.id;
    if (row.table >= schema.tables.size() || schema.tables[row.table].stream != stream) {
      return fail(Errc::malformed, "workspace.append.table", i);
    }
    TRY_VOID(check_row(schema.tables[row.table], row, i, out));
    ++out.rows_of_table[row.table];
  }
  return out;
}

}  // namespace picket::workspace
