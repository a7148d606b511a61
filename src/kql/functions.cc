#include "functions.h"

#include <algorithm>
#include <array>

#include "contains.h"

namespace picket::kql {

namespace {

using enum NameRule;
using enum Type;
using namespace std::string_view_literals;

#define OVERLOADS(name, ...) constexpr Overload name[] = {__VA_ARGS__}

OVERLOADS(kStrlen, {"s", int64, "strlen"});
OVERLOADS(kStringSize, {"s", int64, "string_size"});
OVERLOADS(kToLower, {"S", string, "lower"});
OVERLOADS(kToUpper, {"S", string, "upper"});
OVERLOADS(kStrcat, {"SS*", string, "concat"});
OVERLOADS(kStrcatDelim, {"sSS*", string, "concat_delimited"});
OVERLOADS(kSubstring, {"sl", string, "substring"}, {"sll", string, "substring_length"});
OVERLOADS(kSplit, {"ss", dynamic, "split"}, {"ssl", dynamic, "split_one"});
OVERLOADS(kReplaceString, {"sss", string, "replace"});
OVERLOADS(kReplaceRegex, {"sss", string, "replace_regex"});
OVERLOADS(kReverse, {"S", string, "reverse"});
OVERLOADS(kIndexOf, {"ss", int64, "index_of"});
OVERLOADS(kStrrep, {"sl", string, "repeat"});
OVERLOADS(kTrim, {"ss", string, "trim"});
OVERLOADS(kBase64, {"s", string, "base64_text"});
OVERLOADS(kIpv4IsPrivate, {"s", boolean, "ipv4_is_private"});

OVERLOADS(kNot, {"b", boolean, "not"});
OVERLOADS(kAbs, {"l", int64, "abs"}, {"r", real, "abs"}, {"t", timespan, "abs"});
OVERLOADS(kRound, {"r", real, "round"}, {"rl", real, "round_to"});
OVERLOADS(kCeiling, {"r", real, "ceiling"});
OVERLOADS(kSqrt, {"r", real, "sqrt"});
OVERLOADS(kExp, {"r", real, "exp"});
OVERLOADS(kLog, {"r", real, "log"});
OVERLOADS(kLog10, {"r", real, "log10"});
OVERLOADS(kLog2, {"r", real, "log2"});
OVERLOADS(kPow, {"rr", real, "pow"});
OVERLOADS(kIsNan, {"r", boolean, "is_nan"});
OVERLOADS(kIsInf, {"r", boolean, "is_inf"});

OVERLOADS(kStartOfDay, {"d", datetime, "start_of_day"}, {"dl", datetime, "start_of_day_offset"});
OVERLOADS(kStartOfWeek, {"d", datetime, "start_of_week"}, {"dl", datetime, "start_of_week_offset"});
OVERLOADS(kStartOfMonth, {"d", datetime, "start_of_month"}, {"dl", datetime, "start_of_month_offset"});
OVERLOADS(kStartOfYear, {"d", datetime, "start_of_year"}, {"dl", datetime, "start_of_year_offset"});
OVERLOADS(kEndOfDay, {"d", datetime, "end_of_day"});
OVERLOADS(kEndOfWeek, {"d", datetime, "end_of_week"});
OVERLOADS(kEndOfMonth, {"d", datetime, "end_of_month"});
OVERLOADS(kEndOfYear, {"d", datetime, "end_of_year"});
OVERLOADS(kHourOfDay, {"d", int32, "hour"});
OVERLOADS(kDayOfWeek, {"d", timespan, "day_of_week"});
OVERLOADS(kDayOfMonth, {"d", int32, "day"});
OVERLOADS(kDayOfYear, {"d", int32, "day_of_year"});
OVERLOADS(kMonth, {"d", int32, "month"});
OVERLOADS(kYear, {"d", int32, "year"});
OVERLOADS(kFromUnixSeconds, {"l", datetime, "unix_seconds"});
OVERLOADS(kFromUnixMilliseconds, {"l", datetime, "unix_milliseconds"});
OVERLOADS(kFromUnixMicroseconds, {"l", datetime, "unix_microseconds"});

OVERLOADS(kArrayLength, {"j", int64, "array_length"});
OVERLOADS(kBagKeys, {"j", dynamic, "bag_keys"});

constexpr ScalarFunction kScalars[] = {
    {"strlen", prefixed, "strlen", kStrlen},
    {"string_size", prefixed, "string_size", kStringSize},
    {"tolower", none, "", kToLower},
    {"toupper", none, "", kToUpper},
    {"strcat", none, "", kStrcat},
    {"strcat_delim", none, "", kStrcatDelim},
    {"substring", none, "", kSubstring},
    {"split", first_argument, "", kSplit},
    {"replace_string", none, "", kReplaceString},
    {"replace_regex", none, "", kReplaceRegex},
    {"reverse", none, "", kReverse},
    {"indexof", none, "", kIndexOf},
    {"strrep", none, "", kStrrep},
    {"trim", none, "", kTrim},
    {"base64_decode_tostring", none, "", kBase64},
    {"ipv4_is_private", none, "", kIpv4IsPrivate},
    {"not", none, "", kNot},
    {"abs", first_argument, "", kAbs},
    {"round", first_argument, "", kRound},
    {"ceiling", first_argument, "", kCeiling},
    {"sqrt", first_argument, "", kSqrt},
    {"exp", first_argument, "", kExp},
    {"log", first_argument, "", kLog},
    {"log10", first_argument, "", kLog10},
    {"log2", first_argument, "", kLog2},
    {"pow", none, "", kPow},
    {"isnan", none, "", kIsNan},
    {"isinf", none, "", kIsInf},
    {"startofday", first_argument, "", kStartOfDay},
    {"startofweek", none, "", kStartOfWeek},
    {"startofmonth", none, "", kStartOfMonth},
    {"startofyear", none, "", kStartOfYear},
    {"endofday", none, "", kEndOfDay},
    {"endofweek", none, "", kEndOfWeek},
    {"endofmonth", none, "", kEndOfMonth},
    {"endofyear", none, "", kEndOfYear},
    {"hourofday", none, "", kHourOfDay},
    {"dayofweek", none, "", kDayOfWeek},
    {"dayofmonth", none, "", kDayOfMonth},
    {"dayofyear", none, "", kDayOfYear},
    {"monthofyear", none, "", kMonth},
    {"getmonth", none, "", kMonth},
    {"getyear", none, "", kYear},
    {"unixtime_seconds_todatetime", none, "", kFromUnixSeconds},
    {"unixtime_milliseconds_todatetime", none, "", kFromUnixMilliseconds},
    {"unixtime_microseconds_todatetime", none, "", kFromUnixMicroseconds},
    {"array_length", none, "", kArrayLength},
    {"bag_keys", none, "", kBagKeys},
};

using Shape = AggregateFunction::Shape;

constexpr AggregateFunction kAggregates[] = {
    {"count", Shape::count, "count", "count", "", 'l'},
    {"countif", Shape::condition, "countif", "count", "", 'l'},
    {"dcount", Shape::collection, "dcount", "dcount", "*", 'l'},
    {"dcountif", Shape::collection, "dcountif", "dcount", "*", 'l', true},
    {"count_distinct", Shape::value, "count_distinct", "dcount", "*", 'l'},
    {"count_distinctif", Shape::value, "count_distinctif", "dcount", "*", 'l', true},
    {"min", Shape::value, "min", "min", "ilrdtsb", '='},
    {"minif", Shape::value, "minif", "min", "ilrdtsb", '=', true},
    {"max", Shape::value, "max", "max", "ilrdtsb", '='},
    {"maxif", Shape::value, "maxif", "max", "ilrdtsb", '=', true},
    {"sum", Shape::value, "sum", "sum", "ilrt", '+'},
    {"sumif", Shape::value, "sumif", "sum", "ilrt", '+', true},
    {"avg", Shape::value, "avg", "avg", "ilrtd", 'a'},
    {"avgif", Shape::value, "avgif", "avg", "ilrtd", 'a', true},
    {"stdev", Shape::value, "stdev", "stdev", "ilr", 'r'},
    {"stdevif", Shape::value, "stdevif", "stdev", "ilr", 'r', true},
    {"variance", Shape::value, "variance", "variance", "ilr", 'r'},
    {"varianceif", Shape::value, "varianceif", "variance", "ilr", 'r', true},
    {"make_list", Shape::collection, "list", "make_list", "S", 'j'},
    {"make_list_if", Shape::collection, "list", "make_list", "S", 'j', true},
    {"makelist", Shape::collection, "list", "make_list", "S", 'j'},
    {"make_set", Shape::collection, "set", "make_set", "S", 'j'},
    {"make_set_if", Shape::collection, "set", "make_set", "S", 'j', true},
    {"makeset", Shape::collection, "set", "make_set", "S", 'j'},
    {"percentile", Shape::percentile, "percentile", "percentile", "ilrdt", '+'},
    {"percentiles", Shape::percentiles, "percentile", "percentile", "ilrdt", '+'},
    {"arg_max", Shape::row, "max", "arg_max", "ilrdtsb", '='},
    {"arg_min", Shape::row, "min", "arg_min", "ilrdtsb", '='},
    {"take_any", Shape::any_row, "", "take_any", "*", '='},
    {"any", Shape::any_row, "any", "take_any", "*", '='},
    {"take_anyif", Shape::any_row, "", "take_any", "*", '=', true},
};

constexpr std::array kNotYet = {"array_concat"sv,
                                "array_iff"sv,
                                "array_index_of"sv,
                                "array_reverse"sv,
                                "array_rotate_left"sv,
                                "array_slice"sv,
                                "array_sort_asc"sv,
                                "array_sort_desc"sv,
                                "array_split"sv,
                                "array_sum"sv,
                                "bag_has_key"sv,
                                "bag_merge"sv,
                                "bag_pack"sv,
                                "bag_remove_keys"sv,
                                "base64_decode_toarray"sv,
                                "base64_encode_tostring"sv,
                                "bin_at"sv,
                                "bin_auto"sv,
                                "binary_and"sv,
                                "binary_or"sv,
                                "binary_xor"sv,
                                "buildschema"sv,
                                "column_ifexists"sv,
                                "columnifexists"sv,
                                "countof"sv,
                                "current_principal"sv,
                                "cursor_after"sv,
                                "datetime_local_to_utc"sv,
                                "datetime_utc_to_local"sv,
                                "extract_all"sv,
                                "extract_json"sv,
                                "format_bytes"sv,
                                "format_datetime"sv,
                                "format_ipv4"sv,
                                "format_timespan"sv,
                                "geo_distance_2points"sv,
                                "geo_info_from_ip_address"sv,
                                "gettype"sv,
                                "has_any_index"sv,
                                "has_any_ipv4"sv,
                                "has_ipv4"sv,
                                "hash"sv,
                                "hash_md5"sv,
                                "hash_sha256"sv,
                                "hll"sv,
                                "ingestion_time"sv,
                                "ipv4_compare"sv,
                                "ipv4_is_in_any_range"sv,
                                "ipv4_is_in_range"sv,
                                "ipv4_is_match"sv,
                                "ipv4_netmask_suffix"sv,
                                "ipv6_compare"sv,
                                "ipv6_is_match"sv,
                                "isascii"sv,
                                "isutf8"sv,
                                "jaccard_index"sv,
                                "make_bag"sv,
                                "make_bag_if"sv,
                                "make_datetime"sv,
                                "make_list_with_nulls"sv,
                                "make_timespan"sv,
                                "materialize"sv,
                                "next"sv,
                                "pack"sv,
                                "pack_all"sv,
                                "pack_array"sv,
                                "pack_dictionary"sv,
                                "parse_command_line"sv,
                                "parse_csv"sv,
                                "parse_ipv4"sv,
                                "parse_path"sv,
                                "parse_url"sv,
                                "parse_urlquery"sv,
                                "parse_user_agent"sv,
                                "parse_version"sv,
                                "parse_xml"sv,
                                "percentiles_array"sv,
                                "prev"sv,
                                "rand"sv,
                                "range"sv,
                                "repeat"sv,
                                "replace"sv,
                                "row_cumsum"sv,
                                "row_number"sv,
                                "row_rank_dense"sv,
                                "row_window_session"sv,
                                "series_add"sv,
                                "series_decompose"sv,
                                "series_decompose_anomalies"sv,
                                "series_decompose_forecast"sv,
                                "series_fill_const"sv,
                                "series_fill_linear"sv,
                                "series_fit_2lines"sv,
                                "series_fit_line"sv,
                                "series_outliers"sv,
                                "series_stats"sv,
                                "set_difference"sv,
                                "set_has_element"sv,
                                "set_intersect"sv,
                                "set_union"sv,
                                "sign"sv,
                                "stdevp"sv,
                                "strcat_array"sv,
                                "strcmp"sv,
                                "tdigest"sv,
                                "todecimal"sv,
                                "tohex"sv,
                                "treepath"sv,
                                "trim_end"sv,
                                "trim_start"sv,
                                "url_decode"sv,
                                "url_encode"sv,
                                "variancep"sv,
                                "week_of_year"sv,
                                "welch_test"sv,
                                "zip"sv,
                                "FileProfile"sv,
                                "workspace"sv,
                                "database"sv,
                                "cluster"sv,
                                "app"sv,
                                "table"sv,
                                "exp2"sv,
                                "exp10"sv,
                                "sin"sv,
                                "cos"sv,
                                "tan"sv,
                                "gamma"sv,
                                "datetime_part"sv,
                                "dynamic_to_json"sv,
                                "translate"sv,
                                "unixtime_nanoseconds_todatetime"sv};

template <class T>
const T* find(std::span<const T> all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &T::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::span<const ScalarFunction> scalar_functions() { return kScalars; }
std::span<const AggregateFunction> aggregate_functions() { return kAggregates; }
const ScalarFunction* find_scalar_function(std::string_view name) { return find(scalar_functions(), name); }
const AggregateFunction* find_aggregate(std::string_view name) { return find(aggregate_functions(), name); }
bool is_known_unsupported_function(std::string_view name) { return contains(kNotYet, name); }

}  // namespace picket::kql
