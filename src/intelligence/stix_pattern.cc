#include "intelligence/stix_pattern.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/core/result.h"
#include "pattern_lexer.h"

namespace picket::intelligence {
namespace {

template <class T>
using Read = std::expected<T, PatternFault>;

/// One comparison: a property of an object, and values of which one must be there.
struct Test {
  std::string path;  ///< "file:hashes.SHA-256": quotes taken off.
  std::vector<std::string> values;
  std::size_t offset = 0;
};
/// Tests that must all hold.
using All = std::vector<Test>;
/// Of which one must hold.
using Any = std::vector<All>;

PatternFault unsupported(std::size_t offset, std::string text) { return {offset, false, std::move(text)}; }

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}
  Read<Any> parse();

 private:
  Read<Any> observations();
  Read<Any> observation();
  Read<Any> either();
  Read<Any> both();
  Read<Any> proposition();
  Read<std::string> path();
  Read<std::vector<std::string>> literals(bool list);
  Read<std::string> literal();
  Read<bool> qualifiers();

  Read<bool> step() {
    auto next = lexer_.next();
    if (!next) return std::unexpected(next.error());
    now_ = *std::move(next);
    return true;
  }
  [[nodiscard]] bool is_sign(std::string_view sign) const { return now_.token == Token::sign && now_.raw == sign; }
  [[nodiscard]] bool is_word(std::string_view word) const { return now_.token == Token::word && now_.raw == word; }
  Read<bool> take_sign(std::string_view sign) {
    if (!is_sign(sign)) return std::unexpected(broken("'" + std::string(sign) + "' is missing"));
    return step();
  }
  [[nodiscard]] PatternFault broken(std::string text) const { return {now_.offset, true, std::move(text)}; }
  /// What cannot be shown is told after the whole pattern was read: a broken pattern is broken first.
  void refuse(std::string text) {
    if (!refused_) refused_ = unsupported(now_.offset, std::move(text));
  }

  PatternLexer lexer_;
  Lexeme now_;
  std::optional<PatternFault> refused_;
  std::size_t depth_ = 0;
  std::size_t tests_ = 0;
};

Read<Any> Parser::parse() {
  TRY_VOID(step());
  TRY(Any out, observations());
  if (now_.token != Token::end) return std::unexpected(broken("nothing may stand behind the pattern"));
  if (refused_) return std::unexpected(*refused_);
  return out;
}

Read<Any> Parser::observations() {
  if (++depth_ > kPatternDepthMax) return std::unexpected(broken("nested too deep"));
  TRY(Any out, observation());
  for (;;) {
    TRY_VOID(qualifiers());
    if (is_word("AND") || is_word("FOLLOWEDBY")) {
      refuse(std::string(now_.raw) + " of two observations cannot be shown by one event");
    } else if (!is_word("OR")) {
      break;
    }
    TRY_VOID(step());
    TRY(Any more, observation());
    std::ranges::move(more, std::back_inserter(out));
  }
  --depth_;
  return out;
}

Read<Any> Parser::observation() {
  if (is_sign("(")) {
    TRY_VOID(step());
    TRY(Any out, observations());
    TRY_VOID(take_sign(")"));
    return out;
  }
  TRY_VOID(take_sign("["));
  TRY(Any out, either());
  TRY_VOID(take_sign("]"));
  return out;
}

/// START t'…' STOP t'…', WITHIN n SECONDS, REPEATS n TIMES.
Read<bool> Parser::qualifiers() {
  for (;;) {
    if (is_word("START")) {
      refuse("START … STOP is not supported");
      TRY_VOID(step());
      if (now_.token != Token::text || now_.prefix != 't') return std::unexpected(broken("START needs a time"));
      TRY_VOID(step());
      if (!is_word("STOP")) return std::unexpected(broken("STOP is missing"));
      TRY_VOID(step());
      if (now_.token != Token::text || now_.prefix != 't') return std::unexpected(broken("STOP needs a time"));
    } else if (is_word("WITHIN") || is_word("REPEATS")) {
      refuse(std::string(now_.raw) + " cannot be shown by one event");
      const std::string_view unit = is_word("WITHIN") ? "SECONDS" : "TIMES";
      TRY_VOID(step());
      if (now_.token != Token::number) return std::unexpected(broken("a number is missing"));
      TRY_VOID(step());
      if (!is_word(unit)) return std::unexpected(broken(std::string(unit) + " is missing"));
    } else {
      return true;
    }
    TRY_VOID(step());
  }
}

Read<Any> Parser::either() {
  if (++depth_ > kPatternDepthMax) return std::unexpected(broken("nested too deep"));
  TRY(Any out, both());
  while (is_word("OR")) {
    TRY_VOID(step());
    TRY(Any more, both());
    std::ranges::move(more, std::back_inserter(out));
  }
  --depth_;
  return out;
}

Read<Any> Parser::both() {
  TRY(Any out, proposition());
  while (is_word("AND")) {
    TRY_VOID(step());
    TRY(const Any more, proposition());
    // (a OR b) AND (c OR d): every pair.
    Any product;
    std::size_t tests = 0;
    for (const All& left : out) {
      for (const All& right : more) {
        tests += left.size() + right.size();
        if (tests > kPatternTestsMax) return std::unexpected(unsupported(now_.offset, "too many comparisons"));
        product.push_back(left);
        std::ranges::copy(right, std::back_inserter(product.back()));
      }
    }
    out = std::move(product);
  }
  return out;
}

Read<Any> Parser::proposition() {
  if (is_sign("(")) {
    TRY_VOID(step());
    TRY(Any out, either());
    TRY_VOID(take_sign(")"));
    return out;
  }
  if (is_word("EXISTS")) {
    refuse("EXISTS is not supported");
    TRY_VOID(step());
    TRY_VOID(path());
    return Any{{}};
  }
  if (++tests_ > kPatternTestsMax) return std::unexpected(unsupported(now_.offset, "too many comparisons"));
  Test test;
  test.offset = now_.offset;
  TRY(test.path, path());
  if (is_word("NOT")) {
    refuse("NOT cannot be shown by one event");
    TRY_VOID(step());
  }
  static constexpr std::string_view kOperators[] = {"=",  "==", "IN", "ISSUBSET", "!=",      "<>",        "<",
                                                    "<=", ">",  ">=", "LIKE",     "MATCHES", "ISSUPERSET"};
  if (std::ranges::find(kOperators, now_.raw) == std::end(kOperators) || now_.token == Token::text) {
    return std::unexpected(broken("an operator is missing"));
  }
  const bool equals = now_.raw == "=" || now_.raw == "==" || now_.raw == "IN" || now_.raw == "ISSUBSET";
  if (!equals) refuse("operator " + std::string(now_.raw) + " is not supported");
  const bool list = is_word("IN");
  TRY_VOID(step());
  TRY(test.values, literals(list));
  return Any{{std::move(test)}};
}

Read<std::string> Parser::path() {
  if (now_.token != Token::word) return std::unexpected(broken("an object path is missing"));
  std::string out(now_.raw);
  TRY_VOID(step());
  TRY_VOID(take_sign(":"));
  for (bool first = true;; first = false) {
    if (now_.token == Token::word) {
      out += (first ? ":" : ".") + std::string(now_.raw);
    } else if (now_.token == Token::text && now_.prefix == 0) {
      out += (first ? ":" : ".") + now_.value;
    } else {
      return std::unexpected(broken("a property is missing"));
    }
    TRY_VOID(step());
    while (is_sign("[")) {
      TRY_VOID(step());
      if (!is_sign("*") && now_.token != Token::number) return std::unexpected(broken("a list index is missing"));
      out += "[" + std::string(now_.raw) + "]";
      TRY_VOID(step());
      TRY_VOID(take_sign("]"));
    }
    if (!is_sign(".")) return out;
    TRY_VOID(step());
  }
}

Read<std::string> Parser::literal() {
  std::string out;
  if (now_.token == Token::text) {
    out = now_.value;
  } else if (now_.token == Token::number || is_word("true") || is_word("false")) {
    out = now_.raw;
  } else {
    return std::unexpected(broken("a value is missing"));
  }
  TRY_VOID(step());
  return out;
}

Read<std::vector<std::string>> Parser::literals(bool list) {
  std::vector<std::string> out;
  if (!list) {
    TRY(std::string one, literal());
    out.push_back(std::move(one));
    return out;
  }
  TRY_VOID(take_sign("("));
  for (;;) {
    if (out.size() >= kPatternTestsMax) return std::unexpected(unsupported(now_.offset, "too many values"));
    TRY(std::string one, literal());
    out.push_back(std::move(one));
    if (!is_sign(",")) break;
    TRY_VOID(step());
  }
  TRY_VOID(take_sign(")"));
  return out;
}

/// What a property can be compared with.
enum class Role : std::uint8_t { address, domain, url, hash, certificate, port, request, same_file };

struct Property {
  std::string_view path;
  Role role;
  Kind kind = Kind::ipv4;  ///< Of hashes.
};
constexpr Property kProperties[] = {
    {"ipv4-addr:value", Role::address},
    {"ipv6-addr:value", Role::address},
    {"network-traffic:dst_ref.value", Role::address},
    {"network-traffic:src_ref.value", Role::address},
    {"network-traffic:dst_port", Role::port},
    {"domain-name:value", Role::domain},
    {"url:value", Role::url},
    {"network-traffic:extensions.http-request-ext.request_value", Role::request},
    {"file:hashes.SHA-256", Role::hash, Kind::sha256},
    {"file:hashes.SHA256", Role::hash, Kind::sha256},
    {"file:hashes.SHA-1", Role::hash, Kind::sha1},
    {"file:hashes.SHA1", Role::hash, Kind::sha1},
    {"file:hashes.MD5", Role::hash, Kind::md5},
    {"artifact:hashes.SHA-256", Role::hash, Kind::sha256},
    {"artifact:hashes.SHA-1", Role::hash, Kind::sha1},
    {"artifact:hashes.MD5", Role::hash, Kind::md5},
    {"x509-certificate:hashes.SHA-1", Role::certificate, Kind::certificate1},
    {"x509-certificate:hashes.SHA-256", Role::certificate, Kind::certificate256},
    // Beside a hash they add nothing: the hash names the file.
    {"file:name", Role::same_file},
    {"file:size", Role::same_file},
    {"file:mime_type", Role::same_file},
};

const Property* property_of(std::string_view path) {
  const auto found = std::ranges::find(kProperties, path, &Property::path);
  return found == std::end(kProperties) ? nullptr : found;
}

std::optional<Observable> observable_of(const Property& property, std::string_view value) {
  switch (property.role) {
    case Role::address:
      if (auto address = parse_address(value)) return address;
      return parse_network(value);
    case Role::domain:
      return parse_domain(value);
    case Role::url:
      return parse_url(value);
    case Role::request:
      return parse_url_path(value);
    case Role::hash:
    case Role::certificate:
      return parse_digest(property.kind, value);
    default:
      return std::nullopt;
  }
}

Read<std::vector<Observable>> values_of(const Test& test, const Property& property) {
  std::vector<Observable> out;
  for (const std::string& value : test.values) {
    auto one = observable_of(property, value);
    if (!one) return std::unexpected(unsupported(test.offset, "the value of " + test.path + " is not such a thing"));
    out.push_back(*std::move(one));
  }
  return out;
}

/// Addresses and ports become endpoints.
Read<std::vector<Observable>> endpoints_of(const Test& addresses, const Property& property, const Test& ports) {
  std::vector<Observable> out;
  TRY(const auto hosts, values_of(addresses, property));
  for (const Observable& host : hosts) {
    for (const std::string& text : ports.values) {
      std::uint16_t port = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
      auto one = error == std::errc{} && end == text.data() + text.size() && port != 0 ? make_endpoint(host, port)
                                                                                       : std::nullopt;
      if (!one) return std::unexpected(unsupported(ports.offset, "a network or no number beside a port"));
      out.push_back(*std::move(one));
      if (out.size() > kPatternTestsMax) return std::unexpected(unsupported(ports.offset, "too many values"));
    }
  }
  return out;
}

Read<std::vector<Observable>> of_all(const All& all) {
  const Test* host = nullptr;
  const Test* port = nullptr;
  const Test* hash = nullptr;
  const Test* other = nullptr;
  bool file = false;
  for (const Test& test : all) {
    const Property* property = property_of(test.path);
    if (property == nullptr) return std::unexpected(unsupported(test.offset, test.path + " is not supported"));
    switch (property->role) {
      case Role::address:
        if (host != nullptr) return std::unexpected(unsupported(test.offset, "AND of two addresses"));
        host = &test;
        break;
      case Role::port:
        if (port != nullptr) return std::unexpected(unsupported(test.offset, "AND of two ports"));
        port = &test;
        break;
      case Role::hash:
        // The strongest names the file: the table has them in that order.
        if (hash == nullptr || property->kind < property_of(hash->path)->kind) hash = &test;
        break;
      case Role::same_file:
        file = true;
        break;
      default:
        if (other != nullptr) return std::unexpected(unsupported(test.offset, "AND of two things"));
        other = &test;
    }
  }
  const int things = (host != nullptr ? 1 : 0) + (hash != nullptr ? 1 : 0) + (other != nullptr ? 1 : 0);
  const std::size_t offset = all.empty() ? 0 : all.front().offset;
  if (things > 1) return std::unexpected(unsupported(offset, "AND of two things"));
  if (things == 0) return std::unexpected(unsupported(offset, file ? "a file's name alone" : "a port alone"));
  if (file && hash == nullptr) return std::unexpected(unsupported(offset, "a file's name beside something else"));
  if (port != nullptr) {
    if (host == nullptr) return std::unexpected(unsupported(offset, "a port without an address"));
    return endpoints_of(*host, *property_of(host->path), *port);
  }
  const Test& test = *(host != nullptr ? host : hash != nullptr ? hash : other);
  return values_of(test, *property_of(test.path));
}

}  // namespace

std::expected<std::vector<Observable>, PatternFault> read_pattern(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return std::unexpected(PatternFault{0, false, "longer than 1 MiB"});
  TRY(const Any alternatives, Parser(pattern).parse());
  std::vector<Observable> out;
  for (const All& all : alternatives) {
    TRY(auto more, of_all(all));
    std::ranges::move(more, std::back_inserter(out));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace picket::intelligence
