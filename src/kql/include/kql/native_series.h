// Functions over series: arrays of numbers, as plain C++. JSON text in and out; nullopt is null, given where an
// argument is no array of numbers. Registered in DuckDB as kql_ and the name here. Pure, from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::kql {

/// Element by element: add, subtract, multiply, divide, pow, greater, greater_equals, less, less_equals, equals,
/// not_equals. A number stands for a series of it; the shorter series ends with nulls.
std::optional<std::string> series_pair(std::string_view op, std::string_view a, std::string_view b);
/// abs, ceiling, floor, sign, exp, log, sin, cos, tan, asin, acos, atan.
std::optional<std::string> series_one(std::string_view op, std::string_view series);
/// sum, product, magnitude.
std::optional<double> series_fold(std::string_view op, std::string_view series);
/// dot_product, cosine_similarity, pearson_correlation.
std::optional<double> series_measure(std::string_view op, std::string_view a, std::string_view b);
/// kind: const (with `value`), forward, backward, linear. `missing` is what counts as missing besides null.
std::optional<std::string> series_fill(std::string_view kind, std::string_view series, std::string_view value,
                                       std::string_view missing);
/// Filter coefficients; normalised to a sum of 1; centred.
std::optional<std::string> series_fir(std::string_view series, std::string_view filter, bool normalize, bool center);
std::optional<std::string> series_iir(std::string_view series, std::string_view numerators,
                                      std::string_view denominators);

// --- What gives several columns, as an array of them

/// [min, min_idx, max, max_idx, avg, stdev, variance]
std::optional<std::string> series_stats(std::string_view series);
/// [rsquare, slope, variance, rvariance, interception, line_fit]
std::optional<std::string> series_fit_line(std::string_view series);
/// [rsquare, split_idx, variance, rvariance, line_fit, right_rsquare, right_slope, right_interception, right_variance,
/// right_rvariance, left_rsquare, left_slope, left_interception, left_variance, left_rvariance]
std::optional<std::string> series_fit_2lines(std::string_view series);
/// [baseline, seasonal, trend, residual]. period: -1 finds it, 0 none. trend: avg, linefit, none. The last `test`
/// points are not learnt from. Periods are taken that score above `threshold`.
std::optional<std::string> series_decompose(std::string_view series, std::int64_t period, std::string_view trend,
                                            std::int64_t test, double threshold);
/// [flags, scores, baseline]. method: ctukey or tukey.
std::optional<std::string> series_anomalies(std::string_view series, double limit, std::int64_t period,
                                            std::string_view trend, std::int64_t test, std::string_view method,
                                            double threshold);
/// The baseline, for the last `points` too, which are not learnt from.
std::optional<std::string> series_forecast(std::string_view series, std::int64_t points, std::int64_t period,
                                           std::string_view trend, double threshold);
/// The period that series_decompose(-1) finds in finite numbers; 0: none.
std::size_t series_period(const std::vector<double>& series, double threshold);
/// Tukey's fences: 0 inside, otherwise how many ranges outside.
std::optional<std::string> series_outliers(std::string_view series, std::string_view kind);

}  // namespace picket::kql
