// Words of a STIX pattern.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "intelligence/stix_pattern.h"

namespace picket::intelligence {

enum class Token : std::uint8_t { end, word, text, number, sign };

struct Lexeme {
  Token token = Token::end;
  std::string_view raw;  ///< A word or sign as it stands.
  std::string value;     ///< Of texts: unescaped. Of t'…', b'…', h'…': what is between the quotes.
  char prefix = 0;       ///< 't', 'b' or 'h' before a text.
  std::size_t offset = 0;
};

class PatternLexer {
 public:
  explicit PatternLexer(std::string_view text) : text_(text) {}
  std::expected<Lexeme, PatternFault> next();

 private:
  [[nodiscard]] PatternFault broken(std::string text) const { return {at_, true, std::move(text)}; }
  std::expected<Lexeme, PatternFault> quoted(char prefix);
  void skip();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace picket::intelligence
