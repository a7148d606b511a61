#include "small_format.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace picket::agent {
namespace {

/// Counts what would be written, writes what fits.
class Output {
 public:
  Output(char* out, std::size_t size) : out_(out), size_(size) {}
  void put(char c) {
    if (length_ + 1 < size_) out_[length_] = c;
    ++length_;
  }
  void put(const char* text, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) put(text[i]);
  }
  void fill(char c, std::size_t n) {
    for (; n > 0; --n) put(c);
  }
  int finish() {
    if (size_ > 0) out_[std::min(length_, size_ - 1)] = '\0';
    return static_cast<int>(length_);
  }

 private:
  char* out_;
  std::size_t size_;
  std::size_t length_ = 0;
};

struct Spec {
  bool left = false, zero = false;
  std::size_t width = 0;
  int precision = -1;   ///< -1: none given.
  bool wide = false;    ///< The argument is a long: l, z, t.
  bool widest = false;  ///< It has 64 bits, also where a long has not: ll, j.
  char conversion = 0;
};

std::size_t read_number(const char*& at, std::va_list& arguments) {
  if (*at == '*') {
    ++at;
    return static_cast<std::size_t>(std::max(va_arg(arguments, int), 0));
  }
  std::size_t value = 0;
  for (; *at >= '0' && *at <= '9'; ++at) value = value * 10 + static_cast<std::size_t>(*at - '0');
  return value;
}

Spec read_spec(const char*& at, std::va_list& arguments) {
  Spec spec;
  for (; *at == '-' || *at == '0'; ++at) (*at == '-' ? spec.left : spec.zero) = true;
  spec.width = read_number(at, arguments);
  if (*at == '.') spec.precision = static_cast<int>(read_number(++at, arguments));
  for (; std::strchr("hlzjt", *at) != nullptr && *at != '\0'; ++at) {
    if (*at == 'h') continue;
    spec.widest = *at == 'j' || (*at == 'l' && spec.wide);
    spec.wide = true;
  }
  spec.conversion = *at;
  if (*at != '\0') ++at;
  return spec;
}

void put_padded(Output& out, const Spec& spec, const char* sign, const char* text, std::size_t n) {
  const bool zero_fill =
      spec.zero && !spec.left && spec.precision < 0 && spec.conversion != 's' && spec.conversion != 'c';
  const std::size_t signs = std::strlen(sign);
  const std::size_t digits =
      spec.conversion == 's' ? n : std::max(n, static_cast<std::size_t>(std::max(spec.precision, 0)));
  const std::size_t pad = spec.width > signs + digits ? spec.width - signs - digits : 0;
  if (!spec.left && !zero_fill) out.fill(' ', pad);
  out.put(sign, signs);
  out.fill('0', digits - n + (zero_fill ? pad : 0));
  out.put(text, n);
  if (spec.left) out.fill(' ', pad);
}

void put_number(Output& out, const Spec& spec, const char* sign, std::uint64_t value, unsigned base) {
  char digits[24];
  char* at = digits + sizeof digits;
  const char* const letters = spec.conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  for (; value > 0; value /= base) *--at = letters[value % base];
  if (at == digits + sizeof digits && spec.precision != 0) *--at = '0';
  put_padded(out, spec, sign, at, static_cast<std::size_t>(digits + sizeof digits - at));
}

}  // namespace

int format_text(char* buffer, std::size_t size, const char* format, std::va_list given) {
  std::va_list arguments;
  va_copy(arguments, given);
  Output out(buffer, size);
  while (*format != '\0') {
    if (*format != '%') {
      out.put(*format++);
      continue;
    }
    const char* const begin = format++;
    const Spec spec = read_spec(format, arguments);
    switch (spec.conversion) {
      case 'd':
      case 'i': {
        const std::int64_t value = spec.widest ? va_arg(arguments, long long)
                                   : spec.wide ? va_arg(arguments, long)
                                               : va_arg(arguments, int);
        const auto magnitude = static_cast<std::uint64_t>(value);
        put_number(out, spec, value < 0 ? "-" : "", value < 0 ? 0 - magnitude : magnitude, 10);
        break;
      }
      case 'u':
      case 'x':
      case 'X':
      case 'o': {
        const std::uint64_t value = spec.widest ? va_arg(arguments, unsigned long long)
                                    : spec.wide ? va_arg(arguments, unsigned long)
                                                : va_arg(arguments, unsigned);
        put_number(out, spec, "", value, spec.conversion == 'u' ? 10 : spec.conversion == 'o' ? 8 : 16);
        break;
      }
      case 'p':
        put_number(out, spec, "0x", reinterpret_cast<std::uintptr_t>(va_arg(arguments, void*)), 16);
        break;
      case 'c': {
        const char c = static_cast<char>(va_arg(arguments, int));
        put_padded(out, spec, "", &c, 1);
        break;
      }
      case 's': {
        const char* text = va_arg(arguments, const char*);
        if (text == nullptr) text = "(null)";
        put_padded(out, spec, "", text,
                   spec.precision < 0 ? std::strlen(text) : ::strnlen(text, static_cast<std::size_t>(spec.precision)));
        break;
      }
      case '%':
        out.put('%');
        break;
      default:
        out.put(begin, static_cast<std::size_t>(format - begin));
    }
  }
  va_end(arguments);
  return out.finish();
}

}  // namespace picket::agent
