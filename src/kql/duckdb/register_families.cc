#include "register_families.h"

#include "kql/native_decimal.h"
#include "kql/native_families.h"
#include "kql/native_text.h"
#include "native_call.h"

namespace picket::kql {

Result<> register_families(duckdb_connection connection) {
  using namespace native;
  const Native natives[] = {
      {"kql_decimal_parse", {kText}, kText, run<&decimal_parse>},
      {"kql_decimal_text", {kText}, kText, run<&decimal_text>},
      {"kql_decimal_of_long", {kLong}, kText, run<&decimal_of_long>},
      {"kql_decimal_of_real", {kReal}, kText, run<&decimal_of_real>},
      {"kql_decimal_real", {kText}, kReal, run<&decimal_real>},
      {"kql_decimal_long", {kText}, kLong, run<&decimal_long>},
      {"kql_decimal_add", {kText, kText}, kText, run<&decimal_add>},
      {"kql_decimal_subtract", {kText, kText}, kText, run<&decimal_subtract>},
      {"kql_decimal_multiply", {kText, kText}, kText, run<&decimal_multiply>},
      {"kql_decimal_divide", {kText, kText}, kText, run<&decimal_divide>},
      {"kql_decimal_modulo", {kText, kText}, kText, run<&decimal_modulo>},
      {"kql_decimal_negate", {kText}, kText, run<&decimal_negate>},
      {"kql_decimal_bin", {kText, kText}, kText, run<&decimal_bin>},
      {"kql_decimal_round", {kText, kLong}, kText, run<&decimal_round>},
      {"kql_decimal_ceiling", {kText}, kText, run<&decimal_ceiling>},
      {"kql_decimal_abs", {kText}, kText, run<&decimal_abs>},
      {"kql_decimal_sum", {kText}, kText, run<&decimal_sum>},
      {"kql_decimal_average", {kText}, kText, run<&decimal_average>},
      {"kql_xxhash_text", {kText}, kLong, run<&xxhash_text>},
      {"kql_xxhash_time", {kTime}, kLong, run<&xxhash_time>},
      {"kql_parse_version", {kText}, kText, run<&parse_version>},
      {"kql_regex_index", {kText, kText, kLong, kLong}, kLong, run<&regex_index>},
      {"kql_base64_of_guid", {kText}, kText, run<&base64_of_guid>},
      {"kql_base64_of_array", {kText}, kText, run<&base64_of_array>},
      {"kql_punycode_encode", {kText}, kText, run<&punycode_encode>},
      {"kql_punycode_decode", {kText}, kText, run<&punycode_decode>},
      {"kql_punycode_domain_encode", {kText}, kText, run<&punycode_domain_encode>},
      {"kql_punycode_domain_decode", {kText}, kText, run<&punycode_domain_decode>},
      {"kql_gzip_text", {kText}, kText, run<&gzip_text>},
      {"kql_zlib_text", {kText}, kText, run<&zlib_text>},
      {"kql_parse_xml", {kText}, kText, run<&parse_xml>},
      {"kql_parse_ipv6_mask", {kText, kLong}, kText, run<&parse_ipv6_mask>},
      {"kql_ipv6_is_in_any_range", {kText, kText}, kBool, run<&ipv6_is_in_any_range>},
      {"kql_error_function", {kReal}, kReal, run<&error_function>},
      {"kql_error_function_rest", {kReal}, kReal, run<&error_function_rest>},
      {"kql_beta_cdf", {kReal, kReal, kReal}, kReal, run<&beta_cdf>},
      {"kql_beta_inv", {kReal, kReal, kReal}, kReal, run<&beta_inv>},
      {"kql_beta_pdf", {kReal, kReal, kReal}, kReal, run<&beta_pdf>},
      {"kql_welch_test", {kReal, kReal, kReal, kReal, kReal, kReal}, kReal, run<&welch_test>},
      {"kql_geo_point_in_circle", {kReal, kReal, kReal, kReal, kReal}, kBool, run<&geo_point_in_circle>},
      {"kql_geo_point_in_polygon", {kReal, kReal, kText}, kBool, run<&geo_point_in_polygon>},
      {"kql_geo_distance_to_line", {kReal, kReal, kText}, kReal, run<&geo_distance_to_line>},
      {"kql_geo_distance_to_polygon", {kReal, kReal, kText}, kReal, run<&geo_distance_to_polygon>},
      {"kql_geo_line_length", {kText}, kReal, run<&geo_line_length>},
      {"kql_geo_polygon_area", {kText}, kReal, run<&geo_polygon_area>},
      {"kql_geo_polygon_perimeter", {kText}, kReal, run<&geo_polygon_perimeter>},
      {"kql_geo_azimuth", {kReal, kReal, kReal, kReal}, kReal, run<&geo_azimuth>},
      {"kql_geo_angle", {kReal, kReal, kReal, kReal, kReal, kReal}, kReal, run<&geo_angle>},
      {"kql_geo_geohash", {kReal, kReal, kLong}, kText, run<&geo_geohash>},
      {"kql_geo_geohash_center", {kText}, kText, run<&geo_geohash_center>},
      {"kql_geo_geohash_polygon", {kText}, kText, run<&geo_geohash_polygon>},
      {"kql_geo_geohash_neighbors", {kText}, kText, run<&geo_geohash_neighbors>},
      {"kql_series_fft", {kText, kText, kBool}, kText, run<&series_fft>},
      {"kql_series_fit_poly", {kText, kText, kLong}, kText, run<&series_fit_poly>},
      {"kql_series_seasonal", {kText, kLong, kLong}, kText, run<&series_seasonal>},
      {"kql_series_stats_bag", {kText, kBool}, kText, run<&series_stats_bag>},
      {"kql_series_fit_2lines_bag", {kText}, kText, run<&series_fit_2lines_bag>},
      {"kql_graph_components", {kLong, kText, kBool}, kText, run<&graph_components>},
      {"kql_hll_make", {kText, kLong}, kText, run<&hll_make>},
      {"kql_hll_merge", {kText}, kText, run<&hll_merge>},
      {"kql_hll_count", {kText}, kLong, run<&hll_count>},
      {"kql_tdigest_make", {kText, kText}, kText, run<&tdigest_make>},
      {"kql_tdigest_merge", {kText}, kText, run<&tdigest_merge>},
      {"kql_tdigest_rank", {kText, kReal}, kReal, run<&tdigest_rank>},
      {"kql_tdigest_share", {kText, kReal}, kReal, run<&tdigest_share>},
      {"kql_tdigest_percentile", {kText, kReal}, kText, run<&tdigest_percentile>},
      {"kql_weighted_index", {kText, kReal}, kLong, run<&weighted_index>},
      {"kql_session_starts", {kText, kText, kLong, kLong}, kText, run<&session_starts>},
  };
  for (const auto& native : natives) TRY_VOID(register_one(connection, native));
  return {};
}

}  // namespace picket::kql
