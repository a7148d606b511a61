// Texts taken apart: patterns, key-value pairs, addresses of the web, paths, command lines.
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "kql/native_functions.h"
#include "kql/native_text.h"
#include "native_json.h"

namespace picket::kql {

namespace {

struct Part {
  enum class Kind : std::uint8_t { star, text, column } kind = Kind::star;
  std::string_view text;
  char type = 's';
};

std::vector<Part> read_pattern(std::string_view pattern) {
  std::vector<Part> out;
  for (std::size_t i = 1; i < pattern.size();) {
    if (pattern[i] == '*') {
      out.push_back({});
      ++i;
    } else if (pattern[i] == 't') {
      std::size_t length = 0;
      const auto* end = pattern.data() + pattern.size();
      const auto [digits_end, error] = std::from_chars(pattern.data() + i + 1, end, length);
      const auto from = static_cast<std::size_t>(digits_end - pattern.data()) + 1;
      out.push_back({Part::Kind::text, pattern.substr(std::min(from, pattern.size()), length)});
      i = from + length;
    } else {
      out.push_back({Part::Kind::column, {}, i + 1 < pattern.size() ? pattern[i + 1] : 's'});
      i += 2;
    }
  }
  return out;
}

bool fits(std::string_view text, char type) {
  switch (type) {
    case 'b':
      return parse_bool(text).has_value();
    case 'i':
    case 'l':
      return parse_long(text).has_value();
    case 'r':
      return parse_real(text).has_value();
    case 'd':
      return parse_datetime(text).has_value();
    case 't':
      return parse_timespan(text).has_value();
    case 'g':
      return parse_guid(text).has_value();
    default:
      return true;
  }
}

/// Finds the first way to lay the pattern over the text, stars and columns as short as they can be.
class Matcher {
 public:
  Matcher(std::string_view text, const std::vector<Part>& parts, bool strict)
      : text_(text), parts_(parts), strict_(strict) {}

  std::optional<std::vector<std::string_view>> run() {
    if (!match(0, 0)) return std::nullopt;
    std::ranges::reverse(columns_);
    return columns_;
  }

 private:
  static constexpr std::size_t kStepsMax = 100'000;  // what no text needs that was not made to need it

  bool match(std::size_t part, std::size_t at) {
    if (++steps_ > kStepsMax) return false;
    if (part == parts_.size()) return at == text_.size();
    const auto& here = parts_[part];
    if (here.kind == Part::Kind::text) {
      return text_.substr(at).starts_with(here.text) && match(part + 1, at + here.text.size());
    }
    const bool last = part + 1 == parts_.size();
    if (last) return keep(here, at, text_.size());
    const auto& next = parts_[part + 1];
    if (next.kind == Part::Kind::text) {
      for (auto end = text_.find(next.text, at); end != std::string_view::npos; end = text_.find(next.text, end + 1)) {
        if (acceptable(here, at, end) && match(part + 2, end + next.text.size())) return keep(here, at, end);
        if (here.kind == Part::Kind::column && strict_ && here.type == 's') continue;
      }
      return false;
    }
    if (here.kind == Part::Kind::star) {  // before a column: wherever it fits
      for (auto end = at; end <= text_.size(); ++end) {
        if (match(part + 1, end)) return true;
      }
      return false;
    }
    // A column before a star: texts take nothing, numbers all their characters.
    constexpr std::size_t kWidthMax = 64;
    if (here.type == 's' || here.type == 'j') return match(part + 1, at) && keep(here, at, at);
    for (auto width = std::min(kWidthMax, text_.size() - at); width > 0; --width) {
      const auto cell = text_.substr(at, width);
      if (cell.front() == ' ' || cell.back() == ' ') continue;
      if (fits(cell, here.type) && match(part + 1, at + width)) return keep(here, at, at + width);
    }
    return !strict_ && match(part + 1, at) && keep(here, at, at);
  }

  [[nodiscard]] bool acceptable(const Part& part, std::size_t from, std::size_t to) const {
    return part.kind != Part::Kind::column || !strict_ || fits(text_.substr(from, to - from), part.type);
  }

  bool keep(const Part& part, std::size_t from, std::size_t to) {
    if (part.kind != Part::Kind::column) return true;
    if (!acceptable(part, from, to)) return false;
    columns_.push_back(text_.substr(from, to - from));
    return true;
  }

  std::string_view text_;
  const std::vector<Part>& parts_;
  bool strict_;
  std::size_t steps_ = 0;
  std::vector<std::string_view> columns_;  ///< Last first.
};

std::string_view take_until(std::string_view& text, std::string_view delimiters) {
  const auto end = std::min(text.find_first_of(delimiters), text.size());
  const auto out = text.substr(0, end);
  text.remove_prefix(end);
  return out;
}

std::string query_bag(std::string_view query) {
  JsonMembers members;
  std::vector<std::string> values;
  std::vector<std::string> keys;
  while (!query.empty()) {
    auto pair = take_until(query, "&");
    if (!query.empty()) query.remove_prefix(1);
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    keys.push_back(url_decode(pair.substr(0, equals)));
    values.push_back(json_text(url_decode(pair.substr(std::min(equals + 1, pair.size())))));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) members.emplace_back(keys[i], values[i]);
  return json_object(members);
}

}  // namespace

std::optional<std::string> parse_part(std::string_view text, std::string_view pattern, std::int64_t column) {
  if (pattern.empty()) return std::nullopt;
  const auto parts = read_pattern(pattern);
  const auto found = Matcher(text, parts, pattern.front() == 's').run();
  if (!found) return std::nullopt;
  if (column < 0) return std::string();
  const auto at = static_cast<std::size_t>(column);
  return at < found->size() ? std::optional(std::string((*found)[at])) : std::nullopt;
}

std::optional<std::string> parse_kv(std::string_view text, std::string_view key, std::string_view pair_delimiter,
                                    std::string_view kv_delimiter, std::string_view quote) {
  const auto trimmed = [](std::string_view part) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    return part;
  };
  /// What stands in quotes at the front; nullopt: no quote there.
  const auto take_quoted = [&]() -> std::optional<std::string_view> {
    if (quote.empty() || !text.starts_with(quote.front())) return std::nullopt;
    const auto close = text.find(quote.back(), 1);
    if (close == std::string_view::npos) return std::nullopt;
    const auto out = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    return out;
  };
  while (!text.empty()) {
    auto name = take_quoted();
    if (!name) {
      const auto equals = text.find(kv_delimiter);
      const auto end_of_pair = text.find(pair_delimiter);
      if (end_of_pair < equals) {  // a word without a value
        text.remove_prefix(end_of_pair + pair_delimiter.size());
        continue;
      }
      if (equals == std::string_view::npos) return std::nullopt;
      name = trimmed(text.substr(0, equals));
      text.remove_prefix(equals);
    }
    if (!text.starts_with(kv_delimiter)) continue;
    text.remove_prefix(kv_delimiter.size());
    auto value = take_quoted();
    if (!value) {
      const auto end = std::min(text.find(pair_delimiter), text.size());
      value = trimmed(text.substr(0, end));
      text.remove_prefix(end);
    }
    if (text.starts_with(pair_delimiter)) text.remove_prefix(pair_delimiter.size());
    if (*name == key) return std::string(*value);
  }
  return std::nullopt;
}

std::string parse_url_query(std::string_view text) {
  if (text.starts_with('?')) text.remove_prefix(1);
  const auto bag = query_bag(text);
  return json_object({{"Query Parameters", bag}});
}

std::string parse_url(std::string_view text) {
  std::string_view scheme;
  std::string_view user;
  std::string_view password;
  std::string_view port;
  if (const auto mark = text.find("://"); mark != std::string_view::npos) {
    scheme = text.substr(0, mark);
    text.remove_prefix(mark + 3);
  }
  auto authority = take_until(text, "/?#");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    auto credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    user = take_until(credentials, ":");
    if (!credentials.empty()) password = credentials.substr(1);
  }
  auto host = authority;
  const auto bracket = authority.rfind(']');
  if (const auto colon = authority.rfind(':');
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  const auto path = take_until(text, "?#");
  std::string_view query;
  if (text.starts_with('?')) {
    text.remove_prefix(1);
    query = take_until(text, "#");
  }
  if (text.starts_with('#')) text.remove_prefix(1);
  const std::array<std::string, 8> values = {json_text(scheme), json_text(host),     json_text(port),  json_text(path),
                                             json_text(user),   json_text(password), query_bag(query), json_text(text)};
  constexpr std::array<std::string_view, 8> kNames = {
      "Scheme", "Host", "Port", "Path", "Username", "Password", "Query Parameters", "Fragment"};
  JsonMembers out;
  for (std::size_t i = 0; i < values.size(); ++i) out.emplace_back(std::string(kNames[i]), values[i]);
  return json_object(out);
}

std::string parse_path(std::string_view text) {
  std::string scheme;
  std::string_view rest = text;
  std::string stream;
  if (const auto mark = rest.find("://"); mark != std::string_view::npos) {
    scheme = rest.substr(0, mark);
    rest.remove_prefix(mark + 3);
  }
  std::string root;
  if (scheme.empty() && rest.size() >= 2 && rest[1] == ':') root = rest.substr(0, 2);
  const auto slash = rest.find_last_of("/\\");
  const auto directory = slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
  auto file = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
  if (const auto colon = file.find(':'); colon != std::string_view::npos && colon > 1) {
    stream = file.substr(colon + 1);
    file = file.substr(0, colon);
  }
  const auto before = directory.find_last_of("/\\");
  const auto name = before == std::string_view::npos ? directory : directory.substr(before + 1);
  const auto dot = file.rfind('.');
  const auto extension = dot == std::string_view::npos ? std::string_view() : file.substr(dot + 1);
  const std::array<std::string, 7> values = {json_text(scheme), json_text(root), json_text(directory),
                                             json_text(name),   json_text(file), json_text(extension),
                                             json_text(stream)};
  constexpr std::array<std::string_view, 7> kNames = {
      "Scheme", "RootPath", "DirectoryPath", "DirectoryName", "Filename", "Extension", "AlternateDataStreamName"};
  JsonMembers out;
  for (std::size_t i = 0; i < values.size(); ++i) out.emplace_back(std::string(kNames[i]), values[i]);
  return json_object(out);
}

std::string parse_csv(std::string_view text) {
  std::vector<std::string> out;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else if (c == '"') {
        quoted = false;
      } else {
        cell += c;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = true;
    } else if (c == ',') {
      out.push_back(json_text(cell));
      cell.clear();
    } else if (c == '\n' || c == '\r') {
      break;  // the first record
    } else {
      cell += c;
    }
  }
  out.push_back(json_text(cell));
  return json_array(out);
}

std::optional<std::string> parse_command_line(std::string_view text, std::string_view type) {
  if (type != "windows" && type != "Windows") return std::nullopt;
  std::vector<std::string> out;
  std::string argument;
  bool inside = false;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      std::size_t count = 0;
      while (i < text.size() && text[i] == '\\') {
        ++count;
        ++i;
      }
      const bool quote = i < text.size() && text[i] == '"';
      argument.append(quote ? count / 2 : count, '\\');
      inside = true;
      if (quote && count % 2 == 1) {
        argument += '"';
      } else {
        --i;
      }
    } else if (c == '"') {
      inside = true;
      if (quoted && i + 1 < text.size() && text[i + 1] == '"') {
        argument += '"';
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if ((c == ' ' || c == '\t') && !quoted) {
      if (inside) out.push_back(json_text(argument));
      argument.clear();
      inside = false;
    } else {
      argument += c;
      inside = true;
    }
  }
  if (inside) out.push_back(json_text(argument));
  return json_array(out);
}

}  // namespace picket::kql
