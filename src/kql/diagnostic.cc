#include "kql/diagnostic.h"

#include <algorithm>

namespace picket::kql {

namespace {

constexpr std::size_t kShownMax = 160;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

struct Line {
  std::size_t start;
  std::string_view text;
};

Line line_at(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset).rfind('\n');
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  auto line = text.substr(start);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r') && start + line.size() > offset) line.remove_suffix(1);
  return {start, line};
}

}  // namespace

Span cover(Span first, Span last) {
  const std::size_t start = std::min(first.start, last.start);
  return {start, std::max(first.end(), last.end()) - start};
}

std::unexpected<Diagnostic> diagnose(std::string_view code, Span span, std::string message) {
  return std::unexpected(Diagnostic{code, std::move(message), span});
}

void locate(Diagnostic& diagnostic, std::string_view text) {
  auto& span = diagnostic.span;
  span.start = std::min(span.start, text.size());
  span.length = std::min(span.length, text.size() - span.start);
  const auto line = line_at(text, span.start);
  diagnostic.line = static_cast<std::uint32_t>(1 + std::ranges::count(text.substr(0, line.start), '\n'));
  diagnostic.column =
      static_cast<std::uint32_t>(1 + count_characters(text.substr(line.start, span.start - line.start)));
}

std::string render(const Diagnostic& diagnostic, std::string_view text) {
  auto out = "line " + std::to_string(diagnostic.line) + ", column " + std::to_string(diagnostic.column) + ": error " +
             std::string(diagnostic.code) + ": " + diagnostic.message + "\n";
  const std::size_t start = std::min(diagnostic.span.start, text.size());
  auto line = line_at(text, start);
  std::size_t offset = start - line.start;
  if (line.text.size() > kShownMax) {
    std::size_t cut = offset > kShownMax / 2 ? offset - kShownMax / 2 : 0;
    while (cut > 0 && cut < line.text.size() && is_continuation(line.text[cut])) --cut;
    line.text.remove_prefix(std::min(cut, line.text.size()));
    offset -= cut;
    std::size_t length = std::min(kShownMax, line.text.size());
    while (length < line.text.size() && is_continuation(line.text[length])) ++length;
    line.text = line.text.substr(0, length);
  }
  offset = std::min(offset, line.text.size());
  out += "  " + std::string(line.text) + "\n  ";
  // A tab is copied, so that the mark stands below its text however wide tabs are.
  for (const char c : line.text.substr(0, offset)) {
    if (!is_continuation(c)) out += c == '\t' ? '\t' : ' ';
  }
  const std::size_t width = count_characters(line.text.substr(offset, diagnostic.span.length));
  out.append(std::max<std::size_t>(width, 1), '^');
  return out + "\n";
}

}  // namespace picket::kql
