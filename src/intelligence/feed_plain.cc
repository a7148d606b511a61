// Lists with one entry a line, in the many forms that there are.
#include <algorithm>

#include "feed_row.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kLineBytesMax = 8192;

std::string_view first_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(" \t");
  line = begin == std::string_view::npos ? std::string_view() : line.substr(begin);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

/// A comment begins with '#' or ';' at the beginning or behind a blank: '#' may stand in a URL.
std::string_view without_comment(std::string_view line, std::string_view& comment) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool mark = line[i] == '#' || line[i] == ';';
    if (!mark || (i > 0 && line[i - 1] != ' ' && line[i - 1] != '\t')) continue;
    comment = trimmed(line.substr(i + 1));
    return line.substr(0, i);
  }
  return line;
}

/// "0.0.0.0 evil.example": what a hosts file does to a name.
bool blocks(std::string_view word) { return word == "0.0.0.0" || word == "127.0.0.1" || word == "::1" || word == "::"; }

}  // namespace

Result<> take_line(std::string_view line, const FeedSink& sink, ParseReport& report) {
  std::string_view comment;
  const std::string_view whole = trimmed(line);
  std::string_view rest = without_comment(trimmed(line), comment);
  if (trimmed(rest).empty()) return {};
  if (whole.size() > kLineBytesMax) {
    report.skip("longer than 8 KiB", whole);
    return {};
  }
  if (whole.starts_with("!") || whole.starts_with("//")) return {};  // comments of other lists
  std::string_view word = first_word(rest);
  if (word == "add") {  // ipset: add NAME ENTRY
    first_word(rest);
    word = first_word(rest);
  } else if (word == "create") {
    return {};
  } else if (blocks(word) && !trimmed(rest).empty()) {
    word = first_word(rest);
    if (word == "localhost" || word == "localhost.localdomain" || word == "local" || word == "broadcasthost") return {};
  }
  if (word.starts_with("||")) word.remove_prefix(2);  // filters: ||name^
  word = word.substr(0, word.find('^'));
  while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
  auto what = parse_observable(word);
  if (!what) {
    report.skip("not an address, network, name, URL, path or hash", whole);
    return {};
  }
  Indicator out{.what = *std::move(what)};
  if (comment.starts_with("http://") || comment.starts_with("https://")) {
    out.reference = comment.substr(0, comment.find_first_of(" \t"));
  } else {
    out.threat = comment.substr(0, kThreatBytesMax);
  }
  return take_indicator(std::move(out), sink, report);
}

Result<ParseReport> parse_plain(std::string_view text, const FeedSink& sink) {
  ParseReport report;
  while (!text.empty()) {
    const auto end = text.find('\n');
    TRY_VOID(take_line(text.substr(0, end), sink, report));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return report;
}

}  // namespace picket::intelligence
