// What the static binary needs of <ctype.h> and strtol, in the C locale: glibc's come with the tables of all locales
// (60 KB).
#pragma once

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace picket::agent {

/// glibc's tables reach from -128 (a signed char) to 255; what <ctype.h> indexes is `first` + 128.
inline constexpr int kCharacterFirst = -128;
inline constexpr std::size_t kCharacterCount = 384;

/// The bits of one ASCII character; all others have none in the C locale.
constexpr std::uint16_t character_class(int c) {
  const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
  const bool hexadecimal = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  const bool graphic = c > ' ' && c < 127;
  unsigned bits = 0;
  if (upper) bits |= _ISupper;
  if (lower) bits |= _ISlower;
  if (upper || lower) bits |= _ISalpha;
  if (digit) bits |= _ISdigit;
  if (hexadecimal) bits |= _ISxdigit;
  if (upper || lower || digit) bits |= _ISalnum;
  if (c == ' ' || (c >= '\t' && c <= '\r')) bits |= _ISspace;
  if (c == ' ' || c == '\t') bits |= _ISblank;
  if (graphic || c == ' ') bits |= _ISprint;
  if (graphic) bits |= _ISgraph;
  if (graphic && !upper && !lower && !digit) bits |= _ISpunct;
  if ((c >= 0 && c < ' ') || c == 127) bits |= _IScntrl;
  return static_cast<std::uint16_t>(bits);
}
constexpr std::array<std::uint16_t, kCharacterCount> character_classes() {
  std::array<std::uint16_t, kCharacterCount> table{};
  for (int c = 0; c < 128; ++c) table[static_cast<std::size_t>(c - kCharacterFirst)] = character_class(c);
  return table;
}
/// As glibc's: an index below 0 gives the character that it stands for, but -1 (EOF) itself.
constexpr std::array<std::int32_t, kCharacterCount> lower_case() {
  std::array<std::int32_t, kCharacterCount> table{};
  for (int c = kCharacterFirst; c < 256; ++c) {
    const int character = c < -1 ? c + 256 : c;
    table[static_cast<std::size_t>(c - kCharacterFirst)] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : character;
  }
  return table;
}

/// strtol and strtoul (C11, 7.22.1.4) for `Integer` long or unsigned long: `*end` is `text` when there is no number;
/// out of range is the nearest value and ERANGE.
template <class Integer>
Integer read_integer(const char* text, char** end, int base) {
  using Unsigned = std::make_unsigned_t<Integer>;
  constexpr auto kMax = static_cast<Unsigned>(std::numeric_limits<Integer>::max());
  const auto digit_of = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char letter = static_cast<char>(c | 0x20);
    return letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : 36;
  };
  const char* at = text;
  while (*at == ' ' || (*at >= '\t' && *at <= '\r')) ++at;
  const bool negative = *at == '-';
  if (*at == '-' || *at == '+') ++at;
  if ((base == 0 || base == 16) && *at == '0' && (at[1] | 0x20) == 'x' && digit_of(at[2]) < 16) {
    at += 2;
    base = 16;
  } else if (base == 0) {
    base = *at == '0' ? 8 : 10;
  }
  const Unsigned limit = std::is_signed_v<Integer> && negative ? kMax + 1 : kMax;
  const auto radix = static_cast<Unsigned>(base);
  Unsigned value = 0;
  bool overflow = false;
  const char* const first = at;
  for (int digit = 0; (digit = digit_of(*at)) < base; ++at) {
    const auto next = static_cast<Unsigned>(digit);
    overflow = overflow || value > (limit - next) / radix;
    if (!overflow) value = value * radix + next;
  }
  if (end != nullptr) *end = const_cast<char*>(at == first ? text : at);
  if (overflow) {
    errno = ERANGE;
    return static_cast<Integer>(limit);
  }
  return static_cast<Integer>(negative ? Unsigned{0} - value : value);
}

}  // namespace picket::agent
