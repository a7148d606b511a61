#include "duckdb_templates.h"

#include <algorithm>

namespace picket::kql {

namespace {

constexpr SqlTemplate kTemplates[] = {
    // logic
    {"not", "(NOT {0})"},
    {"is_true", "coalesce({0}, FALSE)"},
    {"is_null", "({0} IS NULL)"},
    {"is_not_null", "({0} IS NOT NULL)"},
    {"is_empty", "({0} = '')"},
    {"is_not_empty", "({0} <> '')"},
    {"coalesce", "coalesce({*})"},
    {"or_empty", "coalesce({0}, '')"},
    {"if_exact", "CASE WHEN {0} THEN {1} ELSE {2} END"},
    {"least", "least({*})"},
    {"greatest", "greatest({*})"},
    // strings
    {"eq_folded", "(lower({0}) = lower({1}))"},
    {"has", "kql_has({0}, {1})"},
    {"has_cs", "kql_has_cs({0}, {1})"},
    {"hasprefix", "kql_hasprefix({0}, {1})"},
    {"hasprefix_cs", "kql_hasprefix_cs({0}, {1})"},
    {"hassuffix", "kql_hassuffix({0}, {1})"},
    {"hassuffix_cs", "kql_hassuffix_cs({0}, {1})"},
    {"contains", "contains(lower({0}), lower({1}))"},
    {"contains_cs", "contains({0}, {1})"},
    {"startswith", "starts_with(lower({0}), lower({1}))"},
    {"startswith_cs", "starts_with({0}, {1})"},
    {"endswith", "ends_with(lower({0}), lower({1}))"},
    {"endswith_cs", "ends_with({0}, {1})"},
    {"matches", "regexp_matches({0}, {1})"},
    {"strlen", "CAST(length({0}) AS BIGINT)"},
    {"string_size", "CAST(strlen({0}) AS BIGINT)"},
    {"lower", "lower({0})"},
    {"upper", "upper({0})"},
    {"concat", "concat({*})"},
    {"concat_delimited", "concat_ws({*})"},
    {"substring", "coalesce(kql_substring({0}, {1}, CAST(9223372036854775807 AS BIGINT)), '')"},
    {"substring_length", "coalesce(kql_substring({0}, {1}, {2}), '')"},
    {"split", "CAST(to_json(string_split({0}, {1})) AS VARCHAR)"},
    {"split_one", "CAST(to_json(list_slice(string_split({0}, {1}), {2} + 1, {2} + 1)) AS VARCHAR)"},
    {"replace", "replace({0}, {1}, {2})"},
    {"replace_regex", "regexp_replace({0}, {1}, {2}, 'g')"},
    {"reverse", "reverse({0})"},
    {"index_of", "CAST(instr({0}, {1}) - 1 AS BIGINT)"},
    {"repeat", "coalesce(repeat({0}, least(greatest({1}, 0), 1024)), '')"},
    {"trim", "regexp_replace(regexp_replace({1}, concat('^(?:', {0}, ')+'), ''), concat('(?:', {0}, ')+$'), '')"},
    {"base64_text", "coalesce(kql_base64_text({0}), '')"},
    {"ipv4_is_private", "kql_ipv4_is_private({0})"},
    // numbers
    {"negate", "(- {0})"},
    {"add", "({0} + {1})"},
    {"subtract", "({0} - {1})"},
    {"multiply", "({0} * {1})"},
    {"div_long", "({0} // {1})"},
    {"div_real", "({0} / {1})"},
    {"mod", "((({0} % {1}) + abs({1})) % abs({1}))"},
    {"abs", "abs({0})"},
    {"round", "round({0})"},
    {"round_to", "round({0}, CAST({1} AS INTEGER))"},
    {"ceiling", "ceil({0})"},
    {"sqrt", "CASE WHEN {0} >= 0 THEN sqrt({0}) END"},
    {"exp", "exp({0})"},
    {"log", "CASE WHEN {0} > 0 THEN ln({0}) WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) END"},
    {"log10", "CASE WHEN {0} > 0 THEN log10({0}) WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) END"},
    {"log2", "CASE WHEN {0} > 0 THEN log2({0}) WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) END"},
    {"pow", "pow({0}, {1})"},
    {"is_nan", "coalesce(isnan({0}), FALSE)"},
    {"is_inf", "coalesce(isinf({0}), FALSE)"},
    {"bin_long", "({0} - ((({0} % nullif(greatest({1}, 0), 0)) + {1}) % nullif(greatest({1}, 0), 0)))"},
    {"bin_real", "(floor({0} / {1}) * {1})"},
    // times: TIMESTAMP in microseconds, timespans BIGINT in ticks of 100 ns
    {"bin_time",
     "make_timestamp(((epoch_us({0}) + 62135596800000000) // nullif(greatest({1} // 10, 0), 0)) * ({1} // 10)"
     " - 62135596800000000)"},
    {"time_plus", "make_timestamp(epoch_us({0}) + {1} // 10)"},
    {"time_minus", "make_timestamp(epoch_us({0}) - {1} // 10)"},
    {"time_between", "((epoch_us({0}) - epoch_us({1})) * 10)"},
    {"scale_span", "CAST(trunc({0} * {1}) AS BIGINT)"},
    {"div_span_real", "TRY_CAST(trunc({0} / {1}) AS BIGINT)"},
    {"div_spans", "(CAST({0} AS DOUBLE) / CAST({1} AS DOUBLE))"},
    {"start_of_day", "CAST(date_trunc('day', {0}) AS TIMESTAMP)"},
    {"start_of_day_offset", "(CAST(date_trunc('day', {0}) AS TIMESTAMP) + to_days(CAST({1} AS INTEGER)))"},
    {"start_of_week", "(CAST(date_trunc('week', {0} + INTERVAL 1 DAY) AS TIMESTAMP) - INTERVAL 1 DAY)"},
    {"start_of_week_offset",
     "(CAST(date_trunc('week', {0} + INTERVAL 1 DAY) AS TIMESTAMP) + to_days(CAST(7 * {1} - 1 AS INTEGER)))"},
    {"start_of_month", "CAST(date_trunc('month', {0}) AS TIMESTAMP)"},
    {"start_of_month_offset", "(CAST(date_trunc('month', {0}) AS TIMESTAMP) + to_months(CAST({1} AS INTEGER)))"},
    {"start_of_year", "CAST(date_trunc('year', {0}) AS TIMESTAMP)"},
    {"start_of_year_offset", "(CAST(date_trunc('year', {0}) AS TIMESTAMP) + to_years(CAST({1} AS INTEGER)))"},
    {"end_of_day", "(CAST(date_trunc('day', {0}) AS TIMESTAMP) + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND)"},
    {"end_of_week",
     "(CAST(date_trunc('week', {0} + INTERVAL 1 DAY) AS TIMESTAMP) + INTERVAL 6 DAY - INTERVAL 1 MICROSECOND)"},
    {"end_of_month", "(CAST(date_trunc('month', {0}) AS TIMESTAMP) + INTERVAL 1 MONTH - INTERVAL 1 MICROSECOND)"},
    {"end_of_year", "(CAST(date_trunc('year', {0}) AS TIMESTAMP) + INTERVAL 1 YEAR - INTERVAL 1 MICROSECOND)"},
    {"hour", "CAST(hour({0}) AS INTEGER)"},
    {"day", "CAST(day({0}) AS INTEGER)"},
    {"day_of_week", "(CAST(dayofweek({0}) AS BIGINT) * 864000000000)"},
    {"day_of_year", "CAST(dayofyear({0}) AS INTEGER)"},
    {"month", "CAST(month({0}) AS INTEGER)"},
    {"year", "CAST(year({0}) AS INTEGER)"},
    {"unix_seconds", "make_timestamp({0} * 1000000)"},
    {"unix_milliseconds", "make_timestamp({0} * 1000)"},
    {"unix_microseconds", "make_timestamp({0})"},
    // dynamic: JSON text; the JSON value null is SQL's NULL
    {"parse_json",
     "CASE WHEN {0} = '' THEN NULL WHEN json_valid({0}) THEN nullif(CAST(json({0}) AS VARCHAR), 'null')"
     " ELSE CAST(to_json({0}) AS VARCHAR) END"},
    {"element_by_key",
     "CASE WHEN json_type({0}) = 'OBJECT' THEN nullif(CAST(json_extract({0}, concat('/', replace(replace({1}, '~', "
     "'~0'),"
     " '/', '~1'))) AS VARCHAR), 'null') END"},
    {"element_at",
     "CASE WHEN json_type({0}) = 'ARRAY' THEN nullif(CAST(json_extract({0}, concat('$[', CASE WHEN {1} < 0 THEN '#' "
     "ELSE '' END,"
     " CAST({1} AS VARCHAR), ']')) AS VARCHAR), 'null') END"},
    {"array_length", "CASE WHEN json_type({0}) = 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END"},
    {"bag_keys", "CASE WHEN json_type({0}) = 'OBJECT' THEN CAST(to_json(json_keys({0})) AS VARCHAR) END"},
    {"dynamic_whole", "kql_dynamic_whole({0})"},
    {"dynamic_number", "kql_dynamic_number({0})"},
    {"dynamic_boolean", "CASE {0} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"},
};

}  // namespace

std::span<const SqlTemplate> sql_templates() { return kTemplates; }

const SqlTemplate* find_template(std::string_view op) {
  const auto* const found = std::ranges::find(kTemplates, op, &SqlTemplate::op);
  return found == std::end(kTemplates) ? nullptr : found;
}

}  // namespace picket::kql
