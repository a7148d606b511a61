// RAII and error values over DuckDB's C API. Nothing outside this folder sees duckdb.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <duckdb.h>

#include "base/core/result.h"

namespace picket::workspace {

/// An Error and what the engine said about it, for the operator.
struct EngineError {
  Error error;
  std::string text;
  duckdb_error_type type = DUCKDB_ERROR_INVALID;

  EngineError(Error e, std::string t = {}, duckdb_error_type k = DUCKDB_ERROR_INVALID)
      : error(e), text(std::move(t)), type(k) {}
};
/// "workspace.seal.commit: internal: <DuckDB's text>".
std::string describe(const EngineError& error);

template <class T = void>
using Outcome = std::expected<T, EngineError>;

[[nodiscard]] inline std::unexpected<EngineError> engine_fail(std::string_view where, std::string text,
                                                              duckdb_error_type type = DUCKDB_ERROR_INVALID) {
  return std::unexpected(EngineError(Error{Errc::internal, where}, std::move(text), type));
}

/// Owns one object of the C API.
template <class T, auto Destroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = std::exchange(other.value_, nullptr);
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  [[nodiscard]] T get() const { return value_; }
  /// For out parameters; the handle must be empty.
  [[nodiscard]] T* out() { return &value_; }
  void reset() {
    if (value_ != nullptr) Destroy(&value_);
    value_ = nullptr;
  }

 private:
  T value_ = nullptr;
};

using Config = Handle<duckdb_config, duckdb_destroy_config>;
using Database = Handle<duckdb_database, duckdb_close>;
using Connection = Handle<duckdb_connection, duckdb_disconnect>;
using Prepared = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Pending = Handle<duckdb_pending_result, duckdb_destroy_pending>;
using LogicalType = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using Chunk = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using TableFunction = Handle<duckdb_table_function, duckdb_destroy_table_function>;
using Value = Handle<duckdb_value, duckdb_destroy_value>;
inline void destroy_appender(duckdb_appender* appender) { duckdb_appender_destroy(appender); }
using Appender = Handle<duckdb_appender, destroy_appender>;

class ResultSet {
 public:
  ResultSet() = default;
  ResultSet(const ResultSet&) = delete;
  ResultSet& operator=(const ResultSet&) = delete;
  ~ResultSet() { duckdb_destroy_result(&result_); }
  [[nodiscard]] duckdb_result* get() { return &result_; }

 private:
  duckdb_result result_{};
};

/// An in-memory instance with these settings. `where` names the failure.
Outcome<Database> open_instance(const std::vector<std::pair<std::string, std::string>>& settings);
Outcome<Connection> connect(const Database& database);
/// Runs one statement and drops its rows.
Outcome<> run(const Connection& connection, const std::string& sql, std::string_view where);
/// First column of all rows, as text; null becomes "".
Outcome<std::vector<std::string>> texts_of(const Connection& connection, const std::string& sql,
                                           std::string_view where);

/// "name" with quotes doubled.
std::string quote_identifier(std::string_view name);
/// 'text' with quotes doubled.
std::string quote_text(std::string_view text);

}  // namespace picket::workspace
