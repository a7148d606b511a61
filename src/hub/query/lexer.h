// Text to tokens. Private to this library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub_error.h"

namespace picket::hub {

enum class TokenKind : std::uint8_t { end, name, number, string, symbol };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;        ///< A name or symbol as written; the value of a string; a
                           ///< number as JSON writes it.
  std::size_t offset = 0;  ///< In the query text.
};

/// "Line 2, column 7: ..." as a 400.
HubError query_error(std::string_view text, std::size_t offset, std::string_view what);

/// Symbols: ( ) [ ] [[ ]] , . = != <> < <= > >= + - * / %. Names: letters,
/// digits, _, $ and all of UTF-8 above ASCII. Comments between /* and */ are
/// skipped. The last token is `end`.
HubResult<std::vector<Token>> tokenize(std::string_view text);

/// ASCII only.
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);

}  // namespace picket::hub
