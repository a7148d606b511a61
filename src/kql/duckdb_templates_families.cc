// The ops of functions_families.cc in DuckDB's SQL.
#include "duckdb_templates.h"
#include "functions.h"

namespace picket::kql {

namespace {

constexpr SqlTemplate kTemplates[] = {
    {kLocationOp, "kql_location({0})"},
    {kHashOp, "kql_xxhash_text({0})"},
    {"xxhash_text_below", "(((kql_xxhash_text({0}) % {1}) + abs({1})) % abs({1}))"},
    {"decimal_add", "kql_decimal_add({0}, {1})"},
    {"decimal_subtract", "kql_decimal_subtract({0}, {1})"},
    {"decimal_multiply", "kql_decimal_multiply({0}, {1})"},
    {"decimal_divide", "kql_decimal_divide({0}, {1})"},
    {"decimal_modulo", "kql_decimal_modulo({0}, {1})"},
    {"decimal_negate", "kql_decimal_negate({0})"},
    {"decimal_bin", "kql_decimal_bin({0}, {1})"},
    {"decimal_round", "kql_decimal_round({0}, {1})"},
    {"decimal_ceiling", "kql_decimal_ceiling({0})"},
    {"decimal_abs", "kql_decimal_abs({0})"},
    {"parse_version", "kql_parse_version({0})"},
    // Its places have a mark that no text has; the matches' lengths are known apart.
    {"indexof_regex",
     "kql_regex_index(regexp_replace({0}, {1}, chr(57344), 'g'), "
     "CAST(to_json(regexp_extract_all({0}, {1})) AS VARCHAR), CAST(0 AS BIGINT), CAST(1 AS BIGINT))"},
    {"indexof_regex_3",
     "kql_regex_index(regexp_replace(substr({0}, greatest({2}, 0) + 1), {1}, chr(57344), 'g'), "
     "CAST(to_json(regexp_extract_all(substr({0}, greatest({2}, 0) + 1), {1})) AS VARCHAR), {2}, CAST(1 AS BIGINT))"},
    {"indexof_regex_4",
     "CASE WHEN {3} >= -1 THEN kql_regex_index(regexp_replace(CASE WHEN {3} < 0 THEN substr({0}, greatest({2}, 0) + 1) "
     "ELSE substr({0}, greatest({2}, 0) + 1, {3}) END, {1}, chr(57344), 'g'), "
     "CAST(to_json(regexp_extract_all(CASE WHEN {3} < 0 THEN substr({0}, greatest({2}, 0) + 1) ELSE substr({0}, "
     "greatest({2}, 0) + 1, {3}) END, {1})) AS VARCHAR), {2}, CAST(1 AS BIGINT)) END"},
    {"indexof_regex_5",
     "CASE WHEN {3} >= -1 THEN kql_regex_index(regexp_replace(CASE WHEN {3} < 0 THEN substr({0}, greatest({2}, 0) + 1) "
     "ELSE substr({0}, greatest({2}, 0) + 1, {3}) END, {1}, chr(57344), 'g'), "
     "CAST(to_json(regexp_extract_all(CASE WHEN {3} < 0 THEN substr({0}, greatest({2}, 0) + 1) ELSE substr({0}, "
     "greatest({2}, 0) + 1, {3}) END, {1})) AS VARCHAR), {2}, {4}) END"},
    {"xxhash_time", "kql_xxhash_time({0})"},
    {"xxhash_time_below", "(((kql_xxhash_time({0}) % {1}) + abs({1})) % abs({1}))"},
    {"base64_of_guid", "coalesce(kql_base64_of_guid(CAST({0} AS VARCHAR)), '')"},
    {"base64_of_array", "coalesce(kql_base64_of_array({0}), '')"},
    {"punycode_encode", "kql_punycode_encode({0})"},
    {"punycode_decode", "kql_punycode_decode({0})"},
    {"punycode_domain_encode", "kql_punycode_domain_encode({0})"},
    {"punycode_domain_decode", "kql_punycode_domain_decode({0})"},
    {"gzip_text", "kql_gzip_text({0})"},
    {"zlib_text", "kql_zlib_text({0})"},
    {"parse_xml", "kql_parse_xml({0})"},
    {"time_to_local", "timezone({1}, timezone('UTC', {0}))"},
    // A time that no clock showed counts from the zone's new time; the engine counts from the old one.
    {"time_to_utc", "(timezone('UTC', timezone({1}, {0})) - (timezone({1}, timezone({1}, {0})) - {0}))"},
    {"around", "({0} >= {1} - {2} AND {0} <= {1} + {2})"},
    {"around_time", "(abs(epoch_us({0}) - epoch_us({1})) * 10 <= {2})"},
    {"parse_ipv6_mask", "coalesce(kql_parse_ipv6_mask({0}, {1}), '')"},
    {"ipv6_is_in_any_range", "kql_ipv6_is_in_any_range({0}, {1})"},
    {"ipv6_is_in_any_of", "kql_ipv6_is_in_any_range({0}, CAST(to_json([{1*}]) AS VARCHAR))"},
    {"error_function", "kql_error_function({0})"},
    {"error_function_rest", "kql_error_function_rest({0})"},
    {"beta_cdf", "kql_beta_cdf({0}, {1}, {2})"},
    {"beta_inv", "kql_beta_inv({0}, {1}, {2})"},
    {"beta_pdf", "kql_beta_pdf({0}, {1}, {2})"},
    {"welch_test", "kql_welch_test({*})"},
    {"geo_point_in_circle", "kql_geo_point_in_circle({*})"},
    {"geo_point_in_polygon", "kql_geo_point_in_polygon({*})"},
    {"geo_distance_to_line", "kql_geo_distance_to_line({*})"},
    {"geo_distance_to_polygon", "kql_geo_distance_to_polygon({*})"},
    {"geo_line_length", "kql_geo_line_length({0})"},
    {"geo_polygon_area", "kql_geo_polygon_area({0})"},
    {"geo_polygon_perimeter", "kql_geo_polygon_perimeter({0})"},
    {"geo_azimuth", "kql_geo_azimuth({*})"},
    {"geo_angle", "kql_geo_angle({*})"},
    {"geo_geohash_5", "coalesce(kql_geo_geohash({0}, {1}, CAST(5 AS BIGINT)), '')"},
    {"geo_geohash", "coalesce(kql_geo_geohash({0}, {1}, {2}), '')"},
    {"geo_geohash_center", "kql_geo_geohash_center({0})"},
    {"geo_geohash_polygon", "kql_geo_geohash_polygon({0})"},
    {"geo_geohash_neighbors", "kql_geo_geohash_neighbors({0})"},
    {"series_fft", "kql_series_fft({0}, '', FALSE)"},
    {"series_fft_2", "kql_series_fft({0}, {1}, FALSE)"},
    {"series_ifft", "kql_series_fft({0}, '', TRUE)"},
    {"series_ifft_2", "kql_series_fft({0}, {1}, TRUE)"},
    {"series_fit_poly", "kql_series_fit_poly({0}, '', CAST(1 AS BIGINT))"},
    {"series_fit_poly_2", "kql_series_fit_poly({0}, {1}, CAST(1 AS BIGINT))"},
    {"series_fit_poly_3", "kql_series_fit_poly({0}, {1}, {2})"},
    {"series_seasonal", "kql_series_seasonal({0}, CAST(-1 AS BIGINT), CAST(0 AS BIGINT))"},
    {"series_seasonal_2", "kql_series_seasonal({0}, {1}, CAST(0 AS BIGINT))"},
    {"series_seasonal_3", "kql_series_seasonal({0}, {1}, {2})"},
    {"series_stats_bag", "kql_series_stats_bag({0}, FALSE)"},
    {"series_stats_bag_2", "kql_series_stats_bag({0}, {1})"},
    {"hll_count", "kql_hll_count({0})"},
    {"hll_merge_of", "kql_hll_merge(concat('[', concat_ws(',', {*}), ']'))"},
    {"tdigest_merge_of", "kql_tdigest_merge(concat('[', concat_ws(',', {*}), ']'))"},
    {"tdigest_rank", "kql_tdigest_rank({0}, {1})"},
    {"tdigest_share", "kql_tdigest_share({0}, {1})"},
    {"tdigest_percentile", "kql_tdigest_percentile({0}, {1})"},
    {"series_fit_2lines_bag", "kql_series_fit_2lines_bag({0})"},
};

}  // namespace

std::span<const SqlTemplate> family_templates() { return kTemplates; }

}  // namespace picket::kql
