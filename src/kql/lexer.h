// Text to tokens. The language has no reserved words: the parser decides by place what an identifier means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kql/diagnostic.h"
#include "kql/value.h"

namespace picket::kql {

enum class TokenKind : std::uint8_t {
  identifier,   ///< Also one that starts with a digit (1x) or with '$'.
  string,       ///< `value` holds the text, escapes resolved.
  literal,      ///< Number, timespan, guid or typed literal such as datetime(2026-01-02); `value` holds it.
  punctuation,  ///< An operator or bracket; `!has` and its like are one token, so is `in~`.
  end,          ///< Behind the last token; an empty span at the end of the text.
};

struct Token {
  TokenKind kind = TokenKind::end;
  Span span;
  std::string_view text;  ///< As written; points into the query text.
  Value value{};
};

/// All tokens and the end token. Comments and blanks are left out.
/// Errors: limit_exceeded (text longer than kQueryBytesMax), syntax (not UTF-8, a character that starts no token, a
/// string or literal without end), literal (datetime(xyz), a number beyond 64 bits).
Checked<std::vector<Token>> tokenize(std::string_view text);

/// The type of a type name ("long", "double", "date", ...); nullopt: not one.
std::optional<Type> type_of_name(std::string_view name);

}  // namespace picket::kql
