// What a source of threat intelligence lists and what a device is seen with, in one normal form: equal bytes are the
// same thing.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::intelligence {

/// Numbers are part of the file formats: never reuse one.
enum class Kind : std::uint8_t {
  ipv4 = 1,             ///< Key: 4 bytes.
  ipv6 = 2,             ///< 16 bytes; an IPv4 address inside IPv6 is ipv4.
  network4 = 3,         ///< 4 bytes without bits behind the prefix, 1 byte length.
  network6 = 4,         ///< 16 bytes, 1 byte length.
  endpoint4 = 5,        ///< 4 bytes, port big-endian.
  endpoint6 = 6,        ///< 16 bytes, port big-endian.
  domain = 7,           ///< Lower case, ASCII form, without the last dot; stands for all names below it too.
  url = 8,              ///< host[:port]/path[?query]: without scheme, user, default port and fragment.
  url_path = 9,         ///< Begins with '/', on any host.
  sha256 = 10,          ///< Of a file; 32 bytes.
  sha1 = 11,            ///< Of a file; 20 bytes.
  md5 = 12,             ///< Of a file; 16 bytes.
  certificate1 = 13,    ///< SHA-1 of a TLS certificate; 20 bytes.
  certificate256 = 14,  ///< SHA-256 of one; 32 bytes.
  ja3 = 15,             ///< 16 bytes.
  ja3s = 16,            ///< 16 bytes.
  ja4 = 17,             ///< As it is written, lower case.
  exact_domain = 18,    ///< Only in warning lists: this name, not those below it.
};
inline constexpr std::uint8_t kKindMax = 18;
inline constexpr std::size_t kKeyBytesMax = 2048;

/// "ipv4", "domain", "sha256", …: as people and the API name it.
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view name);
[[nodiscard]] inline bool is_network(Kind kind) { return kind == Kind::network4 || kind == Kind::network6; }

struct Observable {
  Kind kind = Kind::ipv4;
  std::string key;  ///< Normal form: see Kind.

  friend auto operator<=>(const Observable&, const Observable&) = default;
};

/// For people: "192.0.2.0/24", "evil.example", hex digits.
std::string to_text(const Observable& what);

// Each returns nullopt for text that is not such a thing. Blanks around it have been taken off before.

/// IPv4, or IPv6 with or without brackets.
std::optional<Observable> parse_address(std::string_view text);
/// "192.0.2.0/24"; bits behind the prefix are dropped. A full prefix is an address.
std::optional<Observable> parse_network(std::string_view text);
/// "192.0.2.1:4444", "[2001:db8::1]:4444".
std::optional<Observable> parse_endpoint(std::string_view text);
/// At least two labels; "*.evil.example" and ".evil.example" are evil.example. International names become ASCII.
std::optional<Observable> parse_domain(std::string_view text);
/// With a scheme (http, https, ftp, tftp, ws, …).
std::optional<Observable> parse_url(std::string_view text);
/// "/bins/sora.arm7", at least 4 bytes behind the '/'; what every web server has is refused.
std::optional<Observable> parse_url_path(std::string_view text);
/// Hex digits of 32, 20 or 16 bytes: sha256, sha1 or md5.
std::optional<Observable> parse_file_hash(std::string_view text);
/// Hex digits; the kind says how many.
std::optional<Observable> parse_digest(Kind kind, std::string_view text);
/// "t13d1516h2_8daaf6152771_02713d6af862" and the like.
std::optional<Observable> parse_ja4(std::string_view text);
/// Text of a kind that is known.
std::optional<Observable> parse_as(Kind kind, std::string_view text);
/// Whatever it looks like; defanged text is understood.
std::optional<Observable> parse_observable(std::string_view text);

/// The endpoint of an address and a port. nullopt: `address` is none.
std::optional<Observable> make_endpoint(const Observable& address, std::uint16_t port);
/// The host of a url's key: a domain or an address. nullopt: it has none that can be read.
std::optional<Observable> host_of(const Observable& url);
/// The path of a url's key, without its query; begins with '/'.
std::string_view path_of(const Observable& url);

/// "hxxp://evil[.]example" -> "http://evil.example".
std::string refang(std::string_view text);
/// Without blanks, quotes and control characters at both ends.
std::string_view trimmed(std::string_view text);
std::string lower(std::string_view text);

}  // namespace picket::intelligence
