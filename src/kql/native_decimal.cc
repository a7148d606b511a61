#include "kql/native_decimal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Wide = unsigned __int128;

constexpr int kDigits = 34;
constexpr int kExponentMax = 6144;  ///< Of the first digit.
constexpr int kKeyBias = 5000 + 2000;

/// digits * 10^exponent; `digits` below 10^34 and without trailing zeros; zero is all zero.
struct Decimal {
  bool negative = false;
  Wide digits = 0;
  int exponent = 0;
};

std::string digits_of(Wide value) {
  std::string out;
  for (; value != 0; value /= 10) out += static_cast<char>('0' + static_cast<int>(value % 10));
  std::ranges::reverse(out);
  return out;
}

int count_of(Wide value) {
  int out = 0;
  for (; value != 0; value /= 10) ++out;
  return out;
}

Wide power(int exponent) {
  Wide out = 1;
  for (; exponent > 0; --exponent) out *= 10;
  return out;
}

/// Any number of digits, rounded; nullopt: too large. Too small is zero.
std::optional<Decimal> rounded(bool negative, std::string digits, long exponent) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > kDigits) {
    const auto rest = std::string_view(digits).substr(kDigits);
    const bool half = rest[0] == '5' && rest.find_first_not_of('0', 1) == std::string_view::npos;
    const bool odd = (digits[kDigits - 1] - '0') % 2 == 1;
    const bool up = rest[0] > '5' || (rest[0] == '5' && (!half || odd));
    exponent += static_cast<long>(rest.size());
    digits.resize(kDigits);
    if (up) {
      auto at = digits.rbegin();
      while (at != digits.rend() && *at == '9') *at++ = '0';
      if (at == digits.rend()) {
        digits.insert(digits.begin(), '1');
      } else {
        ++*at;
      }
    }
  }
  while (digits.ends_with('0')) {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) return Decimal{};
  const long first = exponent + static_cast<long>(digits.size());
  if (first > kExponentMax) return std::nullopt;
  if (first < -kExponentMax) return Decimal{};
  Decimal out{negative, 0, static_cast<int>(exponent)};
  for (const char c : digits) out.digits = out.digits * 10 + static_cast<unsigned>(c - '0');
  return out;
}

std::optional<Decimal> read(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string digits;
  long exponent = 0;
  bool any = false;
  bool point = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      any = true;
      digits += text[at];
      if (point) --exponent;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    const auto given = text.substr(at + 1);
    const auto power_of_ten = given.starts_with('+') && given.size() > 1 && given[1] != '-' ? given.substr(1) : given;
    const bool minus = power_of_ten.starts_with('-');
    const auto number = power_of_ten.substr(minus ? 1 : 0);
    if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    long value = 0;
    for (const char c : number) value = value * 10 + (c - '0');
    exponent += minus ? -value : value;
  }
  return rounded(negative, std::move(digits), exponent);
}

/// Sign ('4' negative, '5' zero, '6' positive), place of the first digit in five digits, digits. Of negative numbers
/// all of that upside down, with an end mark above all digits, so that more digits come before fewer.
std::string key_of(const Decimal& value) {
  if (value.digits == 0) return "5";
  auto digits = digits_of(value.digits);
  int place = value.exponent + static_cast<int>(digits.size()) + kKeyBias;
  std::string out;
  if (value.negative) {
    place = 14'000 - place;
    for (char& c : digits) c = static_cast<char>('9' - c + '0');
    digits += ':';
  }
  for (int scale = 10'000; scale > 0; scale /= 10) out += static_cast<char>('0' + place / scale % 10);
  return (value.negative ? "4" : "6") + out + digits;
}

std::optional<Decimal> from_key(std::string_view key) {
  if (key == "5") return Decimal{};
  if (key.size() < 7 || key.size() > 8 + kDigits || (key[0] != '4' && key[0] != '6')) return std::nullopt;
  Decimal out{key[0] == '4', 0, 0};
  if (out.negative) {
    if (!key.ends_with(':')) return std::nullopt;
    key.remove_suffix(1);
  }
  int place = 0;
  for (const char c : key.substr(1, 5)) {
    if (c < '0' || c > '9') return std::nullopt;
    place = place * 10 + (c - '0');
  }
  const auto digits = key.substr(6);
  if (digits.empty() || digits.size() > kDigits) return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    out.digits = out.digits * 10 + static_cast<unsigned>(out.negative ? '9' - c : c - '0');
  }
  out.exponent = (out.negative ? 14'000 - place : place) - kKeyBias - static_cast<int>(digits.size());
  return out;
}

std::optional<std::string> key_of(const std::optional<Decimal>& value) {
  return value ? std::optional(key_of(*value)) : std::nullopt;
}

// --- digits in texts, the last one first, for what 128 bits do not hold

std::string reversed_digits(Wide value, std::size_t zeros) {
  std::string out(zeros, '\0');
  for (; value != 0; value /= 10) out += static_cast<char>(value % 10);
  return out;
}

std::string to_text(std::string reversed) {
  std::ranges::reverse(reversed);
  for (char& c : reversed) c = static_cast<char>(c + '0');
  return reversed;
}

bool less(const std::string& left, const std::string& right) {
  for (std::size_t i = std::max(left.size(), right.size()); i-- > 0;) {
    const char a = i < left.size() ? left[i] : '\0';
    const char b = i < right.size() ? right[i] : '\0';
    if (a != b) return a < b;
  }
  return false;
}

std::optional<Decimal> sum_of(Decimal left, Decimal right) {
  if (left.digits == 0) return right;
  if (right.digits == 0) return left;
  if (left.exponent < right.exponent) std::swap(left, right);
  // Of a number far smaller than the other only that it is there matters.
  constexpr int kFar = 2 * kDigits + 2;
  if (left.exponent - right.exponent > kFar) {
    right.digits = 1;
    right.exponent = left.exponent - kFar;
  }
  auto a = reversed_digits(left.digits, static_cast<std::size_t>(left.exponent - right.exponent));
  auto b = reversed_digits(right.digits, 0);
  bool negative = left.negative;
  const bool subtracts = left.negative != right.negative;
  if (subtracts && less(a, b)) {
    std::swap(a, b);
    negative = right.negative;
  }
  std::string out;
  int carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    const int x = i < a.size() ? a[i] : 0;
    const int y = i < b.size() ? b[i] : 0;
    int digit = subtracts ? x - y - carry : x + y + carry;
    carry = digit < 0 || digit > 9 ? 1 : 0;
    digit += digit < 0 ? 10 : digit > 9 ? -10 : 0;
    out += static_cast<char>(digit);
  }
  return rounded(negative, to_text(std::move(out)), right.exponent);
}

Decimal negated(Decimal value) {
  value.negative = !value.negative && value.digits != 0;
  return value;
}

std::optional<Decimal> product_of(const Decimal& left, const Decimal& right) {
  const auto a = reversed_digits(left.digits, 0);
  const auto b = reversed_digits(right.digits, 0);
  std::array<int, 2 * kDigits + 1> sums{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) sums[i + j] += a[i] * b[j];
  }
  std::string out;
  int carry = 0;
  for (const int sum : sums) {
    out += static_cast<char>((sum + carry) % 10);
    carry = (sum + carry) / 10;
  }
  return rounded(left.negative != right.negative, to_text(std::move(out)), left.exponent + right.exponent);
}

std::optional<Decimal> quotient_of(const Decimal& left, const Decimal& right) {
  if (right.digits == 0) return std::nullopt;
  if (left.digits == 0) return Decimal{};
  auto digits = digits_of(left.digits / right.digits);
  Wide rest = left.digits % right.digits;
  long exponent = left.exponent - right.exponent;
  while (rest != 0 && digits.size() < kDigits + 2) {
    const Wide next = rest * 10;
    const char digit = static_cast<char>('0' + static_cast<int>(next / right.digits));
    if (!digits.empty() || digit != '0') digits += digit;
    rest = next % right.digits;
    --exponent;
  }
  if (rest != 0) {  // so that no half is taken for one that is more
    digits += '1';
    --exponent;
  }
  return rounded(left.negative != right.negative, std::move(digits), exponent);
}

/// left - right * floor(left / right) for a positive `right`; exact.
std::optional<Decimal> rest_of(const Decimal& left, const Decimal& right) {
  if (right.digits == 0) return std::nullopt;
  if (left.digits == 0) return Decimal{};
  const int unit = std::min(left.exponent, right.exponent);
  const int grows = right.exponent - unit;
  Wide rest = 0;
  if (count_of(right.digits) + grows > kDigits + 1) {  // larger than the other for certain
    if (!left.negative) return left;
    return sum_of(left, {false, right.digits, right.exponent});
  }
  const Wide width = right.digits * power(grows);
  rest = left.digits % width;
  for (int i = left.exponent - unit; i > 0; --i) rest = rest * 10 % width;
  if (left.negative && rest != 0) rest = width - rest;
  return rounded(false, digits_of(rest), unit);
}

template <class Function>
std::optional<std::string> of_two(std::string_view left, std::string_view right, Function function) {
  const auto a = from_key(left);
  const auto b = from_key(right);
  return a && b ? key_of(function(*a, *b)) : std::nullopt;
}

std::optional<Decimal> floor_to(const Decimal& value, const Decimal& width) {
  if (width.negative) return std::nullopt;
  const auto rest = rest_of(value, width);
  return rest ? sum_of(value, negated(*rest)) : std::nullopt;
}

std::optional<Decimal> total_of(std::string_view keys, std::int64_t& count) {
  Decimal out;
  while (!keys.empty()) {
    const auto end = std::min(keys.find(','), keys.size());
    const auto one = from_key(keys.substr(0, end));
    keys.remove_prefix(std::min(end + 1, keys.size()));
    if (!one) continue;
    const auto next = sum_of(out, *one);
    if (!next) return std::nullopt;
    out = *next;
    ++count;
  }
  return out;
}

}  // namespace

std::optional<std::string> decimal_parse(std::string_view text) { return key_of(read(text)); }

std::optional<std::string> decimal_text(std::string_view key) {
  const auto value = from_key(key);
  if (!value) return std::nullopt;
  if (value->digits == 0) return "0";
  const auto digits = digits_of(value->digits);
  const int count = static_cast<int>(digits.size());
  const int place = value->exponent + count;  // of the point, behind so many digits
  const std::string sign = value->negative ? "-" : "";
  if (place > kDigits || place < -kDigits) {
    return sign + digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "E" + (place > 0 ? "+" : "-") +
           std::to_string(std::abs(place - 1));
  }
  if (place <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-place), '0') + digits;
  if (place >= count) return sign + digits + std::string(static_cast<std::size_t>(place - count), '0');
  const auto whole = static_cast<std::size_t>(place);
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::optional<std::string> decimal_of_long(std::int64_t value) { return decimal_parse(std::to_string(value)); }

std::optional<std::string> decimal_of_real(double value) {
  return std::isfinite(value) ? decimal_parse(real_text(value)) : std::nullopt;
}

std::optional<double> decimal_real(std::string_view key) {
  const auto text = decimal_text(key);
  return text ? parse_real(*text) : std::nullopt;
}

std::optional<std::int64_t> decimal_long(std::string_view key) {
  const auto value = from_key(key);
  if (!value) return std::nullopt;
  constexpr int kLongDigits = 19;
  const int count = count_of(value->digits);
  if (value->exponent + count > kLongDigits) return std::nullopt;
  if (value->exponent + count <= 0) return 0;
  const Wide whole =
      value->exponent >= 0 ? value->digits * power(value->exponent) : value->digits / power(-value->exponent);
  const Wide limit = static_cast<Wide>(std::numeric_limits<std::int64_t>::max()) + (value->negative ? 1 : 0);
  if (whole > limit) return std::nullopt;
  const auto bits = static_cast<std::uint64_t>(whole);
  return static_cast<std::int64_t>(value->negative ? 0 - bits : bits);
}

std::optional<std::string> decimal_add(std::string_view left, std::string_view right) {
  return of_two(left, right, sum_of);
}
std::optional<std::string> decimal_subtract(std::string_view left, std::string_view right) {
  return of_two(left, right, [](const Decimal& a, const Decimal& b) { return sum_of(a, negated(b)); });
}
std::optional<std::string> decimal_multiply(std::string_view left, std::string_view right) {
  return of_two(left, right, product_of);
}
std::optional<std::string> decimal_divide(std::string_view left, std::string_view right) {
  return of_two(left, right, quotient_of);
}
std::optional<std::string> decimal_modulo(std::string_view left, std::string_view right) {
  return of_two(left, right, [](const Decimal& a, Decimal b) {
    b.negative = false;
    return rest_of(a, b);
  });
}
std::optional<std::string> decimal_bin(std::string_view key, std::string_view width) {
  return of_two(key, width, floor_to);
}

std::optional<std::string> decimal_negate(std::string_view key) {
  const auto value = from_key(key);
  return value ? std::optional(key_of(negated(*value))) : std::nullopt;
}

std::optional<std::string> decimal_abs(std::string_view key) {
  auto value = from_key(key);
  if (value) value->negative = false;
  return key_of(value);
}

std::optional<std::string> decimal_round(std::string_view key, std::int64_t places) {
  const auto value = from_key(key);
  if (!value) return std::nullopt;
  if (places >= -static_cast<std::int64_t>(value->exponent)) return std::string(key);
  const auto digits = digits_of(value->digits);
  const std::int64_t cut = -places - value->exponent;  // so many digits go
  if (cut > static_cast<std::int64_t>(digits.size())) return key_of(Decimal{});
  const auto kept = digits.size() - static_cast<std::size_t>(cut);
  Decimal out{value->negative, 0, value->exponent + static_cast<int>(cut)};
  for (const char c : digits.substr(0, kept)) out.digits = out.digits * 10 + static_cast<unsigned>(c - '0');
  if (digits[kept] >= '5') ++out.digits;
  return key_of(rounded(out.negative, digits_of(out.digits), out.exponent));
}

std::optional<std::string> decimal_ceiling(std::string_view key) {
  const auto value = from_key(key);
  if (!value) return std::nullopt;
  const auto down = floor_to(negated(*value), {false, 1, 0});
  return down ? std::optional(key_of(negated(*down))) : std::nullopt;
}

std::optional<std::string> decimal_sum(std::string_view keys) {
  std::int64_t count = 0;
  return key_of(total_of(keys, count));
}

std::optional<std::string> decimal_average(std::string_view keys) {
  std::int64_t count = 0;
  const auto total = total_of(keys, count);
  if (!total || count == 0) return std::nullopt;
  const auto divisor = read(std::to_string(count));
  return divisor ? key_of(quotient_of(*total, *divisor)) : std::nullopt;
}

}  // namespace picket::kql
