// Series: Fourier transforms, polynomials, seasons by median, statistics as a bag.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <vector>

#include "kql/native_families.h"
#include "kql/native_series.h"
#include "native_json.h"

namespace picket::kql {

namespace {

using Numbers = std::vector<double>;
using Complex = std::complex<double>;
constexpr std::size_t kPointsMax = 65'536;
constexpr std::int64_t kDegreeMax = 16;

bool has_missing(const Numbers& x) {
  return std::ranges::any_of(x, [](double v) { return !std::isfinite(v); });
}

/// In place; the size is a power of two. Not scaled.
void transform(std::vector<Complex>& x, bool inverse) {
  const std::size_t n = x.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n >> 1U;
    for (; (j & bit) != 0; bit >>= 1U) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (std::size_t size = 2; size <= n; size *= 2) {
    for (std::size_t k = 0; k < size / 2; ++k) {
      const double turn = (inverse ? 2 : -2) * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size);
      const Complex factor = std::polar(1.0, turn);
      for (std::size_t i = k; i < n; i += size) {
        const auto odd = x[i + size / 2] * factor;
        x[i + size / 2] = x[i] - odd;
        x[i] += odd;
      }
    }
  }
}

/// Of any size: as a convolution (Bluestein's algorithm).
void transform_any(std::vector<Complex>& x, bool inverse) {
  const std::size_t n = x.size();
  if (std::has_single_bit(n)) return transform(x, inverse);
  const std::size_t size = std::bit_ceil(2 * n - 1);
  std::vector<Complex> chirp(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto square = static_cast<double>(i * i % (2 * n));
    chirp[i] = std::polar(1.0, (inverse ? 1 : -1) * std::numbers::pi * square / static_cast<double>(n));
  }
  std::vector<Complex> a(size);
  std::vector<Complex> b(size);
  for (std::size_t i = 0; i < n; ++i) {
    a[i] = x[i] * chirp[i];
    b[i] = std::conj(chirp[i]);
    if (i > 0) b[size - i] = b[i];
  }
  transform(a, false);
  transform(b, false);
  for (std::size_t i = 0; i < size; ++i) a[i] *= b[i];
  transform(a, true);
  for (std::size_t i = 0; i < n; ++i) x[i] = a[i] * chirp[i] / static_cast<double>(size);
}

double mean(const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); }

double squares(const Numbers& x) {
  const double m = mean(x);
  double out = 0;
  for (const double v : x) out += (v - m) * (v - m);
  return out;
}

/// Solves a*x = b; false: there is no one solution.
bool solve(std::vector<std::vector<long double>>& a, std::vector<long double>& b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t best = k;
    for (std::size_t i = k + 1; i < n; ++i) best = std::fabs(a[i][k]) > std::fabs(a[best][k]) ? i : best;
    if (std::fabs(a[best][k]) < 1e-300L) return false;
    std::swap(a[k], a[best]);
    std::swap(b[k], b[best]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const long double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return true;
}

double median(Numbers values) {
  std::ranges::sort(values);
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

std::optional<std::string> series_fft(std::string_view real, std::string_view imaginary, bool inverse) {
  const auto re = json_numbers(real);
  auto im = imaginary.empty() ? std::optional(Numbers(re ? re->size() : 0, 0)) : json_numbers(imaginary);
  if (!re || !im || re->size() != im->size() || re->size() > kPointsMax || has_missing(*re) || has_missing(*im)) {
    return std::nullopt;
  }
  std::vector<Complex> x;
  for (std::size_t i = 0; i < re->size(); ++i) x.emplace_back((*re)[i], (*im)[i]);
  if (x.size() > 1) transform_any(x, inverse);
  Numbers out_real;
  Numbers out_imaginary;
  const double scale = inverse ? static_cast<double>(x.size()) : 1;
  for (const auto& one : x) {
    out_real.push_back(one.real() / scale);
    out_imaginary.push_back(one.imag() / scale);
  }
  return json_array(std::vector<std::string>{json_array(out_real), json_array(out_imaginary)});
}

std::optional<std::string> series_fit_poly(std::string_view y_json, std::string_view x_json, std::int64_t degree) {
  const auto y = json_numbers(y_json);
  if (!y || y->empty() || has_missing(*y) || degree < 1 || degree > kDegreeMax) return std::nullopt;
  const std::size_t n = y->size();
  std::optional<Numbers> x = Numbers(n);
  std::iota(x->begin(), x->end(), 1.0);
  if (!x_json.empty()) x = json_numbers(x_json);
  if (!x || x->size() != n || has_missing(*x)) return std::nullopt;
  const auto terms = static_cast<std::size_t>(degree) + 1;
  std::vector<long double> powers(2 * terms - 1, 0);  // sums of x^k
  std::vector<long double> right(terms, 0);
  for (std::size_t i = 0; i < n; ++i) {
    long double power = 1;
    for (std::size_t k = 0; k < powers.size(); ++k, power *= (*x)[i]) {
      powers[k] += power;
      if (k < terms) right[k] += power * (*y)[i];
    }
  }
  std::vector<std::vector<long double>> matrix(terms, std::vector<long double>(terms));
  for (std::size_t i = 0; i < terms; ++i) {
    for (std::size_t j = 0; j < terms; ++j) matrix[i][j] = powers[i + j];
  }
  if (n < terms || !solve(matrix, right)) return std::nullopt;
  Numbers fitted;
  double residual = 0;
  for (std::size_t i = 0; i < n; ++i) {
    long double value = 0;
    for (std::size_t k = terms; k-- > 0;) value = value * (*x)[i] + right[k];
    fitted.push_back(static_cast<double>(value));
    residual += ((*y)[i] - fitted.back()) * ((*y)[i] - fitted.back());
  }
  Numbers coefficients(right.rbegin(), right.rend());
  const double spread = squares(*y);
  const double below = n > 1 ? static_cast<double>(n - 1) : 1;
  return json_array(std::vector<std::string>{json_number(spread > 0 ? 1 - residual / spread : 0),
                                             json_array(coefficients), json_number(spread / below),
                                             json_number(residual / below), json_array(fitted)});
}

std::optional<std::string> series_seasonal(std::string_view series, std::int64_t period, std::int64_t test) {
  const auto x = json_numbers(series);
  if (!x || has_missing(*x) || test < 0) return std::nullopt;
  const std::size_t learnt = x->size() - std::min(x->size(), static_cast<std::size_t>(test));
  constexpr double kThreshold = 0.7;
  auto length = static_cast<std::size_t>(std::max<std::int64_t>(period, 0));
  if (period == -1) {  // what is seen less than twice in full is no season (the documentation's example of none)
    length = series_period(Numbers(x->begin(), x->begin() + static_cast<std::ptrdiff_t>(learnt)), kThreshold);
    if (2 * length >= learnt) length = 0;
  }
  Numbers out(x->size(), 0);
  if (length == 0 || length > learnt) return json_array(out);
  for (std::size_t phase = 0; phase < length; ++phase) {
    Numbers values;
    for (std::size_t i = phase; i < learnt; i += length) values.push_back((*x)[i]);
    const double middle = median(std::move(values));
    for (std::size_t i = phase; i < x->size(); i += length) out[i] = middle;
  }
  return json_array(out);
}

std::optional<std::string> series_fit_2lines_bag(std::string_view series) {
  const auto values = series_fit_2lines(series);
  const auto items = values ? json_items(*values) : std::nullopt;
  if (!items || items->size() != 15) return std::nullopt;
  constexpr std::array<std::string_view, 5> kOuter = {"rsquare", "split_idx", "variance", "rvariance", "line_fit"};
  constexpr std::array<std::string_view, 5> kInner = {"rsquare", "slope", "interception", "variance", "rvariance"};
  const auto bag = [&](const auto& names, std::size_t from) {
    std::string out;
    for (std::size_t i = 0; i < names.size(); ++i) {
      out += (i > 0 ? "," : "") + json_text(names[i]) + ":" + std::string((*items)[from + i]);
    }
    return out;
  };
  return "{" + bag(kOuter, 0) + ",\"right\":{" + bag(kInner, 5) + "},\"left\":{" + bag(kInner, 10) + "}}";
}

std::optional<std::string> series_stats_bag(std::string_view series, bool skip_missing) {
  const auto x = json_numbers(series);
  if (!x) return std::nullopt;
  if (!skip_missing && has_missing(*x)) return std::nullopt;
  Numbers kept;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < x->size(); ++i) {
    if (!std::isfinite((*x)[i])) continue;
    kept.push_back((*x)[i]);
    places.push_back(i);
  }
  if (kept.empty()) return std::nullopt;
  const auto least = std::ranges::min_element(kept) - kept.begin();
  const auto most = std::ranges::max_element(kept) - kept.begin();
  const double variance = kept.size() > 1 ? squares(kept) / static_cast<double>(kept.size() - 1) : 0;
  const auto at = [&](std::ptrdiff_t i) { return static_cast<std::size_t>(i); };
  return "{\"min\":" + json_number(kept[at(least)]) + ",\"min_idx\":" + std::to_string(places[at(least)]) +
         ",\"max\":" + json_number(kept[at(most)]) + ",\"max_idx\":" + std::to_string(places[at(most)]) +
         ",\"avg\":" + json_number(mean(kept)) + ",\"stdev\":" + json_number(std::sqrt(variance)) +
         ",\"variance\":" + json_number(variance) +
         ",\"sum\":" + json_number(std::accumulate(kept.begin(), kept.end(), 0.0)) +
         ",\"len\":" + std::to_string(kept.size()) + "}";
}

}  // namespace picket::kql
