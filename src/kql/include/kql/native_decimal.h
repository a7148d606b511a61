// decimal: 34 significant digits, exponents to +-6144, ties rounded to the even digit. Inside the engine a decimal is
// its key, a text whose order by bytes is the order of the numbers and which is the same for equal numbers: sorting,
// grouping and joining need nothing else. Results and literals have the plain text. nullopt is null: what cannot be
// read, division by zero, a result that is too large. Pure, from any thread. In DuckDB: kql_ and the name here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

/// The key of "1.5", "-2", "1e5"; digits beyond the 34th are rounded, blanks around it allowed.
std::optional<std::string> decimal_parse(std::string_view text);
/// "1.5"; no trailing zeros; beyond 34 places "1E+40".
std::optional<std::string> decimal_text(std::string_view key);

std::optional<std::string> decimal_of_long(std::int64_t value);
/// Of the number's shortest text, so 0.1 is 0.1. Null: infinite or NaN.
std::optional<std::string> decimal_of_real(double value);
std::optional<double> decimal_real(std::string_view key);
/// Cut towards zero; null beyond 64 bits.
std::optional<std::int64_t> decimal_long(std::string_view key);

std::optional<std::string> decimal_add(std::string_view left, std::string_view right);
std::optional<std::string> decimal_subtract(std::string_view left, std::string_view right);
std::optional<std::string> decimal_multiply(std::string_view left, std::string_view right);
std::optional<std::string> decimal_divide(std::string_view left, std::string_view right);
/// Never negative, as the language's '%'.
std::optional<std::string> decimal_modulo(std::string_view left, std::string_view right);
std::optional<std::string> decimal_negate(std::string_view key);
/// Down to a multiple of `width`; null where that is not positive.
std::optional<std::string> decimal_bin(std::string_view key, std::string_view width);
/// To so many places behind (negative: before) the point; halves away from zero.
std::optional<std::string> decimal_round(std::string_view key, std::int64_t places);
std::optional<std::string> decimal_ceiling(std::string_view key);
std::optional<std::string> decimal_abs(std::string_view key);

/// Of keys with commas between them; of none 0.
std::optional<std::string> decimal_sum(std::string_view keys);
/// Of none null.
std::optional<std::string> decimal_average(std::string_view keys);

}  // namespace picket::kql
