// What is wrong with a query, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace picket::kql {

/// A range of bytes of the query text. Always inside the text; a length of 0 stands between two characters.
struct Span {
  std::size_t start = 0;
  std::size_t length = 0;

  [[nodiscard]] std::size_t end() const { return start + length; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// The smallest span that holds both.
Span cover(Span first, Span last);

/// Stable codes: programs may compare them, texts may change.
namespace code {
inline constexpr std::string_view kSyntax = "syntax";             ///< The text is not in the language.
inline constexpr std::string_view kLiteral = "literal";           ///< A literal that has no value.
inline constexpr std::string_view kUnknownName = "unknown_name";  ///< No such column, table, variable or function.
inline constexpr std::string_view kDuplicate = "duplicate_name";  ///< The name is declared twice.
inline constexpr std::string_view kType = "type_mismatch";        ///< An operand or argument has the wrong type.
inline constexpr std::string_view kArguments = "arguments";       ///< Wrong number of arguments, or not a constant.
inline constexpr std::string_view kUnsupported = "unsupported";   ///< In the language, but not in Picket yet.
inline constexpr std::string_view kLimit = "limit_exceeded";      ///< A named bound was reached.
}  // namespace code

struct Diagnostic {
  std::string_view code;  ///< One of namespace code; static storage.
  std::string message;    ///< One sentence for a person, without position.
  Span span;
  std::uint32_t line = 1;    ///< 1-based.
  std::uint32_t column = 1;  ///< 1-based, in characters (Unicode code points) of the line.
};

using Diagnostics = std::vector<Diagnostic>;

/// A value, or the first thing that was wrong.
template <class T = void>
using Checked = std::expected<T, Diagnostic>;

/// A diagnostic without line and column: locate() adds them at the edge.
[[nodiscard]] std::unexpected<Diagnostic> diagnose(std::string_view code, Span span, std::string message);

/// Clamps the span to `text` and fills in line and column.
void locate(Diagnostic& diagnostic, std::string_view text);

/// The diagnostic as people read it:
///   line 1, column 9: error unknown_name: no column 'Foo'
///     T | where Foo == 1
///               ^^^
/// A line longer than 160 characters is shown around the span.
std::string render(const Diagnostic& diagnostic, std::string_view text);

}  // namespace picket::kql
