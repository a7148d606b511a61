#include "intelligence/observable.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "base/core/encoding.h"
#include "internet_name.h"

namespace picket::intelligence {
namespace {

struct KindName {
  Kind kind;
  std::string_view name;
};
constexpr KindName kKindNames[] = {
    {Kind::ipv4, "ipv4"},
    {Kind::ipv6, "ipv6"},
    {Kind::network4, "network4"},
    {Kind::network6, "network6"},
    {Kind::endpoint4, "endpoint4"},
    {Kind::endpoint6, "endpoint6"},
    {Kind::domain, "domain"},
    {Kind::url, "url"},
    {Kind::url_path, "url_path"},
    {Kind::sha256, "sha256"},
    {Kind::sha1, "sha1"},
    {Kind::md5, "md5"},
    {Kind::certificate1, "certificate_sha1"},
    {Kind::certificate256, "certificate_sha256"},
    {Kind::ja3, "ja3"},
    {Kind::ja3s, "ja3s"},
    {Kind::ja4, "ja4"},
    {Kind::exact_domain, "exact_domain"},
};

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;
constexpr std::size_t kAddressTextMax = 64;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto value = number(text, 65'535);
  if (!value || *value == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(bytes.size() == kIpv4Bytes ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

void cut_behind(std::string& bytes, std::size_t length) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t kept = length <= i * 8 ? 0 : std::min<std::size_t>(8, length - i * 8);
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & (0xFF00U >> kept));
  }
}

struct UrlHead {
  std::string_view host;
  std::string_view port;
  bool ipv6 = false;
};

/// Of "user@host:port", "[::1]:80".
std::optional<UrlHead> split_authority(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  UrlHead out;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = authority.substr(1, end - 1);
    out.ipv6 = true;
    authority.remove_prefix(end + 1);
    if (!authority.empty() && !authority.starts_with(':')) return std::nullopt;
    out.port = authority.empty() ? authority : authority.substr(1);
    return out;
  }
  const auto colon = authority.find(':');
  out.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) out.port = authority.substr(colon + 1);
  return out;
}

std::string_view default_port(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return "80";
  if (scheme == "https" || scheme == "wss") return "443";
  if (scheme == "ftp") return "21";
  return scheme == "tftp" ? "69" : "";
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

/// RFC 3986, 6.2.2: what need not be encoded is not, what is encoded has upper-case digits.
std::string normal_path(std::string_view text) {
  std::string out;
  const auto hex = [](char c) {
    return is_digit(c) ? c - '0' : to_lower(c) >= 'a' && to_lower(c) <= 'f' ? to_lower(c) - 'a' + 10 : -1;
  };
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex(text[i + 1]) : -1;
    const int low = high >= 0 ? hex(text[i + 2]) : -1;
    if (low >= 0) {
      const char byte = static_cast<char>(high * 16 + low);
      i += 2;
      if (is_unreserved(byte)) {
        out += byte;
      } else {
        out += {'%', kDigits[static_cast<std::size_t>(high)], kDigits[static_cast<std::size_t>(low)]};
      }
    } else if (static_cast<unsigned char>(text[i]) <= ' ' || static_cast<unsigned char>(text[i]) >= 0x7F) {
      const auto byte = static_cast<unsigned char>(text[i]);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15U]};
    } else {
      out += text[i];
    }
  }
  return out;
}

/// What is on every web server says nothing about one.
constexpr std::string_view kEverywhere[] = {"/index.html", "/index.htm",  "/index.php", "/robots.txt", "/favicon.ico",
                                            "/login",      "/login.html", "/admin",     "/login.php",  "/style.css",
                                            "/main.css",   "/main.js",    "/logo.png",  "/images",     "/static",
                                            "/api/v1",     "/api",        "/home",      "/metrics",    "/status"};

}  // namespace

std::string_view to_string(Kind kind) {
  const auto found = std::ranges::find(kKindNames, kind, &KindName::kind);
  return found == std::end(kKindNames) ? std::string_view() : found->name;
}

std::optional<Kind> parse_kind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name, &KindName::name);
  if (found == std::end(kKindNames)) return std::nullopt;
  return found->kind;
}

std::string to_text(const Observable& what) {
  const std::string_view key = what.key;
  const auto number_at = [&](std::size_t at) { return static_cast<unsigned char>(key[at]); };
  switch (what.kind) {
    case Kind::ipv4:
    case Kind::ipv6:
      if (key.size() != kIpv4Bytes && key.size() != kIpv6Bytes) return {};
      return address_text(key);
    case Kind::network4:
    case Kind::network6:
      if (key.size() != kIpv4Bytes + 1 && key.size() != kIpv6Bytes + 1) return {};
      return address_text(key.substr(0, key.size() - 1)) + '/' + std::to_string(number_at(key.size() - 1));
    case Kind::endpoint4:
    case Kind::endpoint6: {
      if (key.size() != kIpv4Bytes + 2 && key.size() != kIpv6Bytes + 2) return {};
      const std::string address = address_text(key.substr(0, key.size() - 2));
      const unsigned port = number_at(key.size() - 2) * 256U + number_at(key.size() - 1);
      return (what.kind == Kind::endpoint4 ? address : '[' + address + ']') + ':' + std::to_string(port);
    }
    case Kind::sha256:
    case Kind::sha1:
    case Kind::md5:
    case Kind::certificate1:
    case Kind::certificate256:
    case Kind::ja3:
    case Kind::ja3s:
      return to_hex(as_bytes(key));
    default:
      return what.key;
  }
}

std::optional<Observable> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > kAddressTextMax || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string address(text);
  std::array<char, kIpv6Bytes> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
    return Observable{Kind::ipv4, std::string(bytes.data(), kIpv4Bytes)};
  }
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return std::nullopt;
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);
  const std::string_view whole(bytes.data(), bytes.size());
  if (whole.starts_with(kMapped)) return Observable{Kind::ipv4, std::string(whole.substr(12))};
  return Observable{Kind::ipv6, std::string(whole)};
}

std::optional<Observable> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = number(text.substr(slash + 1), address->key.size() * 8);
  if (!length) return std::nullopt;
  if (*length == address->key.size() * 8) return address;
  cut_behind(address->key, *length);
  address->kind = address->kind == Kind::ipv4 ? Kind::network4 : Kind::network6;
  address->key += static_cast<char>(*length);
  return address;
}

std::optional<Observable> make_endpoint(const Observable& address, std::uint16_t port) {
  if (address.kind != Kind::ipv4 && address.kind != Kind::ipv6) return std::nullopt;
  Observable out{address.kind == Kind::ipv4 ? Kind::endpoint4 : Kind::endpoint6, address.key};
  out.key += static_cast<char>(port >> 8);
  out.key += static_cast<char>(port & 0xFF);
  return out;
}

std::optional<Observable> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = port_of(text.substr(colon + 1));
  const std::string_view host = text.substr(0, colon);
  // Without brackets the last colon may be one of the address.
  if (!port || (host.find(':') != std::string_view::npos && !host.starts_with('['))) return std::nullopt;
  const auto address = parse_address(host);
  return address ? make_endpoint(*address, *port) : std::nullopt;
}

std::optional<Observable> parse_domain(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.starts_with('.')) text.remove_prefix(1);
  auto name = internet_name(text);
  if (!name || name->find('.') == std::string::npos) return std::nullopt;
  // A last label of digits is an address that is written wrongly.
  const auto last = name->substr(name->rfind('.') + 1);
  if (std::ranges::all_of(last, is_digit)) return std::nullopt;
  return Observable{Kind::domain, *std::move(name)};
}

std::optional<Observable> parse_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || colon > 10 || text.size() > kKeyBytesMax) return std::nullopt;
  const std::string scheme = lower(text.substr(0, colon));
  if (!std::ranges::all_of(scheme, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '+'; })) {
    return std::nullopt;
  }
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const auto behind = text.find_first_of("/?");
  const auto head = split_authority(text.substr(0, behind));
  if (!head) return std::nullopt;
  std::string key;
  if (const auto address = parse_address(head->host)) {
    const std::string plain = to_text(*address);
    key = address->kind == Kind::ipv6 ? '[' + plain + ']' : plain;
  } else if (const auto name = head->ipv6 ? std::nullopt : internet_name(head->host)) {
    key = *name;
  } else {
    return std::nullopt;
  }
  if (!head->port.empty() && head->port != default_port(scheme)) {
    const auto port = port_of(head->port);
    if (!port) return std::nullopt;
    key += ':' + std::to_string(*port);
  }
  const std::string_view rest = behind == std::string_view::npos ? std::string_view() : text.substr(behind);
  if (!rest.starts_with('/')) key += '/';
  key += normal_path(rest);
  if (key.size() > kKeyBytesMax) return std::nullopt;
  return Observable{Kind::url, std::move(key)};
}

std::optional<Observable> parse_url_path(std::string_view text) {
  constexpr std::size_t kBytesMin = 5;
  if (!text.starts_with('/') || text.starts_with("//") || text.size() > kKeyBytesMax) return std::nullopt;
  std::string key = normal_path(text.substr(0, text.find_first_of("?#")));
  if (key.size() < kBytesMin || key.size() > kKeyBytesMax) return std::nullopt;
  if (std::ranges::find(kEverywhere, key) != std::end(kEverywhere)) return std::nullopt;
  return Observable{Kind::url_path, std::move(key)};
}

std::optional<Observable> parse_digest(Kind kind, std::string_view text) {
  std::size_t bytes = 0;
  switch (kind) {
    case Kind::sha256:
    case Kind::certificate256:
      bytes = 32;
      break;
    case Kind::sha1:
    case Kind::certificate1:
      bytes = 20;
      break;
    case Kind::md5:
    case Kind::ja3:
    case Kind::ja3s:
      bytes = 16;
      break;
    default:
      return std::nullopt;
  }
  if (text.size() != bytes * 2) return std::nullopt;
  const auto digest = from_hex(text);
  if (!digest) return std::nullopt;
  // Of nothing at all: the hash of an empty file is in many lists and says nothing.
  static constexpr std::string_view kEmpty[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                                "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                                                "d41d8cd98f00b204e9800998ecf8427e"};
  if (std::ranges::find(kEmpty, lower(text)) != std::end(kEmpty)) return std::nullopt;
  return Observable{kind, std::string(as_text(*digest))};
}

std::optional<Observable> parse_file_hash(std::string_view text) {
  for (const Kind kind : {Kind::sha256, Kind::sha1, Kind::md5}) {
    if (auto out = parse_digest(kind, text)) return out;
  }
  return std::nullopt;
}

std::optional<Observable> parse_ja4(std::string_view text) {
  // a_b_c: 10 characters, 12 hex digits, 12 hex digits.
  std::string key = lower(text);
  const auto alphanumeric = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); };
  const auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (key.size() != 36 || key[10] != '_' || key[23] != '_') return std::nullopt;
  const std::string_view view = key;
  if (!std::ranges::all_of(view.substr(0, 10), alphanumeric) || !std::ranges::all_of(view.substr(11, 12), hex) ||
      !std::ranges::all_of(view.substr(24), hex)) {
    return std::nullopt;
  }
  if (key[0] != 't' && key[0] != 'q' && key[0] != 'd') return std::nullopt;
  return Observable{Kind::ja4, std::move(key)};
}

std::optional<Observable> parse_as(Kind kind, std::string_view text) {
  std::optional<Observable> out;
  switch (kind) {
    case Kind::ipv4:
    case Kind::ipv6:
      out = parse_address(text);
      break;
    case Kind::network4:
    case Kind::network6:
      out = parse_network(text);
      break;
    case Kind::endpoint4:
    case Kind::endpoint6:
      out = parse_endpoint(text);
      break;
    case Kind::domain:
      out = parse_domain(text);
      break;
    case Kind::exact_domain:
      out = parse_domain(text);
      if (out) out->kind = Kind::exact_domain;
      break;
    case Kind::url:
      out = parse_url(text);
      break;
    case Kind::url_path:
      out = parse_url_path(text);
      break;
    case Kind::ja4:
      out = parse_ja4(text);
      break;
    default:
      out = parse_digest(kind, text);
  }
  if (out && out->kind != kind) return std::nullopt;
  return out;
}

std::optional<Observable> parse_observable(std::string_view text) {
  const std::string plain = refang(trimmed(text));
  if (plain.size() > kKeyBytesMax) return std::nullopt;
  if (plain.starts_with('/')) return parse_url_path(plain);
  if (plain.find("://") != std::string::npos) return parse_url(plain);
  if (auto out = parse_address(plain)) return out;
  if (auto out = parse_endpoint(plain)) return out;
  if (auto out = parse_network(plain)) return out;
  if (auto out = parse_file_hash(plain)) return out;
  if (auto out = parse_ja4(plain)) return out;
  // "evil.example/x" is a URL without its scheme; "evil.example:8080" one without path.
  const auto stop = plain.find_first_of("/:");
  if (stop == std::string::npos) return parse_domain(plain);
  if (!parse_domain(plain.substr(0, stop))) {
    // "192.0.2.0/33" is a network that is written wrongly.
    const bool number = std::ranges::all_of(plain.substr(stop + 1), is_digit);
    if (!parse_address(plain.substr(0, stop)) || number) return std::nullopt;
  }
  return parse_url("http://" + plain);
}

std::optional<Observable> host_of(const Observable& url) {
  const std::string_view key = url.key;
  const auto head = split_authority(key.substr(0, key.find('/')));
  if (!head) return std::nullopt;
  if (auto address = parse_address(head->host)) return address;
  return parse_domain(head->host);
}

std::string_view path_of(const Observable& url) {
  const std::string_view key = url.key;
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return "/";
  const auto path = key.substr(slash);
  return path.substr(0, path.find('?'));
}

std::string refang(std::string_view text) {
  struct Bite {
    std::string_view defanged, plain;
  };
  static constexpr Bite kBites[] = {{"[.]", "."}, {"(.)", "."},     {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."},
                                    {"[:]", ":"}, {"[://]", "://"}, {"[/]", "/"}, {"\\.", "."}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Bite* bite = nullptr;
    for (const Bite& candidate : kBites) {
      if (text.substr(i).starts_with(candidate.defanged)) bite = &candidate;
    }
    if (bite == nullptr) {
      out += text[i++];
    } else {
      out += bite->plain;
      i += bite->defanged.size();
    }
  }
  const std::string head = lower(std::string_view(out).substr(0, 8));
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"hxxps:", "https:"},
                                 {"hxxp:", "http:"},
                                 {"hxtp:", "http:"},
                                 {"fxp:", "ftp:"}}) {
    if (head.starts_with(from)) return std::string(to) + out.substr(from.size());
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\''; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

}  // namespace picket::intelligence
