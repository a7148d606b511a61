// Values of rules: texts with wildcards, and what modifiers make of them (Sigma specification 2.1, "String Wildcard",
// "Escaping", "String Modifiers").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::sigma {

/// A text with wildcards: literal pieces with `*` and `?` between them. Two stars never stand side by side.
struct Pattern {
  struct Piece {
    enum class Kind : std::uint8_t { literal, any_run, any_one };
    Kind kind = Kind::literal;
    std::string text;  ///< Of a literal; never empty there.

    friend bool operator==(const Piece&, const Piece&) = default;
  };
  std::vector<Piece> pieces;  ///< None: the empty text.
  bool cased = false;         ///< Case counts.

  friend bool operator==(const Pattern&, const Pattern&) = default;

  void add_literal(std::string_view text);
  void add_any_run();
  void add_any_one();
  [[nodiscard]] bool has_wildcards() const;
  /// The text of a pattern without wildcards.
  [[nodiscard]] std::string literal() const;
};

/// Reads a rule's value: `*` and `?` are wildcards, `\*`, `\?` and `\\` the characters themselves, any other backslash
/// a backslash.
Pattern parse_pattern(std::string_view value);
/// The same text without wildcards in it.
Pattern literal_pattern(std::string_view text);

/// ASCII letters in lower case; all other bytes as they are. Case of other letters counts.
inline char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string folded(std::string_view text);

/// Whether the whole text matches. `?` is one UTF-8 character (a byte, where the text is not UTF-8). Time: at most
/// length of text times length of pattern; nothing is allocated.
bool matches(const Pattern& pattern, std::string_view text);

/// Windows' ways of writing an option: every `-` or `/` that begins a word becomes each of - / – — ―. The first is the
/// value as it stands. Empty: there would be more than kDashVariantsMax.
inline constexpr std::size_t kDashVariantsMax = 625;
std::vector<Pattern> dash_variants(const Pattern& pattern);

/// What of a text is always there in Base64, whatever stands before it: three variants.
std::vector<std::string> base64_offsets(std::string_view bytes);

enum class Utf16 : std::uint8_t { little, big, with_mark };
/// UTF-16 of UTF-8 text; a byte that is no UTF-8 becomes U+FFFD. with_mark: little-endian behind a byte order mark.
std::string to_utf16(std::string_view text, Utf16 form);

/// A network of addresses, IPv4 or IPv6. An IPv4 address mapped to IPv6 counts as IPv4.
struct Network {
  std::uint8_t address[16] = {};
  std::uint8_t prefix_bits = 0;  ///< Of the 128; an IPv4 prefix is 96 more.

  friend bool operator==(const Network&, const Network&) = default;
};
/// "10.0.0.0/8", "2001:db8::/32", or an address alone. False: it is none, or bits stand behind the prefix.
bool parse_network(std::string_view text, Network& out);
bool contains(const Network& network, std::string_view address);

/// A decimal numeral as a whole: sign, digits, fraction. False: the text is something else.
bool parse_number(std::string_view text, double& out);
/// How a number is written when it meets texts: whole numbers without fraction. `buffer` holds it; no allocation.
struct NumberText {
  char buffer[32];
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const { return {buffer, size}; }
};
void write_number(double number, NumberText& out);
void write_number(std::int64_t number, NumberText& out);

}  // namespace picket::sigma
