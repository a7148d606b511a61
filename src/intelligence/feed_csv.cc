// Tables of comma-separated values (RFC 4180), with a heading that names the columns. abuse.ch writes it as a comment.
#include <algorithm>

#include "feed_row.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kHeadLinesMax = 200;
constexpr std::size_t kHeadBytesMax = 64U << 10;

/// Takes one record off `text`; quoted fields may hold commas, quotes and line ends.
std::vector<std::string> take_record(std::string_view& text) {
  std::vector<std::string> out(1);
  bool quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        out.back() += c;
      } else if (text.substr(i + 1).starts_with('"')) {
        out.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && trimmed(out.back()).empty()) {
      out.back().clear();  // blanks before a quote: abuse.ch puts one behind each comma
      quoted = true;
    } else if (c == ',') {
      if (out.size() >= kColumnsMax) continue;
      out.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      out.back() += c;
    }
  }
  text = i < text.size() ? text.substr(i + 1) : std::string_view();
  return out;
}

std::string_view line_of(std::string_view text) { return trimmed(text.substr(0, text.find('\n'))); }
bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with(';'); }
void drop_line(std::string_view& text) {
  const auto end = text.find('\n');
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
}

std::vector<std::string> columns_of(std::string_view line) {
  while (line.starts_with('#') || line.starts_with(' ')) line.remove_prefix(1);
  std::vector<std::string> out;
  for (const std::string& name : take_record(line)) out.push_back(lower(trimmed(name)));
  const auto known = std::ranges::count_if(out, [](const std::string& name) { return is_indicator_column(name); });
  if (known == 0 || out.size() < 2) out.clear();
  return out;
}

/// Leaves `text` at the first record of data.
std::vector<std::string> take_heading(std::string_view& text) {
  std::vector<std::string> columns;
  for (std::size_t lines = 0; lines < kHeadLinesMax && !text.empty(); ++lines) {
    const std::string_view line = line_of(text.substr(0, kHeadBytesMax));
    if (!is_comment(line) && !line.empty()) break;
    if (auto found = columns_of(line); !found.empty()) columns = std::move(found);
    drop_line(text);
  }
  if (!columns.empty()) return columns;
  columns = columns_of(line_of(text.substr(0, kHeadBytesMax)));
  if (!columns.empty()) drop_line(text);
  return columns;
}

}  // namespace

bool has_csv_heading(std::string_view text) { return !take_heading(text).empty(); }

Result<ParseReport> parse_csv(std::string_view text, const FeedSink& sink) {
  ParseReport report;
  const std::vector<std::string> columns = take_heading(text);
  if (columns.empty()) return fail(Errc::malformed, "intelligence.csv.heading");
  FeedRow row;
  while (!text.empty()) {
    const std::string_view line = line_of(text.substr(0, kHeadBytesMax));
    if (line.empty() || is_comment(line)) {
      drop_line(text);
      continue;
    }
    auto cells = take_record(text);
    row.clear();
    for (std::size_t i = 0; i < cells.size() && i < columns.size(); ++i) {
      row.emplace_back(columns[i], std::move(cells[i]));
    }
    TRY_VOID(take_row(row, sink, report));
  }
  return report;
}

}  // namespace picket::intelligence
