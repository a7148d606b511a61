#include "positions.h"

#include <algorithm>
#include <charconv>

#include "base/core/file.h"

namespace picket::journal {
namespace {

constexpr std::string_view kPositionsHead = "picket-journal-positions 1";
constexpr std::string_view kLossesHead = "picket-journal-losses 1";
constexpr std::size_t kFileBytesMax = 1U << 20;

std::string_view next_word(std::string_view& line) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

Result<std::uint64_t> parse_number(std::string_view word, std::string_view where) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return fail(Errc::malformed, where);
  return value;
}

/// Lines after the head; an absent file has none.
Result<std::vector<std::string>> read_lines(const std::string& path, std::string_view head, std::string_view where) {
  std::vector<std::string> lines;
  auto content = read_file(path, kFileBytesMax);
  if (!content && content.error().code == Errc::not_found) return lines;
  if (!content) return std::unexpected(content.error());
  std::string_view rest = *content;
  bool first = true;
  while (!rest.empty()) {
    const auto newline = rest.find('\n');
    const auto line = rest.substr(0, newline);
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    if (first && line != head) {
      const auto name = head.substr(0, head.find(' ') + 1);
      return fail(line.starts_with(name) ? Errc::unsupported : Errc::malformed, where);
    }
    if (!first) lines.emplace_back(line);
    first = false;
  }
  if (first) return fail(Errc::malformed, where);
  return lines;
}

}  // namespace

bool is_consumer_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

Result<Positions> load_positions(const std::string& directory) {
  constexpr std::string_view where = "journal.positions";
  TRY(const auto lines, read_lines(directory + "/positions", kPositionsHead, where));
  Positions out;
  for (std::string_view line : lines) {
    const auto what = next_word(line);
    if (what == "end") {
      TRY(out.durable_end, parse_number(next_word(line), where));
    } else if (what == "consumer") {
      const auto name = next_word(line);
      if (!is_consumer_name(name)) return fail(Errc::malformed, where);
      if (out.consumers.size() == kConsumersMax) return fail(Errc::limit_exceeded, where);
      TRY(auto position, Position::parse(next_word(line)));
      out.consumers.emplace(name, std::move(position));
    } else {
      return fail(Errc::malformed, where);
    }
  }
  return out;
}

Result<> store_positions(const std::string& directory, const Positions& positions) {
  std::string text(kPositionsHead);
  text += "\nend " + std::to_string(positions.durable_end) + "\n";
  for (const auto& [name, position] : positions.consumers) text += "consumer " + name + " " + position.to_text() + "\n";
  return replace_file(directory + "/positions", as_bytes(text));
}

Result<std::vector<Corruption>> load_losses(const std::string& directory) {
  constexpr std::string_view where = "journal.losses";
  TRY(const auto lines, read_lines(directory + "/accepted-losses", kLossesHead, where));
  if (lines.size() > kLossesMax) return fail(Errc::limit_exceeded, where);
  std::vector<Corruption> out;
  for (std::string_view line : lines) {
    Corruption loss;
    TRY(loss.first_sequence, parse_number(next_word(line), where));
    TRY(loss.next_sequence, parse_number(next_word(line), where));
    TRY(loss.begin, parse_number(next_word(line), where));
    TRY(loss.end, parse_number(next_word(line), where));
    loss.file = std::string(line);
    out.push_back(std::move(loss));
  }
  return out;
}

Result<> store_losses(const std::string& directory, const std::vector<Corruption>& losses) {
  std::string text(kLossesHead);
  text += '\n';
  for (const Corruption& loss : losses) {
    for (const auto number : {loss.first_sequence, loss.next_sequence, loss.begin, loss.end}) {
      text += std::to_string(number) + " ";
    }
    text += loss.file + "\n";
  }
  return replace_file(directory + "/accepted-losses", as_bytes(text));
}

}  // namespace picket::journal
