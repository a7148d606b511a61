#include "duckdb/api.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// libduckdb.so comes without ThreadSanitizer, so its atomics are not seen and what it does to its own memory looks like
// races. Left out: accesses it makes itself through free, memcpy, locks and libstdc++; its strings and maps where they
// run our binary's instance of a template; result chunks, which its workers fill and only the query's thread reads.
// Everything of ours below its callbacks (the hot rows) is checked.
extern "C" const char* __tsan_default_suppressions() {  // NOLINT
  return "called_from_lib:libduckdb.so\n"
         "called_from_lib:libstdc++.so\n"
         "race:duckdb::Transformer::\n"
         "race:duckdb::DBConfig::\n"
         "race:picket::workspace::add_chunk\n";
}
#endif
#endif

namespace picket::workspace {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string_view text_of(duckdb_string_t& value) {
  return {duckdb_string_t_data(&value), duckdb_string_t_length(value)};
}

}  // namespace

std::string describe(const EngineError& error) {
  const std::string head = picket::describe(error.error);
  return error.text.empty() ? head : head + ": " + error.text;
}

Outcome<Database> open_instance(const std::vector<std::pair<std::string, std::string>>& settings) {
  Config config;
  if (duckdb_create_config(config.out()) != DuckDBSuccess) return engine_fail("workspace.open.config", "");
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config.get(), name.c_str(), value.c_str()) != DuckDBSuccess) {
      return engine_fail("workspace.open.setting", name);
    }
  }
  Database database;
  char* error = nullptr;
  if (duckdb_open_ext(nullptr, database.out(), config.get(), &error) != DuckDBSuccess) {
    std::string text = error == nullptr ? "" : error;
    duckdb_free(error);
    return engine_fail("workspace.open.instance", std::move(text));
  }
  return database;
}

Outcome<Connection> connect(const Database& database) {
  Connection connection;
  if (duckdb_connect(database.get(), connection.out()) != DuckDBSuccess) return engine_fail("workspace.connect", "");
  return connection;
}

Outcome<> run(const Connection& connection, const std::string& sql, std::string_view where) {
  ResultSet result;
  if (duckdb_query(connection.get(), sql.c_str(), result.get()) != DuckDBSuccess) {
    const char* text = duckdb_result_error(result.get());
    return engine_fail(where, text == nullptr ? "" : text, duckdb_result_error_type(result.get()));
  }
  return {};
}

Outcome<std::vector<std::string>> texts_of(const Connection& connection, const std::string& sql,
                                           std::string_view where) {
  ResultSet result;
  if (duckdb_query(connection.get(), sql.c_str(), result.get()) != DuckDBSuccess) {
    const char* text = duckdb_result_error(result.get());
    return engine_fail(where, text == nullptr ? "" : text, duckdb_result_error_type(result.get()));
  }
  std::vector<std::string> out;
  for (Chunk chunk(duckdb_fetch_chunk(*result.get())); chunk.get() != nullptr;
       chunk = Chunk(duckdb_fetch_chunk(*result.get()))) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), 0);
    auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    std::uint64_t* validity = duckdb_vector_get_validity(vector);
    for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk.get()); ++i) {
      const bool valid = validity == nullptr || duckdb_validity_row_is_valid(validity, i);
      out.emplace_back(valid ? text_of(texts[i]) : std::string_view{});
    }
  }
  return out;
}

std::string quote_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quote_text(std::string_view text) { return quoted(text, '\''); }

}  // namespace picket::workspace
