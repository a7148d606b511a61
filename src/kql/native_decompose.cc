// Series: season, trend and what is left; anomalies and forecasts from these.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kql/native_series.h"
#include "native_json.h"

namespace picket::kql {

namespace {

using Numbers = std::vector<double>;

struct Parts {
  Numbers baseline, seasonal, trend, residual;
};

double mean(const Numbers& x, std::size_t n) {
  return n == 0 ? 0
                : std::accumulate(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n), 0.0) / static_cast<double>(n);
}

/// How alike the series is to itself `lag` points later: -1 to 1.
double likeness(const Numbers& x, std::size_t lag) {
  const std::size_t n = x.size() - lag;
  const double m = mean(x, x.size());
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    xy += (x[i] - m) * (x[i + lag] - m);
    xx += (x[i] - m) * (x[i] - m);
    yy += (x[i + lag] - m) * (x[i + lag] - m);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

/// The shortest period among those that score best; 0: none above the threshold.
std::size_t find_period(const Numbers& x, double threshold) {
  constexpr std::size_t kShortest = 4;
  std::size_t best = 0;
  double best_score = threshold;
  double before = kShortest > 1 && x.size() > 2 * kShortest ? likeness(x, kShortest - 1) : 0;
  for (std::size_t lag = kShortest; lag <= x.size() / 2; ++lag) {
    const double score = likeness(x, lag);
    const double after = lag + 1 <= x.size() / 2 ? likeness(x, lag + 1) : -1;
    if (score >= before && score >= after && score > best_score + 0.01) {
      best = lag;
      best_score = score;
    }
    before = score;
  }
  return best;
}

std::optional<Parts> decompose(std::string_view series, std::int64_t period, std::string_view trend, std::int64_t test,
                               double threshold) {
  auto x = json_numbers(series);
  if (!x || x->empty() || period < -1 || test < 0) return std::nullopt;
  if (std::ranges::any_of(*x, [](double v) { return std::isnan(v); })) return std::nullopt;
  const std::size_t n = x->size();
  const std::size_t learnt = n - std::min(n, static_cast<std::size_t>(test));
  Parts out;
  out.trend.assign(n, 0);
  if (trend == "avg") {
    out.trend.assign(n, mean(*x, learnt));
  } else if (trend == "linefit" && learnt > 1) {
    const double center = static_cast<double>(learnt - 1) / 2;
    const double m = mean(*x, learnt);
    double xy = 0;
    double xx = 0;
    for (std::size_t i = 0; i < learnt; ++i) {
      const double at = static_cast<double>(i) - center;
      xy += at * ((*x)[i] - m);
      xx += at * at;
    }
    for (std::size_t i = 0; i < n; ++i) out.trend[i] = m + xy / xx * (static_cast<double>(i) - center);
  } else if (trend != "none" && trend != "linefit") {
    return std::nullopt;
  }
  Numbers flat;
  for (std::size_t i = 0; i < learnt; ++i) flat.push_back((*x)[i] - out.trend[i]);
  const std::size_t length = period >= 0 ? static_cast<std::size_t>(period) : find_period(flat, threshold);
  out.seasonal.assign(n, 0);
  if (length > 1 && length <= learnt) {
    Numbers phase(length, 0);
    Numbers count(length, 0);
    for (std::size_t i = 0; i < learnt; ++i) {
      phase[i % length] += flat[i];
      count[i % length] += 1;
    }
    for (std::size_t i = 0; i < length; ++i) phase[i] /= count[i];
    const double center = trend == "none" ? 0 : mean(phase, length);
    for (std::size_t i = 0; i < n; ++i) out.seasonal[i] = phase[i % length] - center;
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.baseline.push_back(out.trend[i] + out.seasonal[i]);
    out.residual.push_back((*x)[i] - out.baseline[i]);
  }
  return out;
}

double percentile(const Numbers& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const auto high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

Numbers scores(const Numbers& x, std::size_t learnt, bool custom) {
  Numbers sorted(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(learnt));
  Numbers out(x.size(), 0);
  if (sorted.empty()) return out;
  std::ranges::sort(sorted);
  const double low = percentile(sorted, custom ? 0.1 : 0.25);
  const double high = percentile(sorted, custom ? 0.9 : 0.75);
  const double range = high - low;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double outside = x[i] > high ? x[i] - high : x[i] < low ? x[i] - low : 0;
    out[i] = outside == 0 ? 0 : range > 0 ? outside / range : std::copysign(1e6, outside);
  }
  return out;
}

}  // namespace

std::size_t series_period(const std::vector<double>& series, double threshold) {
  return find_period(series, threshold);
}

std::optional<std::string> series_decompose(std::string_view series, std::int64_t period, std::string_view trend,
                                            std::int64_t test, double threshold) {
  const auto parts = decompose(series, period, trend, test, threshold);
  if (!parts) return std::nullopt;
  return json_array(std::vector<std::string>{json_array(parts->baseline), json_array(parts->seasonal),
                                             json_array(parts->trend), json_array(parts->residual)});
}

std::optional<std::string> series_anomalies(std::string_view series, double limit, std::int64_t period,
                                            std::string_view trend, std::int64_t test, std::string_view method,
                                            double threshold) {
  const auto parts = decompose(series, period, trend, test, threshold);
  if (!parts || (method != "ctukey" && method != "tukey")) return std::nullopt;
  const auto n = parts->residual.size();
  const auto found = scores(parts->residual, n - std::min(n, static_cast<std::size_t>(test)), method == "ctukey");
  std::vector<std::string> flags;
  for (const double score : found) flags.emplace_back(score > limit ? "1" : score < -limit ? "-1" : "0");
  return json_array(std::vector<std::string>{json_array(flags), json_array(found), json_array(parts->baseline)});
}

std::optional<std::string> series_forecast(std::string_view series, std::int64_t points, std::int64_t period,
                                           std::string_view trend, double threshold) {
  const auto parts = decompose(series, period, trend, points, threshold);
  return parts ? std::optional(json_array(parts->baseline)) : std::nullopt;
}

std::optional<std::string> series_outliers(std::string_view series, std::string_view kind) {
  const auto x = json_numbers(series);
  if (!x || (kind != "ctukey" && kind != "tukey")) return std::nullopt;
  if (std::ranges::any_of(*x, [](double v) { return std::isnan(v); })) return std::nullopt;
  return json_array(scores(*x, x->size(), kind == "ctukey"));
}

}  // namespace picket::kql
