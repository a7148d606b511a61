// How a plain C++ function becomes a scalar function of DuckDB: arguments from a chunk, rows with a null argument give
// null, nothing thrown passes. Private to the files that register functions.
#pragma once

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <duckdb.h>

#include "base/core/result.h"

namespace picket::kql::native {

/// One argument column of a chunk. DuckDB flattens the chunk before it calls.
template <class T>
class Reader {
 public:
  Reader(duckdb_data_chunk chunk, idx_t column) {
    const auto vector = duckdb_data_chunk_get_vector(chunk, column);
    data_ = duckdb_vector_get_data(vector);
    validity_ = duckdb_vector_get_validity(vector);
  }
  [[nodiscard]] bool valid(idx_t row) const {
    return validity_ == nullptr || duckdb_validity_row_is_valid(validity_, row);
  }
  [[nodiscard]] T get(idx_t row) const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      auto& text = static_cast<duckdb_string_t*>(data_)[row];
      return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
    } else {
      return static_cast<const T*>(data_)[row];
    }
  }

 private:
  void* data_ = nullptr;
  std::uint64_t* validity_ = nullptr;
};

class Writer {
 public:
  explicit Writer(duckdb_vector vector) : vector_(vector), data_(duckdb_vector_get_data(vector)) {}
  void null(idx_t row) {
    duckdb_vector_ensure_validity_writable(vector_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector_), row);
  }
  void put(idx_t row, const std::string& text) {
    duckdb_vector_assign_string_element_len(vector_, row, text.data(), text.size());
  }
  template <class T>
  void put(idx_t row, T value) {
    static_cast<T*>(data_)[row] = value;
  }
  template <class T>
  void put(idx_t row, const std::optional<T>& value) {
    if (value) {
      put(row, *value);
    } else {
      null(row);
    }
  }

 private:
  duckdb_vector vector_;
  void* data_;
};

template <auto function, class Out, class... Args, std::size_t... index>
void run_rows(duckdb_data_chunk input, duckdb_vector output, Out (*)(Args...), std::index_sequence<index...>) {
  const std::tuple<Reader<Args>...> readers{Reader<Args>(input, index)...};
  Writer writer(output);
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    if ((std::get<index>(readers).valid(row) && ...)) {
      writer.put(row, function(std::get<index>(readers).get(row)...));
    } else {
      writer.null(row);
    }
  }
}

template <class Out, class... Args>
constexpr std::size_t arity(Out (*)(Args...)) {
  return sizeof...(Args);
}

/// What DuckDB calls. No exception may pass: the only one possible is memory running out.
template <auto function>
void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  try {
    run_rows<function>(input, output, function, std::make_index_sequence<arity(function)>{});
  } catch (const std::exception& error) {
    duckdb_scalar_function_set_error(info, error.what());
  }
}

struct Native {
  const char* name;
  std::initializer_list<duckdb_type> arguments;
  duckdb_type result;
  duckdb_scalar_function_t run;
};

inline constexpr auto kText = DUCKDB_TYPE_VARCHAR;
inline constexpr auto kLong = DUCKDB_TYPE_BIGINT;
inline constexpr auto kReal = DUCKDB_TYPE_DOUBLE;
inline constexpr auto kBool = DUCKDB_TYPE_BOOLEAN;
inline constexpr auto kTime = DUCKDB_TYPE_TIMESTAMP;

inline Result<> register_one(duckdb_connection connection, const Native& native) {
  auto function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, native.name);
  for (const auto type : native.arguments) {
    auto logical = duckdb_create_logical_type(type);
    duckdb_scalar_function_add_parameter(function, logical);
    duckdb_destroy_logical_type(&logical);
  }
  auto result = duckdb_create_logical_type(native.result);
  duckdb_scalar_function_set_return_type(function, result);
  duckdb_destroy_logical_type(&result);
  duckdb_scalar_function_set_function(function, native.run);
  const auto state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  if (state != DuckDBSuccess) return fail(Errc::internal, "kql.duckdb.register");
  return {};
}

}  // namespace picket::kql::native
