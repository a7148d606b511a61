#include "net_prefix.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace picket::pipeline {

NetPrefix NetPrefix::widened(int to_length) const {
  NetPrefix out = *this;
  out.length = std::min(length, to_length);
  for (int bit = out.length; bit < 128; ++bit) {
    out.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return out;
}

bool NetPrefix::contains(const NetPrefix& other) const {
  return ipv6 == other.ipv6 && length <= other.length && other.widened(length) == *this;
}

std::optional<NetPrefix> parse_net_prefix(std::string_view text) {
  constexpr std::size_t kTextMax = 64;
  if (text.size() > kTextMax) return std::nullopt;
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  NetPrefix out;
  if (::inet_pton(AF_INET, address.c_str(), out.bytes.data()) == 1) {
    out.length = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), out.bytes.data()) == 1) {
    static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (slash == std::string_view::npos && std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) {
      std::copy(out.bytes.begin() + 12, out.bytes.end(), out.bytes.begin());
      std::fill(out.bytes.begin() + 4, out.bytes.end(), std::uint8_t{0});
      out.length = 32;
      return out;
    }
    out.ipv6 = true;
    out.length = 128;
  } else {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return out;
  const std::string_view digits = text.substr(slash + 1);
  int length = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || length < 0 || length > out.length) {
    return std::nullopt;
  }
  return out.widened(length);
}

std::string to_text(const NetPrefix& prefix) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(prefix.ipv6 ? AF_INET6 : AF_INET, prefix.bytes.data(), text.data(), text.size());
  return std::string(text.data()) + '/' + std::to_string(prefix.length);
}

}  // namespace picket::pipeline
