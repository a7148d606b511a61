#include "duckdb/result_reader.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace picket::workspace {
namespace {

std::unexpected<QueryError> invalid(std::string text) {
  return std::unexpected(QueryError{QueryError::Kind::invalid, std::move(text)});
}

bool is_json(duckdb_logical_type type) {
  char* alias = duckdb_logical_type_get_alias(type);
  const bool json = alias != nullptr && std::string_view(alias) == "JSON";
  duckdb_free(alias);
  return json;
}

std::optional<ColumnType> column_type(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return ColumnType::boolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_SQLNULL:
      return ColumnType::int32;
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
      return ColumnType::int64;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return ColumnType::real;
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return ColumnType::timestamp;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_UUID:
      return ColumnType::text;
    default:
      return std::nullopt;
  }
}

/// One column of a chunk.
struct Source {
  duckdb_type type;
  void* data;
  std::uint64_t* validity;
  double decimal_scale = 1;
  duckdb_type decimal_storage = DUCKDB_TYPE_INVALID;

  template <class T>
  [[nodiscard]] T value(idx_t row) const {
    return static_cast<const T*>(data)[row];
  }
};

Source source_of(duckdb_vector vector) {
  const LogicalType type(duckdb_vector_get_column_type(vector));
  Source out{duckdb_get_type_id(type.get()), duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)};
  if (out.type == DUCKDB_TYPE_DECIMAL) {
    out.decimal_scale = std::pow(10.0, duckdb_decimal_scale(type.get()));
    out.decimal_storage = duckdb_decimal_internal_type(type.get());
  }
  return out;
}

double decimal_value(const Source& source, idx_t row) {
  switch (source.decimal_storage) {
    case DUCKDB_TYPE_SMALLINT:
      return source.value<std::int16_t>(row) / source.decimal_scale;
    case DUCKDB_TYPE_INTEGER:
      return source.value<std::int32_t>(row) / source.decimal_scale;
    case DUCKDB_TYPE_BIGINT:
      return static_cast<double>(source.value<std::int64_t>(row)) / source.decimal_scale;
    default:
      return duckdb_hugeint_to_double(source.value<duckdb_hugeint>(row)) / source.decimal_scale;
  }
}

/// nullopt: beyond 64 bits.
std::optional<std::int64_t> integer_value(const Source& source, idx_t row) {
  constexpr std::int64_t kUsPerDay = 86'400'000'000;
  switch (source.type) {
    case DUCKDB_TYPE_BOOLEAN:
      return source.value<bool>(row) ? 1 : 0;
    case DUCKDB_TYPE_TINYINT:
      return source.value<std::int8_t>(row);
    case DUCKDB_TYPE_SMALLINT:
      return source.value<std::int16_t>(row);
    case DUCKDB_TYPE_INTEGER:
      return source.value<std::int32_t>(row);
    case DUCKDB_TYPE_UTINYINT:
      return source.value<std::uint8_t>(row);
    case DUCKDB_TYPE_USMALLINT:
      return source.value<std::uint16_t>(row);
    case DUCKDB_TYPE_UINTEGER:
      return source.value<std::uint32_t>(row);
    case DUCKDB_TYPE_DATE:
      return source.value<std::int32_t>(row) * kUsPerDay;
    case DUCKDB_TYPE_TIMESTAMP_S:
      return source.value<std::int64_t>(row) * 1'000'000;
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return source.value<std::int64_t>(row) * 1'000;
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return source.value<std::int64_t>(row) / 1'000;
    case DUCKDB_TYPE_UBIGINT: {
      const auto value = source.value<std::uint64_t>(row);
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    case DUCKDB_TYPE_HUGEINT: {
      const auto value = source.value<duckdb_hugeint>(row);
      const auto lower = static_cast<std::int64_t>(value.lower);
      if (value.upper != (lower < 0 ? -1 : 0)) return std::nullopt;
      return lower;
    }
    default:
      return source.value<std::int64_t>(row);
  }
}

/// 36 characters. DuckDB keeps the 128 bits with the first one flipped, so that they sort as a signed number.
std::string uuid_text(duckdb_hugeint value) {
  const std::uint64_t upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
  std::string hex = fmt::format("{:016x}{:016x}", upper, value.lower);
  for (const std::size_t dash : {8, 13, 18, 23}) hex.insert(dash, 1, '-');
  return hex;
}

std::expected<void, QueryError> push(const Source& source, idx_t row, ResultColumn& column) {
  if (source.validity != nullptr && !duckdb_validity_row_is_valid(source.validity, row)) {
    column.push_null();
    return {};
  }
  switch (column.type()) {
    case ColumnType::text:
    case ColumnType::json: {
      if (source.type == DUCKDB_TYPE_UUID) {
        column.push_text(uuid_text(source.value<duckdb_hugeint>(row)));
        return {};
      }
      auto text = source.value<duckdb_string_t>(row);
      column.push_text({duckdb_string_t_data(&text), duckdb_string_t_length(text)});
      return {};
    }
    case ColumnType::real:
      column.push_real(source.type == DUCKDB_TYPE_DECIMAL ? decimal_value(source, row)
                       : source.type == DUCKDB_TYPE_FLOAT ? static_cast<double>(source.value<float>(row))
                                                          : source.value<double>(row));
      return {};
    default: {
      const auto value = integer_value(source, row);
      if (!value) return invalid("column " + column.name() + ": a number does not fit 64 bits");
      column.push_integer(*value);
      return {};
    }
  }
}

}  // namespace

std::expected<QueryResult, QueryError> make_result(duckdb_result* result) {
  QueryResult out;
  for (idx_t i = 0; i < duckdb_column_count(result); ++i) {
    const LogicalType logical(duckdb_column_logical_type(result, i));
    const std::string name = duckdb_column_name(result, i);
    auto type = column_type(duckdb_get_type_id(logical.get()));
    if (!type) return invalid("column " + name + " has a type that a result cannot carry; turn it into text or JSON");
    if (*type == ColumnType::text && is_json(logical.get())) type = ColumnType::json;
    out.columns.emplace_back(name, *type);
  }
  return out;
}

std::expected<bool, QueryError> add_chunk(duckdb_data_chunk chunk, const QueryRequest& request, QueryResult& out) {
  std::vector<Source> sources;
  for (idx_t i = 0; i < out.columns.size(); ++i) sources.push_back(source_of(duckdb_data_chunk_get_vector(chunk, i)));
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); ++row) {
    std::size_t bytes = 0;
    if (out.rows < request.rows_max) {
      for (std::size_t i = 0; i < sources.size(); ++i) {
        if (auto pushed = push(sources[i], row, out.columns[i]); !pushed)
          return std::unexpected(std::move(pushed).error());
        bytes += out.columns[i].bytes();
      }
    }
    if (out.rows == request.rows_max || bytes > request.bytes_max) {
      for (ResultColumn& column : out.columns) column.truncate(out.rows);
      out.truncated = true;
      out.cut = out.rows == request.rows_max ? Cut::rows : Cut::bytes;
      return false;
    }
    ++out.rows;
  }
  return true;
}

}  // namespace picket::workspace
