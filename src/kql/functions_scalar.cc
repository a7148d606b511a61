// The scalar functions that are plain calls of an op: a line of overloads, a line of the table.
#include "functions.h"

namespace picket::kql {

namespace {

using enum NameRule;
using enum Type;

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
OVERLOADS(kIndexOf, {"SS", int64, "index_of"}, {"SSl", int64, "index_of_from"}, {"SSll", int64, "index_of_in"},
          {"SSlll", int64, "index_of_nth"});
OVERLOADS(kStrcmp, {"ss", int64, "strcmp"});
OVERLOADS(kTrimStart, {"ss", string, "trim_start"});
OVERLOADS(kTrimEnd, {"ss", string, "trim_end"});
OVERLOADS(kCountOf, {"ss", int64, "count_of"}, {"sss", int64, "count_of_kind"});
OVERLOADS(kTranslate, {"sss", string, "translate"});
OVERLOADS(kRegexQuote, {"s", string, "quote_regex"});
OVERLOADS(kReplaceStrings, {"sjj", string, "replace_strings"});
OVERLOADS(kStrcatArray, {"js", string, "strcat_array"});
OVERLOADS(kHasAnyIndex, {"sj", int64, "has_any_index"});
OVERLOADS(kIsAscii, {"S", boolean, "is_ascii"});
OVERLOADS(kIsUtf8, {"S", boolean, "is_utf8"});
OVERLOADS(kCodePoints, {"s", dynamic, "code_points"});
OVERLOADS(kFromCodePoints, {"j", string, "from_code_points"}, {"ll*", string, "from_code_point"});
OVERLOADS(kUrlEncode, {"s", string, "url_encode"});
OVERLOADS(kUrlEncodeComponent, {"s", string, "url_encode_component"});
OVERLOADS(kUrlDecode, {"s", string, "url_decode"});
OVERLOADS(kBase64Encode, {"s", string, "base64_encode"});
OVERLOADS(kBase64ToArray, {"s", dynamic, "base64_to_array"});
OVERLOADS(kParseCsv, {"s", dynamic, "parse_csv"});
OVERLOADS(kParseUrl, {"s", dynamic, "parse_url"});
OVERLOADS(kParseUrlQuery, {"s", dynamic, "parse_url_query"});
OVERLOADS(kParsePath, {"s", dynamic, "parse_path"});
OVERLOADS(kParseCommandLine, {"ss", dynamic, "parse_command_line"});
OVERLOADS(kMd5, {"s", string, "md5"});
OVERLOADS(kSha1, {"s", string, "sha1"});
OVERLOADS(kSha256, {"s", string, "sha256"});
OVERLOADS(kToHex, {"i", string, "to_hex_int"}, {"il", string, "to_hex_int_wide"}, {"l", string, "to_hex"},
          {"ll", string, "to_hex_wide"});
OVERLOADS(kFormatBytes, {"r", string, "format_bytes"}, {"rl", string, "format_bytes_to"},
          {"rls", string, "format_bytes_in"});

OVERLOADS(kParseIpv4, {"s", int64, "parse_ipv4"});
OVERLOADS(kParseIpv4Mask, {"sl", int64, "parse_ipv4_mask"});
OVERLOADS(kFormatIpv4, {"l", string, "format_ipv4"}, {"ll", string, "format_ipv4_bits"},
          {"s", string, "format_ipv4_text"}, {"sl", string, "format_ipv4_text_bits"});
OVERLOADS(kFormatIpv4Mask, {"ll", string, "format_ipv4_mask"}, {"sl", string, "format_ipv4_mask_text"});
OVERLOADS(kIpv4Compare, {"ss", int64, "ipv4_compare"}, {"ssl", int64, "ipv4_compare_bits"});
OVERLOADS(kIpv4IsMatch, {"ss", boolean, "ipv4_is_match"}, {"ssl", boolean, "ipv4_is_match_bits"});
OVERLOADS(kIpv4IsInRange, {"ss", boolean, "ipv4_is_in_range"});
OVERLOADS(kIpv4Suffix, {"s", int64, "ipv4_netmask_suffix"});
OVERLOADS(kParseIpv6, {"s", string, "parse_ipv6"});
OVERLOADS(kIpv6Compare, {"ss", int64, "ipv6_compare"}, {"ssl", int64, "ipv6_compare_bits"});
OVERLOADS(kIpv6IsMatch, {"ss", boolean, "ipv6_is_match"}, {"ssl", boolean, "ipv6_is_match_bits"});
OVERLOADS(kIpv6IsInRange, {"ss", boolean, "ipv6_is_in_range"});
OVERLOADS(kHasIpv4, {"ss", boolean, "has_ipv4"});
OVERLOADS(kHasIpv4Prefix, {"ss", boolean, "has_ipv4_prefix"});
OVERLOADS(kCidrList, {"ss", dynamic, "ipv4_range_to_cidr_list"});
OVERLOADS(kGeoDistance, {"rrrr", real, "geo_distance"});
OVERLOADS(kStrrep, {"Sl", string, "repeat"}, {"SlS", string, "repeat_delimited"});
OVERLOADS(kTrim, {"ss", string, "trim"});
OVERLOADS(kBase64, {"s", string, "base64_text"});
OVERLOADS(kIpv4IsPrivate, {"s", boolean, "ipv4_is_private"});

OVERLOADS(kNot, {"b", boolean, "not"});
OVERLOADS(kAbs, {"D", decimal, "decimal_abs"}, {"l", int64, "abs"}, {"r", real, "abs"}, {"t", timespan, "abs"});
OVERLOADS(kCeiling, {"D", decimal, "decimal_ceiling"}, {"l", int64, "same"}, {"r", real, "ceiling"});
OVERLOADS(kSqrt, {"r", real, "sqrt"});
OVERLOADS(kExp, {"r", real, "exp"});
OVERLOADS(kLog, {"r", real, "log"});
OVERLOADS(kLog10, {"r", real, "log10"});
OVERLOADS(kLog2, {"r", real, "log2"});
OVERLOADS(kPow, {"rr", real, "pow"});
OVERLOADS(kIsNan, {"r", boolean, "is_nan"});
OVERLOADS(kIsInf, {"r", boolean, "is_inf"});
OVERLOADS(kIsFinite, {"r", boolean, "is_finite"});
OVERLOADS(kSign, {"r", real, "sign"});
OVERLOADS(kExp2, {"r", real, "exp2"});
OVERLOADS(kExp10, {"r", real, "exp10"});
OVERLOADS(kPi, {"", real, "pi"});
OVERLOADS(kSin, {"r", real, "sin"});
OVERLOADS(kCos, {"r", real, "cos"});
OVERLOADS(kTan, {"r", real, "tan"});
OVERLOADS(kCot, {"r", real, "cot"});
OVERLOADS(kAsin, {"r", real, "asin"});
OVERLOADS(kAcos, {"r", real, "acos"});
OVERLOADS(kAtan, {"r", real, "atan"});
OVERLOADS(kAtan2, {"rr", real, "atan2"});
OVERLOADS(kDegrees, {"r", real, "degrees"});
OVERLOADS(kRadians, {"r", real, "radians"});
OVERLOADS(kGamma, {"r", real, "gamma"});
OVERLOADS(kLogGamma, {"r", real, "loggamma"});
OVERLOADS(kRand, {"", real, "rand"}, {"l", real, "rand_below"});
OVERLOADS(kNewGuid, {"", guid, "new_guid"});
OVERLOADS(kBinaryAnd, {"ll", int64, "binary_and"});
OVERLOADS(kBinaryOr, {"ll", int64, "binary_or"});
OVERLOADS(kBinaryXor, {"ll", int64, "binary_xor"});
OVERLOADS(kBinaryNot, {"l", int64, "binary_not"});
OVERLOADS(kShiftLeft, {"ll", int64, "shift_left"});
OVERLOADS(kShiftRight, {"ll", int64, "shift_right"});
OVERLOADS(kCountOnes, {"l", int64, "count_ones"});

OVERLOADS(kStartOfDay, {"d", datetime, "start_of_day"}, {"dl", datetime, "start_of_day_offset"});
OVERLOADS(kStartOfWeek, {"d", datetime, "start_of_week"}, {"dl", datetime, "start_of_week_offset"});
OVERLOADS(kStartOfMonth, {"d", datetime, "start_of_month"}, {"dl", datetime, "start_of_month_offset"});
OVERLOADS(kStartOfYear, {"d", datetime, "start_of_year"}, {"dl", datetime, "start_of_year_offset"});
OVERLOADS(kEndOfDay, {"d", datetime, "end_of_day"}, {"dl", datetime, "end_of_day_offset"});
OVERLOADS(kEndOfWeek, {"d", datetime, "end_of_week"}, {"dl", datetime, "end_of_week_offset"});
OVERLOADS(kEndOfMonth, {"d", datetime, "end_of_month"}, {"dl", datetime, "end_of_month_offset"});
OVERLOADS(kEndOfYear, {"d", datetime, "end_of_year"}, {"dl", datetime, "end_of_year_offset"});
OVERLOADS(kWeekOfYear, {"d", int32, "week_of_year"});
OVERLOADS(kFormatDatetime, {"ds", string, "format_datetime"});
OVERLOADS(kFormatTimespan, {"ts", string, "format_timespan"});
OVERLOADS(kMakeDatetime, {"lll", datetime, "make_date"}, {"lllll", datetime, "make_minute"},
          {"lllllr", datetime, "make_second"});
OVERLOADS(kMakeTimespan, {"ll", timespan, "make_span_minute"}, {"llr", timespan, "make_span_second"},
          {"lllr", timespan, "make_span_day"});
OVERLOADS(kHourOfDay, {"d", int32, "hour"});
OVERLOADS(kDayOfWeek, {"d", timespan, "day_of_week"});
OVERLOADS(kDayOfMonth, {"d", int32, "day"});
OVERLOADS(kDayOfYear, {"d", int32, "day_of_year"});
OVERLOADS(kMonth, {"d", int32, "month"});
OVERLOADS(kYear, {"d", int32, "year"});
OVERLOADS(kArrayLength, {"j", int64, "array_length"});
OVERLOADS(kBagKeys, {"j", dynamic, "bag_keys"});
OVERLOADS(kArrayIff, {"jJJ", dynamic, "array_iff"});
OVERLOADS(kArrayIndexOf, {"jJ", int64, "array_index_of"}, {"jJl", int64, "array_index_of_from"},
          {"jJll", int64, "array_index_of_in"}, {"jJlll", int64, "array_index_of_nth"});
OVERLOADS(kArrayReverse, {"j", dynamic, "array_reverse"});
OVERLOADS(kRotateLeft, {"jl", dynamic, "array_rotate"});
OVERLOADS(kRotateRight, {"jl", dynamic, "array_rotate_right"});
OVERLOADS(kShiftArrayLeft, {"jl", dynamic, "array_shift"}, {"jlJ", dynamic, "array_shift_fill"});
OVERLOADS(kShiftArrayRight, {"jl", dynamic, "array_shift_right"}, {"jlJ", dynamic, "array_shift_right_fill"});
OVERLOADS(kArraySlice, {"jll", dynamic, "array_slice"});
OVERLOADS(kArraySplit, {"jJ", dynamic, "array_split"});
OVERLOADS(kArraySum, {"j", real, "array_sum"});
OVERLOADS(kSetHasElement, {"jJ", boolean, "set_has_element"});
OVERLOADS(kSetEquals, {"jj", boolean, "set_equals"});
OVERLOADS(kJaccard, {"jj", dynamic, "jaccard_index"});
OVERLOADS(kBagHasKey, {"js", boolean, "bag_has_key"});
OVERLOADS(kBagRemoveKeys, {"jj", dynamic, "bag_remove_keys"});
OVERLOADS(kBagSetKey, {"jsJ", dynamic, "bag_set_key"});
OVERLOADS(kBagZip, {"jj", dynamic, "bag_zip"});
OVERLOADS(kTreepath, {"j", dynamic, "treepath"});
OVERLOADS(kToJson, {"J", string, "json_of_text"});

OVERLOADS(kFit, {"j", dynamic, "series_fit_line"});
OVERLOADS(kFit2, {"j", dynamic, "series_fit_2lines"});
OVERLOADS(kStats, {"j", dynamic, "series_stats"});
OVERLOADS(kDecompose, {"j", dynamic, "series_decompose"}, {"jl", dynamic, "series_decompose_2"},
          {"jls", dynamic, "series_decompose_3"}, {"jlsl", dynamic, "series_decompose_4"},
          {"jlslr", dynamic, "series_decompose_5"});
OVERLOADS(kAnomalies, {"j", dynamic, "series_anomalies"}, {"jr", dynamic, "series_anomalies_2"},
          {"jrl", dynamic, "series_anomalies_3"}, {"jrls", dynamic, "series_anomalies_4"},
          {"jrlsl", dynamic, "series_anomalies_5"}, {"jrlsls", dynamic, "series_anomalies_6"},
          {"jrlslsr", dynamic, "series_anomalies_7"});
OVERLOADS(kForecast, {"jl", dynamic, "series_forecast"}, {"jll", dynamic, "series_forecast_3"},
          {"jlls", dynamic, "series_forecast_4"}, {"jllsr", dynamic, "series_forecast_5"});
OVERLOADS(kOutliers, {"j", dynamic, "series_outliers"}, {"js", dynamic, "series_outliers_kind"});
OVERLOADS(kFillConst, {"j", dynamic, "fill_zero"}, {"jJ", dynamic, "fill_const"}, {"jJJ", dynamic, "fill_const_of"});
OVERLOADS(kFillForward, {"j", dynamic, "fill_forward"}, {"jJ", dynamic, "fill_forward_of"});
OVERLOADS(kFillBackward, {"j", dynamic, "fill_backward"}, {"jJ", dynamic, "fill_backward_of"});
OVERLOADS(kFillLinear, {"j", dynamic, "fill_linear"}, {"jJ", dynamic, "fill_linear_of"},
          {"jJb", dynamic, "fill_linear_edges"});
OVERLOADS(kFir, {"jj", dynamic, "series_fir"}, {"jjb", dynamic, "series_fir_3"}, {"jjbb", dynamic, "series_fir_4"});
OVERLOADS(kIir, {"jjj", dynamic, "series_iir"});

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
    {"array_length", none, "", kArrayLength},
    {"bag_keys", none, "", kBagKeys},
    {"strcmp", none, "", kStrcmp},
    {"trim_start", none, "", kTrimStart},
    {"trim_end", none, "", kTrimEnd},
    {"countof", none, "", kCountOf},
    {"translate", none, "", kTranslate},
    {"regex_quote", none, "", kRegexQuote},
    {"replace_strings", none, "", kReplaceStrings},
    {"replace", none, "", kReplaceRegex},
    {"strcat_array", none, "", kStrcatArray},
    {"array_strcat", none, "", kStrcatArray},
    {"has_any_index", none, "", kHasAnyIndex},
    {"isascii", none, "", kIsAscii},
    {"isutf8", none, "", kIsUtf8},
    {"unicode_codepoints_from_string", none, "", kCodePoints},
    {"to_utf8", none, "", kCodePoints},
    {"unicode_codepoints_to_string", none, "", kFromCodePoints},
    {"make_string", none, "", kFromCodePoints},
    {"url_encode", none, "", kUrlEncode},
    {"url_encode_component", none, "", kUrlEncodeComponent},
    {"url_decode", none, "", kUrlDecode},
    {"base64_encode_tostring", none, "", kBase64Encode},
    {"base64_encodestring", none, "", kBase64Encode},
    {"base64_decodestring", none, "", kBase64},
    {"base64_decode_toarray", none, "", kBase64ToArray},
    {"parse_csv", first_argument, "", kParseCsv},
    {"parse_url", none, "", kParseUrl},
    {"parseurl", none, "", kParseUrl},
    {"parse_urlquery", none, "", kParseUrlQuery},
    {"parseurlquery", none, "", kParseUrlQuery},
    {"parse_path", none, "", kParsePath},
    {"parse_command_line", none, "", kParseCommandLine},
    {"hash_md5", none, "", kMd5},
    {"hash_sha1", none, "", kSha1},
    {"hash_sha256", none, "", kSha256},
    {"tohex", first_argument, "", kToHex},
    {"format_bytes", first_argument, "", kFormatBytes},
    {"parse_ipv4", none, "", kParseIpv4},
    {"parse_ipv4_mask", none, "", kParseIpv4Mask},
    {"format_ipv4", none, "", kFormatIpv4},
    {"format_ipv4_mask", none, "", kFormatIpv4Mask},
    {"ipv4_compare", none, "", kIpv4Compare},
    {"ipv4_is_match", none, "", kIpv4IsMatch},
    {"ipv4_is_in_range", none, "", kIpv4IsInRange},
    {"ipv4_netmask_suffix", none, "", kIpv4Suffix},
    {"parse_ipv6", none, "", kParseIpv6},
    {"ipv6_compare", none, "", kIpv6Compare},
    {"ipv6_is_match", none, "", kIpv6IsMatch},
    {"ipv6_is_in_range", none, "", kIpv6IsInRange},
    {"has_ipv4", none, "", kHasIpv4},
    {"has_ipv4_prefix", none, "", kHasIpv4Prefix},
    {"ipv4_range_to_cidr_list", none, "", kCidrList},
    {"geo_distance_2points", none, "", kGeoDistance},
    {"isfinite", none, "", kIsFinite},
    {"sign", none, "", kSign},
    {"exp2", first_argument, "", kExp2},
    {"exp10", first_argument, "", kExp10},
    {"pi", none, "", kPi},
    {"sin", first_argument, "", kSin},
    {"cos", first_argument, "", kCos},
    {"tan", first_argument, "", kTan},
    {"cot", none, "", kCot},
    {"asin", first_argument, "", kAsin},
    {"acos", first_argument, "", kAcos},
    {"atan", first_argument, "", kAtan},
    {"atan2", first_argument, "", kAtan2},
    {"degrees", none, "", kDegrees},
    {"radians", none, "", kRadians},
    {"gamma", first_argument, "", kGamma},
    {"loggamma", first_argument, "", kLogGamma},
    {"rand", first_argument, "", kRand},
    {"new_guid", none, "", kNewGuid},
    {"binary_and", first_argument, "", kBinaryAnd},
    {"binary_or", first_argument, "", kBinaryOr},
    {"binary_xor", first_argument, "", kBinaryXor},
    {"binary_not", first_argument, "", kBinaryNot},
    {"binary_shift_left", first_argument, "", kShiftLeft},
    {"binary_shift_right", first_argument, "", kShiftRight},
    {"bitset_count_ones", first_argument, "", kCountOnes},
    {"week_of_year", none, "", kWeekOfYear},
    {"format_datetime", first_argument, "", kFormatDatetime},
    {"format_timespan", first_argument, "", kFormatTimespan},
    {"make_datetime", none, "", kMakeDatetime},
    {"make_timespan", none, "", kMakeTimespan},
    {"arraylength", none, "", kArrayLength},
    {"array_iff", none, "", kArrayIff},
    {"array_iif", none, "", kArrayIff},
    {"array_index_of", none, "", kArrayIndexOf},
    {"array_reverse", none, "", kArrayReverse},
    {"array_rotate_left", none, "", kRotateLeft},
    {"array_rotate_right", none, "", kRotateRight},
    {"array_shift_left", none, "", kShiftArrayLeft},
    {"array_shift_right", none, "", kShiftArrayRight},
    {"array_slice", none, "", kArraySlice},
    {"array_split", none, "", kArraySplit},
    {"array_sum", none, "", kArraySum},
    {"series_sum", none, "", kArraySum},
    {"set_has_element", none, "", kSetHasElement},
    {"set_equals", none, "", kSetEquals},
    {"jaccard_index", none, "", kJaccard},
    {"bag_has_key", none, "", kBagHasKey},
    {"bag_remove_keys", none, "", kBagRemoveKeys},
    {"bag_set_key", none, "", kBagSetKey},
    {"bag_zip", none, "", kBagZip},
    {"dynamic_to_json", none, "", kToJson},
    {"series_fit_line", none, "", kFit},
    {"series_fit_2lines", none, "", kFit2},
    {"series_stats", none, "", kStats},
    {"series_decompose", none, "", kDecompose},
    {"series_decompose_anomalies", none, "", kAnomalies},
    {"series_decompose_forecast", none, "", kForecast},
    {"series_outliers", first_argument, "", kOutliers},
    {"series_fill_const", first_argument, "", kFillConst},
    {"series_fill_forward", first_argument, "", kFillForward},
    {"series_fill_backward", first_argument, "", kFillBackward},
    {"series_fill_linear", first_argument, "", kFillLinear},
    {"series_fir", first_argument, "", kFir},
    {"series_iir", first_argument, "", kIir},
    {"treepath", prefixed, "tree", kTreepath},
};

}  // namespace

std::span<const ScalarFunction> scalar_functions() { return kScalars; }

}  // namespace picket::kql
