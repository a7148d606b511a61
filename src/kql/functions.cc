#include "functions.h"

#include <algorithm>
#include <array>

#include "contains.h"

namespace picket::kql {

namespace {

using enum Type;
using namespace std::string_view_literals;

using Shape = AggregateFunction::Shape;

constexpr AggregateFunction kAggregates[] = {
    {"count", Shape::count, "count", "count", "", 'l'},
    {"countif", Shape::condition, "countif", "count", "", 'l'},
    {"dcount", Shape::collection, "dcount", "dcount", "*", 'l'},
    {"dcountif", Shape::collection, "dcountif", "dcount", "*", 'l', true},
    {"count_distinct", Shape::value, "count_distinct", "dcount", "*", 'l'},
    {"count_distinctif", Shape::value, "count_distinctif", "dcount", "*", 'l', true},
    {"min", Shape::value, "min", "min", "ilrdtsbD", '='},
    {"minif", Shape::value, "minif", "min", "ilrdtsbD", '=', true},
    {"max", Shape::value, "max", "max", "ilrdtsbD", '='},
    {"maxif", Shape::value, "maxif", "max", "ilrdtsbD", '=', true},
    {"sum", Shape::value, "sum", "sum", "ilrtD", '+'},
    {"sumif", Shape::value, "sumif", "sum", "ilrtD", '+', true},
    {"avg", Shape::value, "avg", "avg", "ilrtdD", 'a'},
    {"avgif", Shape::value, "avgif", "avg", "ilrtdD", 'a', true},
    {"stdev", Shape::value, "stdev", "stdev", "ilrD", 'r'},
    {"stdevif", Shape::value, "stdevif", "stdev", "ilrD", 'r', true},
    {"variance", Shape::value, "variance", "variance", "ilrD", 'r'},
    {"varianceif", Shape::value, "varianceif", "variance", "ilrD", 'r', true},
    {"make_list", Shape::collection, "list", "make_list", "*", 'j'},
    {"make_list_if", Shape::collection, "list", "make_list", "*", 'j', true},
    {"makelist", Shape::collection, "list", "make_list", "*", 'j'},
    {"make_list_with_nulls", Shape::value, "list", "make_list_with_nulls", "*", 'j'},
    {"make_set", Shape::collection, "set", "make_set", "*", 'j'},
    {"make_set_if", Shape::collection, "set", "make_set", "*", 'j', true},
    {"makeset", Shape::collection, "set", "make_set", "*", 'j'},
    {"make_bag", Shape::collection, "bag", "make_bag", "j", 'j'},
    {"make_bag_if", Shape::collection, "bag", "make_bag", "j", 'j', true},
    {"make_dictionary", Shape::collection, "dictionary", "make_bag", "j", 'j'},
    {"stdevp", Shape::value, "stdevp", "stdevp", "ilr", 'r'},
    {"variancep", Shape::value, "variancep", "variancep", "ilr", 'r'},
    {"variancepif", Shape::value, "variancepif", "variancep", "ilr", 'r', true},
    {"covariance", Shape::pair, "covariance", "covariance", "ilr", 'r'},
    {"covariancep", Shape::pair, "covariancep", "covariancep", "ilr", 'r'},
    {"binary_all_and", Shape::value, "", "binary_all_and", "il", 'l'},
    {"binary_all_or", Shape::value, "", "binary_all_or", "il", 'l'},
    {"binary_all_xor", Shape::value, "", "binary_all_xor", "il", 'l'},
    {"cnt", Shape::count, "cnt", "count", "", 'l'},
    {"percentiles_array", Shape::percentiles_array, "percentiles", "percentiles_array", "ilrdt", 'j'},
    {"anyif", Shape::any_row, "anyif", "take_any", "*", '=', true},
    {"percentile", Shape::percentile, "percentile", "percentile", "ilrdt", '+'},
    {"percentiles", Shape::percentiles, "percentile", "percentile", "ilrdt", '+'},
    {"percentilew", Shape::percentile, "percentile", "percentile_weighted", "ilrdt", '+'},
    {"percentilesw", Shape::percentiles, "percentile", "percentile_weighted", "ilrdt", '+'},
    {"percentilesw_array", Shape::percentiles_array, "percentiles", "percentiles_weighted_array", "ilrdt", 'j'},
    {"hll", Shape::collection, "hll", "hll", "S", 'j'},
    {"hll_if", Shape::collection, "hll_if", "hll", "S", 'j', true},
    {"hll_merge", Shape::value, "hll_merge", "hll_merge", "j", 'j'},
    {"tdigest", Shape::value, "tdigest", "tdigest", "ilr", 'j'},
    {"tdigest_merge", Shape::value, "merge_tdigests", "tdigest_merge", "j", 'j'},
    {"merge_tdigest", Shape::value, "merge_tdigests", "tdigest_merge", "j", 'j'},
    {"argmax", Shape::row, "max", "arg_max", "ilrdtsb", '='},
    {"argmin", Shape::row, "min", "arg_min", "ilrdtsb", '='},
    {"arg_max", Shape::row, "max", "arg_max", "ilrdtsbD", '='},
    {"arg_min", Shape::row, "min", "arg_min", "ilrdtsbD", '='},
    {"take_any", Shape::any_row, "", "take_any", "*", '='},
    {"any", Shape::any_row, "any", "take_any", "*", '='},
    {"take_anyif", Shape::any_row, "", "take_any", "*", '=', true},
};

using RowColumn = RowFunction::Column;
constexpr RowColumn kStatsColumns[] = {{"min", real}, {"min_idx", int64}, {"max", real},     {"max_idx", int64},
                                       {"avg", real}, {"stdev", real},    {"variance", real}};
constexpr RowColumn kFitColumns[] = {{"rsquare", real},   {"slope", real},        {"variance", real},
                                     {"rvariance", real}, {"interception", real}, {"line_fit", dynamic}};
constexpr RowColumn kFit2Columns[] = {
    {"rsquare", real},           {"split_idx", int64},      {"variance", real},      {"rvariance", real},
    {"line_fit", dynamic},       {"right_rsquare", real},   {"right_slope", real},   {"right_interception", real},
    {"right_variance", real},    {"right_rvariance", real}, {"left_rsquare", real},  {"left_slope", real},
    {"left_interception", real}, {"left_variance", real},   {"left_rvariance", real}};
constexpr RowColumn kDecomposeColumns[] = {
    {"baseline", dynamic}, {"seasonal", dynamic}, {"trend", dynamic}, {"residual", dynamic}};
constexpr RowColumn kAnomaliesColumns[] = {{"ad_flag", dynamic}, {"ad_score", dynamic}, {"baseline", dynamic}};

constexpr RowColumn kFftColumns[] = {{"real", dynamic}, {"imag", dynamic}};
constexpr RowColumn kPolyColumns[] = {
    {"rsquare", real}, {"coefficients", dynamic}, {"variance", real}, {"rvariance", real}, {"poly_fit", dynamic}};

constexpr RowFunction kRows[] = {
    {"series_fft", kFftColumns},
    {"series_ifft", kFftColumns},
    {"series_fit_poly", kPolyColumns},
    {"series_stats", kStatsColumns},
    {"series_fit_line", kFitColumns},
    {"series_fit_2lines", kFit2Columns},
    {"series_decompose", kDecomposeColumns},
    {"series_decompose_anomalies", kAnomaliesColumns},
    {"array_sort_asc", {}, true},
    {"array_sort_desc", {}, true},
};

constexpr std::array kWindows = {"row_number"sv, "prev"sv,           "next"sv,         "row_cumsum"sv,
                                 "row_rank"sv,   "row_rank_dense"sv, "row_rank_min"sv, "row_window_session"sv};

template <class T>
const T* find(std::span<const T> all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &T::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::span<const AggregateFunction> aggregate_functions() { return kAggregates; }
const ScalarFunction* find_scalar_function(std::string_view name) {
  const auto* const found = find(scalar_functions(), name);
  return found != nullptr ? found : find(family_functions(), name);
}
const AggregateFunction* find_aggregate(std::string_view name) { return find(aggregate_functions(), name); }
const RowFunction* find_row_function(std::string_view name) { return find(std::span<const RowFunction>(kRows), name); }
bool is_window_function(std::string_view name) { return contains(kWindows, name); }

char type_letter(Type type) {
  constexpr std::string_view kLetters = "bilrsdtgjD";
  return kLetters[static_cast<std::size_t>(type)];
}

Type type_from_name(std::string_view name) {
  for (const auto type : {boolean, int32, int64, real, string, datetime, timespan, guid, decimal}) {
    if (to_string(type) == name) return type;
  }
  return dynamic;
}

}  // namespace picket::kql
