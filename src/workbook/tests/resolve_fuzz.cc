// Claim: a value that is taken is the content of its literal, and the tokens around it are those of the workbook.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/encoding.h"
#include "lexer.h"
#include "workbook/document.h"
#include "workbook/resolve.h"

namespace {

using picket::kql::Token;
using picket::kql::TokenKind;

struct Template {
  std::string_view before, after;  ///< Around {P}; the literal it stands in ends and begins there.
  char kind;                       ///< s: literal, l: list of literals, c: code, /: comment.
};
constexpr Template kTemplates[] = {{"T | where a == \"x", "y\" | count", 's'},
                                   {"T | where a == 'x", "y' | count", 's'},
                                   {"T | where a == @\"x", "y\" | count", 's'},
                                   {"T | where a == @'x", "y' | count", 's'},
                                   {"T | where a == ```x", "y``` | count", 's'},
                                   {"T | where a == h'x", "y' | count", 's'},
                                   {"T | where a in (", ") | count", 'l'},
                                   {"T | where a == ", " | count", 'c'},
                                   {"T // x", " y\n| count", '/'}};

/// The last `count` tokens, without the end token.
bool same_edges(const std::vector<Token>& made, const std::vector<Token>& whole, std::size_t front, std::size_t back) {
  if (made.size() < front + back + 1) return false;
  for (std::size_t i = 0; i < front; ++i) {
    if (made[i].text != whole[i].text) return false;
  }
  for (std::size_t i = 0; i < back; ++i) {
    if (made[made.size() - 2 - i].text != whole[whole.size() - 2 - i].text) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace picket::workbook;
  if (size < 1) return 0;
  const Template& form = kTemplates[data[0] % std::size(kTemplates)];
  const std::string value(reinterpret_cast<const char*>(data + 1), size - 1);
  if (!picket::is_utf8(value)) return 0;  // JSON has no others
  Document document;
  document.parameters.push_back({.path = "0:P",
                                 .name = "P",
                                 .kind = ParameterKind::choice,
                                 .several = form.kind == 'l',
                                 .required = true,
                                 .quote = form.kind == 'l' ? "'" : "",
                                 .delimiter = ","});
  const std::string query = std::string(form.before) + "{P}" + std::string(form.after);
  const auto made = resolve(document, {{"P", Choice{.values = {value}}}}, query, picket::Timestamp{0});
  if (!made) return 0;
  const auto tokens = picket::kql::tokenize(*made);
  const std::string harmless_text =
      std::string(form.before) + (form.kind == 'l' ? "'v'" : "v") + std::string(form.after);
  const auto harmless = picket::kql::tokenize(harmless_text);
  if (!tokens) {
    // A number beyond 64 bits is one word and no literal: the query is refused. So is one that is too long.
    if (form.kind == 'c' || made->size() > 60'000) return 0;
    std::abort();
  }
  const std::size_t back = 2;  // "| count"
  if (form.kind == '/') {
    if (tokens->size() != harmless->size()) std::abort();
    return 0;
  }
  const std::size_t tail = form.kind == 'l' ? back + 1 : back;
  const std::size_t front = harmless->size() - 1 - tail - 1;
  if (!same_edges(*tokens, *harmless, front, tail)) std::abort();
  if (form.kind == 'c') {
    if (value.empty()) return 0;
    for (std::size_t i = front; i + tail + 1 < tokens->size(); ++i) {
      const Token& token = (*tokens)[i];
      if (token.kind == TokenKind::string ||
          (token.kind == TokenKind::punctuation && token.text != "." && token.text != "-"))
        std::abort();
    }
    return 0;
  }
  if (tokens->size() != harmless->size()) std::abort();
  const Token& literal = (*tokens)[front];
  if (literal.kind != TokenKind::string) std::abort();
  const std::string expected = form.kind == 's' ? "x" + value + "y" : value;
  const auto* text = std::get_if<std::string>(&literal.value.data);
  if (text == nullptr || *text != expected) std::abort();
  return 0;
}
