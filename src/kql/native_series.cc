// Series: arithmetic, filling, filters, fits.
#include "kql/native_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kql/native_functions.h"
#include "native_json.h"

namespace picket::kql {

namespace {

using Numbers = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::optional<double> combine(std::string_view op, double a, double b) {
  if (op == "add") return a + b;
  if (op == "subtract") return a - b;
  if (op == "multiply") return a * b;
  if (op == "divide") return a / b;
  if (op == "pow") return std::pow(a, b);
  return std::nullopt;
}

bool compare(std::string_view op, double a, double b) {
  if (op == "greater") return a > b;
  if (op == "greater_equals") return a >= b;
  if (op == "less") return a < b;
  if (op == "less_equals") return a <= b;
  return op == "equals" ? a == b : a != b;
}

double one(std::string_view op, double x) {
  if (op == "abs") return std::fabs(x);
  if (op == "ceiling") return std::ceil(x);
  if (op == "floor") return std::floor(x);
  if (op == "sign") return x > 0 ? 1 : x < 0 ? -1 : 0;
  if (op == "exp") return std::exp(x);
  if (op == "log") return std::log(x);
  if (op == "sin") return std::sin(x);
  if (op == "cos") return std::cos(x);
  if (op == "tan") return std::tan(x);
  if (op == "asin") return std::asin(x);
  if (op == "acos") return std::acos(x);
  return op == "atan" ? std::atan(x) : kNan;
}

double mean(const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); }

/// Sum of squares of the distances from the mean.
double spread_of(const Numbers& x) {
  const double m = mean(x);
  double out = 0;
  for (const double v : x) out += (v - m) * (v - m);
  return out;
}

double sample_variance(double squares, std::size_t n) { return n < 2 ? 0 : squares / static_cast<double>(n - 1); }

struct Line {
  double slope = 0, start = 0, residual = 0, spread = 0;
  [[nodiscard]] double rsquare() const { return spread > 0 ? 1 - residual / spread : 0; }
};

/// Least squares over positions 0, 1, ...
Line fit(const Numbers& y, std::size_t from, std::size_t to) {
  const Numbers part(y.begin() + static_cast<std::ptrdiff_t>(from), y.begin() + static_cast<std::ptrdiff_t>(to));
  const double n = static_cast<double>(part.size());
  Line out;
  if (part.empty()) return out;
  const double center = (n - 1) / 2;
  const double m = mean(part);
  double xy = 0;
  double xx = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const double x = static_cast<double>(i) - center;
    xy += x * (part[i] - m);
    xx += x * x;
  }
  out.slope = xx > 0 ? xy / xx : 0;
  out.start = m - out.slope * center;
  out.spread = spread_of(part);
  for (std::size_t i = 0; i < part.size(); ++i) {
    const double e = part[i] - (out.start + out.slope * static_cast<double>(i));
    out.residual += e * e;
  }
  return out;
}

bool has_missing(const Numbers& x) {
  return x.empty() || std::ranges::any_of(x, [](double v) { return std::isnan(v); });
}

}  // namespace

std::optional<std::string> series_pair(std::string_view op, std::string_view a, std::string_view b) {
  const auto x = json_numbers(a);
  const auto y = json_numbers(b);
  const auto x_number = dynamic_number(a);
  const auto y_number = dynamic_number(b);
  if ((!x && !x_number) || (!y && !y_number) || (!x && !y)) return std::nullopt;
  const std::size_t size = std::max(x ? x->size() : 0, y ? y->size() : 0);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < size; ++i) {
    const double left = x ? (i < x->size() ? (*x)[i] : kNan) : *x_number;
    const double right = y ? (i < y->size() ? (*y)[i] : kNan) : *y_number;
    if (std::isnan(left) || std::isnan(right)) {
      out.emplace_back("null");
    } else if (const auto value = combine(op, left, right)) {
      out.push_back(json_number(*value));
    } else {
      out.emplace_back(compare(op, left, right) ? "true" : "false");
    }
  }
  return json_array(out);
}

std::optional<std::string> series_one(std::string_view op, std::string_view series) {
  auto numbers = json_numbers(series);
  if (!numbers) return std::nullopt;
  for (auto& number : *numbers) number = std::isnan(number) ? number : one(op, number);
  return json_array(*numbers);
}

std::optional<double> series_fold(std::string_view op, std::string_view series) {
  const auto numbers = json_numbers(series);
  if (!numbers) return std::nullopt;
  double out = op == "product" ? 1 : 0;
  for (const double number : *numbers) {
    if (std::isnan(number)) return std::nullopt;
    out = op == "product" ? out * number : out + (op == "magnitude" ? number * number : number);
  }
  return op == "magnitude" ? std::sqrt(out) : out;
}

std::optional<double> series_measure(std::string_view op, std::string_view a, std::string_view b) {
  const auto x = json_numbers(a);
  const auto y = json_numbers(b);
  if (!x || !y || x->size() != y->size() || has_missing(*x) || has_missing(*y)) return std::nullopt;
  const double mx = op == "pearson_correlation" ? mean(*x) : 0;
  const double my = op == "pearson_correlation" ? mean(*y) : 0;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const double p = (*x)[i] - mx;
    const double q = (*y)[i] - my;
    xy += p * q;
    xx += p * p;
    yy += q * q;
  }
  return op == "dot_product" ? xy : xy / std::sqrt(xx * yy);
}

std::optional<std::string> series_fill(std::string_view kind, std::string_view series, std::string_view value,
                                       std::string_view missing) {
  auto items = json_items(series);
  if (!items) return std::nullopt;
  const auto absent = [&](std::string_view item) { return json_is_null(item) || json_equal(item, missing); };
  std::vector<std::string> out(items->begin(), items->end());
  const std::size_t n = out.size();
  if (kind == "const") {
    for (auto& item : out) item = absent(item) ? std::string(value) : item;
  } else if (kind == "forward") {
    for (std::size_t i = 1; i < n; ++i) out[i] = absent(out[i]) ? out[i - 1] : out[i];
  } else if (kind == "backward") {
    for (std::size_t i = n; i-- > 1;) out[i - 1] = absent(out[i - 1]) ? out[i] : out[i - 1];
  } else {
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < n; ++i) {
      if (!absent(out[i])) known.push_back(i);
    }
    for (std::size_t k = 0; k + 1 < known.size(); ++k) {
      const auto from = known[k];
      const auto to = known[k + 1];
      const double a = dynamic_number(out[from]).value_or(0);
      const double b = dynamic_number(out[to]).value_or(0);
      for (auto i = from + 1; i < to; ++i) {
        out[i] = json_number(a + (b - a) * static_cast<double>(i - from) / static_cast<double>(to - from));
      }
    }
    if (value == "true" && !known.empty()) {  // the edges take the nearest value
      for (std::size_t i = 0; i < known.front(); ++i) out[i] = out[known.front()];
      for (std::size_t i = known.back() + 1; i < n; ++i) out[i] = out[known.back()];
    }
  }
  return json_array(out);
}

constexpr std::size_t kProductsMax = 100'000'000;

std::optional<std::string> series_fir(std::string_view series, std::string_view filter, bool normalize, bool center) {
  const auto x = json_numbers(series);
  auto f = json_numbers(filter);
  if (!x || !f || has_missing(*x) || has_missing(*f)) return std::nullopt;
  if (x->size() * f->size() > kProductsMax) {
    throw std::length_error(
        "series_fir() of so long a series with so long a filter takes too long: at most 10^8 products");
  }
  const double sum = std::accumulate(f->begin(), f->end(), 0.0);
  if (normalize && sum != 0) {
    for (auto& c : *f) c /= sum;
  }
  const auto shift = static_cast<std::ptrdiff_t>(center ? (f->size() - 1) / 2 : 0);
  Numbers out;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(x->size()); ++i) {
    double value = 0;
    for (std::ptrdiff_t k = 0; k < static_cast<std::ptrdiff_t>(f->size()); ++k) {
      const auto at = i + shift - k;
      if (at >= 0 && at < static_cast<std::ptrdiff_t>(x->size())) {
        value += (*f)[static_cast<std::size_t>(k)] * (*x)[static_cast<std::size_t>(at)];
      }
    }
    out.push_back(value);
  }
  return json_array(out);
}

std::optional<std::string> series_iir(std::string_view series, std::string_view numerators,
                                      std::string_view denominators) {
  const auto x = json_numbers(series);
  const auto b = json_numbers(numerators);
  const auto a = json_numbers(denominators);
  if (!x || !a || !b || has_missing(*x) || has_missing(*a) || has_missing(*b) || (*a)[0] == 0) return std::nullopt;
  Numbers out;
  for (std::size_t i = 0; i < x->size(); ++i) {
    double value = 0;
    for (std::size_t k = 0; k < b->size() && k <= i; ++k) value += (*b)[k] * (*x)[i - k];
    for (std::size_t k = 1; k < a->size() && k <= i; ++k) value -= (*a)[k] * out[i - k];
    out.push_back(value / (*a)[0]);
  }
  return json_array(out);
}

std::optional<std::string> series_stats(std::string_view series) {
  const auto x = json_numbers(series);
  if (!x || has_missing(*x)) return std::nullopt;
  const auto least = std::ranges::min_element(*x);
  const auto most = std::ranges::max_element(*x);
  const double variance = sample_variance(spread_of(*x), x->size());
  return json_array(std::vector<std::string>{
      json_number(*least), std::to_string(least - x->begin()), json_number(*most), std::to_string(most - x->begin()),
      json_number(mean(*x)), json_number(std::sqrt(variance)), json_number(variance)});
}

std::optional<std::string> series_fit_line(std::string_view series) {
  const auto y = json_numbers(series);
  if (!y || has_missing(*y)) return std::nullopt;
  const auto line = fit(*y, 0, y->size());
  Numbers fitted;
  for (std::size_t i = 0; i < y->size(); ++i) fitted.push_back(line.start + line.slope * static_cast<double>(i));
  return json_array(std::vector<std::string>{
      json_number(line.rsquare()), json_number(line.slope), json_number(sample_variance(line.spread, y->size())),
      json_number(sample_variance(line.residual, y->size())), json_number(line.start), json_array(fitted)});
}

std::optional<std::string> series_fit_2lines(std::string_view series) {
  const auto y = json_numbers(series);
  if (!y || has_missing(*y) || y->size() < 4) return std::nullopt;
  const auto n = y->size();
  std::size_t split = 2;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t at = 2; at + 2 <= n; ++at) {
    const double error = fit(*y, 0, at).residual + fit(*y, at, n).residual;
    if (error < best) {
      best = error;
      split = at;
    }
  }
  const auto left = fit(*y, 0, split);
  const auto right = fit(*y, split, n);
  const double spread = spread_of(*y);
  Numbers fitted;
  for (std::size_t i = 0; i < n; ++i) {
    fitted.push_back(i < split ? left.start + left.slope * static_cast<double>(i)
                               : right.start + right.slope * static_cast<double>(i - split));
  }
  std::vector<std::string> out = {json_number(spread > 0 ? 1 - best / spread : 0), std::to_string(split),
                                  json_number(sample_variance(spread, n)), json_number(sample_variance(best, n)),
                                  json_array(fitted)};
  const auto add = [&](const Line& line, std::size_t size) {
    for (const double value : {line.rsquare(), line.slope, line.start, sample_variance(line.spread, size),
                               sample_variance(line.residual, size)}) {
      out.push_back(json_number(value));
    }
  };
  add(right, n - split);
  add(left, split);
  return json_array(out);
}

}  // namespace picket::kql
