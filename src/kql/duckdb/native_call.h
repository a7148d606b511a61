// How a plain C++ function becomes a scalar function of DuckDB: arguments from a chunk, rows with a null argument give
// null, nothing thrown passes. Private to the files that register functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <initializer_list>
#include <optional>
#include <stdexcept>
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

/// Bounds of one call, which has a chunk of at most 2,048 rows: DuckDB counts no memory of texts, and asks whether the
/// query shall end only between two calls.
inline constexpr std::size_t kCallTextBytesMax = 128U << 20;
inline constexpr std::chrono::seconds kCallTimeMax{5};  ///< Of the thread's CPU.

class Writer {
 public:
  explicit Writer(duckdb_vector vector) : vector_(vector), data_(duckdb_vector_get_data(vector)) {}
  void null(idx_t row) {
    duckdb_vector_ensure_validity_writable(vector_);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector_), row);
  }
  void put(idx_t row, const std::string& text) {
    bytes_ += text.size();
    if (bytes_ > kCallTextBytesMax) {
      throw std::runtime_error("Out of Memory Error: texts of more than 128 MiB for at most 2048 rows");
    }
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
  std::size_t bytes_ = 0;
};

/// Ends a call that takes too long. The wall clock, which is cheap, says when to ask for the CPU time.
class CallTimer {
 public:
  void check() {
    if (std::chrono::steady_clock::now() < ask_at_) return;
    if (cpu_ns() - begin_ns_ > std::chrono::nanoseconds(kCallTimeMax).count()) {
      throw std::runtime_error(
          "a function took more than 5 seconds of CPU for at most 2048 rows: give it shorter values");
    }
    ask_at_ += std::chrono::seconds(1);
  }

 private:
  static std::int64_t cpu_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  }
  std::int64_t begin_ns_ = cpu_ns();
  std::chrono::steady_clock::time_point ask_at_ = std::chrono::steady_clock::now() + kCallTimeMax;
};

template <auto function, class Out, class... Args, std::size_t... index>
void run_rows(duckdb_data_chunk input, duckdb_vector output, Out (*)(Args...), std::index_sequence<index...>) {
  const std::tuple<Reader<Args>...> readers{Reader<Args>(input, index)...};
  Writer writer(output);
  CallTimer timer;
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    timer.check();
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

/// What DuckDB calls. No exception may pass; those that come are of limits, and of memory running out.
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
