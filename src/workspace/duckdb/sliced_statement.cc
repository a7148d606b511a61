#include "duckdb/sliced_statement.h"

namespace picket::workspace {
namespace {

std::string text_of(const char* text) { return text == nullptr ? std::string{} : std::string(text); }

}  // namespace

Outcome<std::unique_ptr<SlicedStatement>> SlicedStatement::start(const Connection& connection, const std::string& sql,
                                                                 std::string_view where) {
  std::unique_ptr<SlicedStatement> out(new SlicedStatement(where));
  if (duckdb_prepare(connection.get(), sql.c_str(), out->prepared_.out()) != DuckDBSuccess) {
    return engine_fail(where, text_of(duckdb_prepare_error(out->prepared_.get())));
  }
  if (duckdb_pending_prepared(out->prepared_.get(), out->pending_.out()) != DuckDBSuccess) {
    return engine_fail(where, text_of(duckdb_pending_error(out->pending_.get())));
  }
  return out;
}

Outcome<bool> SlicedStatement::run_for(std::chrono::milliseconds slice) {
  const auto end = std::chrono::steady_clock::now() + slice;
  do {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending_.get());
    if (state == DUCKDB_PENDING_ERROR) return engine_fail(where_, text_of(duckdb_pending_error(pending_.get())));
    if (!duckdb_pending_execution_is_finished(state)) continue;
    ResultSet result;
    if (duckdb_execute_pending(pending_.get(), result.get()) != DuckDBSuccess) {
      return engine_fail(where_, text_of(duckdb_result_error(result.get())), duckdb_result_error_type(result.get()));
    }
    return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace picket::workspace
