#include <array>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "kql/duckdb.h"
#include "kql/native_dynamic.h"
#include "kql/native_functions.h"
#include "kql/native_series.h"
#include "kql/native_text.h"

namespace picket::kql {

namespace {

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

constexpr auto kText = DUCKDB_TYPE_VARCHAR;
constexpr auto kLong = DUCKDB_TYPE_BIGINT;
constexpr auto kReal = DUCKDB_TYPE_DOUBLE;
constexpr auto kBool = DUCKDB_TYPE_BOOLEAN;
constexpr auto kTime = DUCKDB_TYPE_TIMESTAMP;

Result<> register_one(duckdb_connection connection, const Native& native) {
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

}  // namespace

Result<> register_kql_functions(duckdb_connection connection) {
  const Native natives[] = {
      {"kql_has", {kText, kText}, kBool, run<&has_term>},
      {"kql_has_cs", {kText, kText}, kBool, run<&has_term_cs>},
      {"kql_hasprefix", {kText, kText}, kBool, run<&has_term_prefix>},
      {"kql_hasprefix_cs", {kText, kText}, kBool, run<&has_term_prefix_cs>},
      {"kql_hassuffix", {kText, kText}, kBool, run<&has_term_suffix>},
      {"kql_hassuffix_cs", {kText, kText}, kBool, run<&has_term_suffix_cs>},
      {"kql_parse_long", {kText}, kLong, run<&parse_long>},
      {"kql_parse_real", {kText}, kReal, run<&parse_real>},
      {"kql_parse_bool", {kText}, kBool, run<&parse_bool>},
      {"kql_parse_datetime", {kText}, kTime, run<&parse_datetime>},
      {"kql_parse_timespan", {kText}, kLong, run<&parse_timespan>},
      {"kql_parse_guid", {kText}, kText, run<&parse_guid>},
      {"kql_real_text", {kReal}, kText, run<&real_text>},
      {"kql_datetime_text", {kTime}, kText, run<&datetime_text>},
      {"kql_timespan_text", {kLong}, kText, run<&timespan_text>},
      {"kql_dynamic_text", {kText}, kText, run<&dynamic_text>},
      {"kql_dynamic_long", {kText}, kLong, run<&dynamic_long>},
      {"kql_dynamic_real", {kText}, kReal, run<&dynamic_real>},
      {"kql_dynamic_whole", {kText}, kLong, run<&dynamic_whole>},
      {"kql_dynamic_number", {kText}, kReal, run<&dynamic_number>},
      {"kql_dynamic_bool", {kText}, kBool, run<&dynamic_bool>},
      {"kql_dynamic_datetime", {kText}, kTime, run<&dynamic_datetime>},
      {"kql_dynamic_timespan", {kText}, kLong, run<&dynamic_timespan>},
      {"kql_substring", {kText, kLong, kLong}, kText, run<&substring>},
      {"kql_ipv4_is_private", {kText}, kBool, run<&ipv4_is_private>},
      {"kql_base64_text", {kText}, kText, run<&base64_text>},
      {"kql_array_concat", {kText, kText}, kText, run<&array_concat>},
      {"kql_set_union", {kText, kText}, kText, run<&set_union>},
      {"kql_set_intersect", {kText, kText}, kText, run<&set_intersect>},
      {"kql_set_difference", {kText, kText}, kText, run<&set_difference>},
      {"kql_bag_merge", {kText, kText}, kText, run<&bag_merge>},
      {"kql_bag_remove_keys", {kText, kText}, kText, run<&bag_remove_keys>},
      {"kql_bag_zip", {kText, kText}, kText, run<&bag_zip>},
      {"kql_parse_command_line", {kText, kText}, kText, run<&parse_command_line>},
      {"kql_ipv4_range_to_cidr_list", {kText, kText}, kText, run<&ipv4_range_to_cidr_list>},
      {"kql_series_one", {kText, kText}, kText, run<&series_one>},
      {"kql_series_outliers", {kText, kText}, kText, run<&series_outliers>},
      {"kql_strcat_array", {kText, kText}, kText, run<&strcat_array>},
      {"kql_array_iff", {kText, kText, kText}, kText, run<&array_iff>},
      {"kql_bag_set_key", {kText, kText, kText}, kText, run<&bag_set_key>},
      {"kql_replace_strings", {kText, kText, kText}, kText, run<&replace_strings>},
      {"kql_translate", {kText, kText, kText}, kText, run<&translate>},
      {"kql_series_pair", {kText, kText, kText}, kText, run<&series_pair>},
      {"kql_series_iir", {kText, kText, kText}, kText, run<&series_iir>},
      {"kql_array_index_of", {kText, kText, kLong, kLong, kLong}, kLong, run<&array_index_of>},
      {"kql_array_reverse", {kText}, kText, run<&array_reverse>},
      {"kql_array_rotate", {kText, kLong}, kText, run<&array_rotate>},
      {"kql_array_shift", {kText, kLong, kText}, kText, run<&array_shift>},
      {"kql_array_slice", {kText, kLong, kLong}, kText, run<&array_slice>},
      {"kql_array_split", {kText, kText}, kText, run<&array_split>},
      {"kql_array_sort", {kText, kBool, kBool}, kText, run<&array_sort>},
      {"kql_array_sum", {kText}, kReal, run<&array_sum>},
      {"kql_zip_arrays", {kText}, kText, run<&zip_arrays>},
      {"kql_repeat_value", {kText, kLong}, kText, run<&repeat_value>},
      {"kql_range_long", {kLong, kLong, kLong}, kText, run<&range_long>},
      {"kql_range_real", {kReal, kReal, kReal}, kText, run<&range_real>},
      {"kql_range_time", {kTime, kTime, kLong}, kText, run<&range_time>},
      {"kql_range_span", {kLong, kLong, kLong}, kText, run<&range_span>},
      {"kql_set_has_element", {kText, kText}, kBool, run<&set_has_element>},
      {"kql_set_equals", {kText, kText}, kBool, run<&set_equals>},
      {"kql_bag_has_key", {kText, kText}, kBool, run<&bag_has_key>},
      {"kql_in_list", {kText, kText}, kBool, run<&in_list>},
      {"kql_in_list_folded", {kText, kText}, kBool, run<&in_list_folded>},
      {"kql_has_any_of", {kText, kText}, kBool, run<&has_any_of>},
      {"kql_has_all_of", {kText, kText}, kBool, run<&has_all_of>},
      {"kql_ipv4_is_in_range", {kText, kText}, kBool, run<&ipv4_is_in_range>},
      {"kql_ipv6_is_in_range", {kText, kText}, kBool, run<&ipv6_is_in_range>},
      {"kql_has_ipv4", {kText, kText}, kBool, run<&has_ipv4>},
      {"kql_has_ipv4_prefix", {kText, kText}, kBool, run<&has_ipv4_prefix>},
      {"kql_jaccard_index", {kText, kText}, kReal, run<&jaccard_index>},
      {"kql_has_any_index", {kText, kText}, kLong, run<&has_any_index>},
      {"kql_count_of", {kText, kText}, kLong, run<&count_of>},
      {"kql_bag_of_pairs", {kText}, kText, run<&bag_of_pairs>},
      {"kql_bag_of_pairs_not_empty", {kText}, kText, run<&bag_of_pairs_not_empty>},
      {"kql_make_bag", {kText}, kText, run<&make_bag>},
      {"kql_treepath", {kText}, kText, run<&treepath>},
      {"kql_bag_schema", {kText}, kText, run<&bag_schema>},
      {"kql_json_type_name", {kText}, kText, run<&json_type_name>},
      {"kql_code_points", {kText}, kText, run<&code_points>},
      {"kql_from_code_points", {kText}, kText, run<&from_code_points>},
      {"kql_url_encode", {kText}, kText, run<&url_encode>},
      {"kql_url_encode_component", {kText}, kText, run<&url_encode_component>},
      {"kql_url_decode", {kText}, kText, run<&url_decode>},
      {"kql_base64_encode", {kText}, kText, run<&base64_encode>},
      {"kql_base64_to_array", {kText}, kText, run<&base64_to_array>},
      {"kql_quote_regex", {kText}, kText, run<&quote_regex>},
      {"kql_parse_url", {kText}, kText, run<&parse_url>},
      {"kql_parse_url_query", {kText}, kText, run<&parse_url_query>},
      {"kql_parse_path", {kText}, kText, run<&parse_path>},
      {"kql_parse_csv", {kText}, kText, run<&parse_csv>},
      {"kql_parse_ipv6", {kText}, kText, run<&parse_ipv6>},
      {"kql_series_stats", {kText}, kText, run<&series_stats>},
      {"kql_series_fit_line", {kText}, kText, run<&series_fit_line>},
      {"kql_series_fit_2lines", {kText}, kText, run<&series_fit_2lines>},
      {"kql_flat_set", {kText, kLong}, kText, run<&flat_set>},
      {"kql_bag_entries", {kText, kBool}, kText, run<&bag_entries>},
      {"kql_spread", {kText, kText, kLong, kLong, kText}, kText, run<&spread>},
      {"kql_axis_time", {kLong, kLong, kTime, kLong}, kText, run<&axis_time>},
      {"kql_axis_span", {kLong, kLong, kLong, kLong}, kText, run<&axis_span>},
      {"kql_axis_long", {kLong, kLong, kLong, kLong}, kText, run<&axis_long>},
      {"kql_axis_real", {kLong, kLong, kReal, kReal}, kText, run<&axis_real>},
      {"kql_series_fold", {kText, kText}, kReal, run<&series_fold>},
      {"kql_series_measure", {kText, kText, kText}, kReal, run<&series_measure>},
      {"kql_series_fill", {kText, kText, kText, kText}, kText, run<&series_fill>},
      {"kql_series_fir", {kText, kText, kBool, kBool}, kText, run<&series_fir>},
      {"kql_series_decompose", {kText, kLong, kText, kLong, kReal}, kText, run<&series_decompose>},
      {"kql_series_anomalies", {kText, kReal, kLong, kText, kLong, kText, kReal}, kText, run<&series_anomalies>},
      {"kql_series_forecast", {kText, kLong, kLong, kText, kReal}, kText, run<&series_forecast>},
      {"kql_index_of", {kText, kText, kLong, kLong, kLong}, kLong, run<&index_of>},
      {"kql_is_ascii", {kText}, kBool, run<&is_ascii>},
      {"kql_to_hex_text", {kLong, kLong}, kText, run<&to_hex_text>},
      {"kql_format_bytes", {kReal, kLong, kText}, kText, run<&format_bytes>},
      {"kql_parse_part", {kText, kText, kLong}, kText, run<&parse_part>},
      {"kql_parse_kv", {kText, kText, kText, kText, kText}, kText, run<&parse_kv>},
      {"kql_parse_ipv4", {kText}, kLong, run<&parse_ipv4>},
      {"kql_parse_ipv4_mask", {kText, kLong}, kLong, run<&parse_ipv4_mask>},
      {"kql_format_ipv4", {kLong, kLong}, kText, run<&format_ipv4>},
      {"kql_format_ipv4_mask", {kLong, kLong}, kText, run<&format_ipv4_mask>},
      {"kql_ipv4_compare", {kText, kText, kLong}, kLong, run<&ipv4_compare>},
      {"kql_ipv4_netmask_suffix", {kText}, kLong, run<&ipv4_netmask_suffix>},
      {"kql_ipv6_compare", {kText, kText, kLong}, kLong, run<&ipv6_compare>},
      {"kql_format_datetime", {kTime, kText}, kText, run<&format_datetime>},
      {"kql_format_timespan", {kLong, kText}, kText, run<&format_timespan>},
      {"kql_geo_distance", {kReal, kReal, kReal, kReal}, kReal, run<&geo_distance>},
      {"kql_shift_left", {kLong, kLong}, kLong, run<&shift_left>},
  };
  for (const auto& native : natives) TRY_VOID(register_one(connection, native));
  return {};
}

}  // namespace picket::kql
