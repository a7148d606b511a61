// The error function, the beta distribution, Welch's test.
#include <cmath>
#include <limits>

#include "kql/native_families.h"

namespace picket::kql {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

/// The continued fraction of the incomplete beta function (Lentz's method).
double fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  constexpr int kTermsMax = 10'000;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
  double out = d;
  for (int i = 1; i <= kTermsMax; ++i) {
    const double m = i;
    const auto step = [&](double term) {
      d = 1 + term * d;
      d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
      c = 1 + term / c;
      c = std::fabs(c) < kTiny ? kTiny : c;
      out *= d * c;
    };
    step(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    const double before = out;
    step(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)));
    if (std::fabs(out - before) <= 1e-16 * std::fabs(out)) break;
  }
  return out;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b));
  return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
}

}  // namespace

std::optional<double> error_function(double x) { return std::erf(x); }
std::optional<double> error_function_rest(double x) { return std::erfc(x); }

std::optional<double> beta_cdf(double x, double alpha, double beta) {
  if (!(x >= 0 && x <= 1) || !(alpha > 0 && alpha <= 10'000) || !(beta > 0 && beta <= 10'000)) return kNan;
  return incomplete_beta(x, alpha, beta);
}

std::optional<double> beta_inv(double probability, double alpha, double beta) {
  if (!(alpha > 0 && alpha <= 10'000) || !(beta > 0 && beta <= 10'000)) return kNan;
  if (!(probability > 0 && probability <= 1)) return std::nullopt;
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200 && high > low; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (incomplete_beta(middle, alpha, beta) < probability ? low : high) = middle;
  }
  return high;
}

std::optional<double> beta_pdf(double x, double alpha, double beta) {
  if (!(x > 0 && x < 1) || !(alpha > 0) || !(beta > 0)) return kNan;
  return std::exp((alpha - 1) * std::log(x) + (beta - 1) * std::log1p(-x) - log_beta(alpha, beta));
}

std::optional<double> welch_test(double mean1, double variance1, double count1, double mean2, double variance2,
                                 double count2) {
  if (!(count1 > 1) || !(count2 > 1) || !(variance1 >= 0) || !(variance2 >= 0)) return std::nullopt;
  const double a = variance1 / count1;
  const double b = variance2 / count2;
  if (!(a + b > 0)) return std::nullopt;
  const double t = (mean1 - mean2) / std::sqrt(a + b);
  const double freedom = (a + b) * (a + b) / (a * a / (count1 - 1) + b * b / (count2 - 1));
  return incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

}  // namespace picket::kql
