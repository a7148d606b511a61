#include "duckdb_runner.h"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "kql/duckdb.h"
#include "kql/location_file.h"
#include "kql/native_functions.h"

namespace picket::kql::testing {

namespace {

duckdb_value to_duckdb(const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value.data)) return duckdb_create_bool(*boolean);
  if (const auto* real = std::get_if<double>(&value.data)) return duckdb_create_double(*real);
  if (const auto* text = std::get_if<std::string>(&value.data))
    return duckdb_create_varchar_length(text->data(), text->size());
  const auto whole = std::get<std::int64_t>(value.data);
  return value.type == Type::datetime ? duckdb_create_timestamp({whole}) : duckdb_create_int64(whole);
}

std::string guid_text(duckdb_hugeint value) {
  const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63U);
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%08llx-%04llx-%04llx-%04llx-%012llx", upper >> 32U & 0xFFFFFFFFULL,
                upper >> 16U & 0xFFFFULL, upper & 0xFFFFULL, static_cast<unsigned long long>(value.lower >> 48U),
                static_cast<unsigned long long>(value.lower & 0xFFFFFFFFFFFFULL));
  return buffer.data();
}

std::string cell(Type type, duckdb_type stored, void* data, idx_t row) {
  switch (type) {
    case Type::boolean:
      return static_cast<bool*>(data)[row] ? "true" : "false";
    case Type::int32:
      return std::to_string(static_cast<std::int32_t*>(data)[row]);
    case Type::int64:
      return std::to_string(static_cast<std::int64_t*>(data)[row]);
    case Type::real:
      return real_text(static_cast<double*>(data)[row]);
    case Type::datetime:
      return datetime_text(static_cast<std::int64_t*>(data)[row]);
    case Type::timespan:
      return timespan_text(static_cast<std::int64_t*>(data)[row]);
    case Type::decimal: {
      auto& text = static_cast<duckdb_string_t*>(data)[row];
      return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
    }
    case Type::guid:
      return guid_text(static_cast<duckdb_hugeint*>(data)[row]);
    case Type::string:
    case Type::dynamic: {
      if (stored != DUCKDB_TYPE_VARCHAR) return "?";
      auto& text = static_cast<duckdb_string_t*>(data)[row];
      const std::string out(duckdb_string_t_data(&text), duckdb_string_t_length(text));
      return type == Type::string ? "\"" + out + "\"" : out;
    }
  }
  return "?";
}

/// The engine type that schema.h promises for each language type.
duckdb_type expected_type(Type type) {
  switch (type) {
    case Type::boolean:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::int32:
      return DUCKDB_TYPE_INTEGER;
    case Type::int64:
    case Type::timespan:
      return DUCKDB_TYPE_BIGINT;
    case Type::real:
      return DUCKDB_TYPE_DOUBLE;
    case Type::datetime:
      return DUCKDB_TYPE_TIMESTAMP;
    case Type::guid:
      return DUCKDB_TYPE_UUID;
    default:
      return DUCKDB_TYPE_VARCHAR;
  }
}

}  // namespace

DuckdbRunner::DuckdbRunner(const std::string& path) {
  EXPECT_EQ(duckdb_open(path.empty() ? nullptr : path.c_str(), &database_), DuckDBSuccess);
  EXPECT_EQ(duckdb_connect(database_, &connection_), DuckDBSuccess);
  EXPECT_TRUE(register_kql_functions(connection_).has_value());
  execute("SET threads = 1");
}

DuckdbRunner::~DuckdbRunner() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void DuckdbRunner::use_locations(const std::string& path) {
  const auto file = std::make_shared<LocationFile>(path);
  EXPECT_TRUE(file->refresh().has_value());
  EXPECT_TRUE(register_location_function(connection_, file).has_value());
}

void DuckdbRunner::execute(const std::string& sql) {
  duckdb_result result;
  EXPECT_EQ(duckdb_query(connection_, sql.c_str(), &result), DuckDBSuccess) << duckdb_result_error(&result);
  duckdb_destroy_result(&result);
}

std::expected<std::vector<std::string>, std::string> DuckdbRunner::run(const CompiledQuery& query) {
  duckdb_prepared_statement statement = nullptr;
  if (duckdb_prepare(connection_, query.sql.c_str(), &statement) != DuckDBSuccess) {
    std::string error = std::string("prepare: ") + duckdb_prepare_error(statement);
    duckdb_destroy_prepare(&statement);
    return std::unexpected(std::move(error));
  }
  for (std::size_t i = 0; i < query.binds.size(); ++i) {
    auto value = to_duckdb(query.binds[i]);
    duckdb_bind_value(statement, i + 1, value);
    duckdb_destroy_value(&value);
  }
  duckdb_result result;
  const auto state = duckdb_execute_prepared(statement, &result);
  duckdb_destroy_prepare(&statement);
  std::vector<std::string> rows;
  std::string error;
  if (state != DuckDBSuccess) {
    error = std::string("execute: ") + duckdb_result_error(&result);
  } else if (duckdb_column_count(&result) != query.columns.size()) {
    error = "the result has " + std::to_string(duckdb_column_count(&result)) + " columns";
  }
  for (idx_t i = 0; error.empty() && i < query.columns.size(); ++i) {
    const auto& column = query.columns[i];
    if (duckdb_column_type(&result, i) != expected_type(column.type)) {
      error = "column " + column.name + " has the engine type " + std::to_string(duckdb_column_type(&result, i));
    }
    if (duckdb_column_name(&result, i) != column.name)
      error = "column " + column.name + " has another name in the engine";
  }
  while (error.empty()) {
    auto chunk = duckdb_fetch_chunk(result);
    if (chunk == nullptr) break;
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); ++row) {
      std::string line;
      for (idx_t i = 0; i < query.columns.size(); ++i) {
        const auto vector = duckdb_data_chunk_get_vector(chunk, i);
        auto* const validity = duckdb_vector_get_validity(vector);
        const bool valid = validity == nullptr || duckdb_validity_row_is_valid(validity, row);
        const auto type = query.columns[i].type;
        line += (i > 0 ? " | " : "") +
                (valid ? cell(type, expected_type(type), duckdb_vector_get_data(vector), row) : std::string("null"));
        if (!valid && type == Type::string) error = "a string is NULL in column " + query.columns[i].name;
      }
      rows.push_back(std::move(line));
    }
    duckdb_destroy_data_chunk(&chunk);
  }
  duckdb_destroy_result(&result);
  if (!error.empty()) return std::unexpected(std::move(error));
  return rows;
}

}  // namespace picket::kql::testing
