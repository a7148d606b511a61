#include "output.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"

namespace picket::cli {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string cut(std::string text, std::size_t width_max) {
  if (width_max == 0 || display_width(text) <= width_max) return text;
  std::size_t at = 0;
  for (std::size_t width = 0; width + 1 < width_max; ++width) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
  }
  return text.substr(0, at) + "…";
}

void append_pretty(std::string& out, const boost::json::value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{\n";
    std::size_t left = object->size();
    for (const auto& [key, item] : *object) {
      out += indent + "  ";
      append_json_string(out, key);
      out += ": ";
      append_pretty(out, item, depth + 1);
      out += --left > 0 ? ",\n" : "\n";
    }
    out += indent + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[\n";
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += indent + "  ";
      append_pretty(out, (*array)[i], depth + 1);
      out += i + 1 < array->size() ? ",\n" : "\n";
    }
    out += indent + "]";
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    std::size_t length = 1;
    while (length < 4 && at + length < text.size() && is_continuation(text[at + length])) ++length;
    const std::string_view sequence = text.substr(at, length);
    // U+0080 to U+009F are control characters too: some terminals obey them.
    const bool control =
        byte < 0x20 || byte == 0x7F || (byte == 0xC2 && length == 2 && static_cast<unsigned char>(sequence[1]) < 0xA0);
    if (!control && is_utf8(sequence)) {
      out += sequence;
      at += length;
      continue;
    }
    out += fmt::format("\\x{:02x}", byte);
    ++at;
  }
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

Table::Table(std::vector<std::string> header, std::size_t cell_width_max) : cell_width_max_(cell_width_max) {
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
  row.resize(rows_.front().size());
  for (std::string& text : row) text = cut(printable(text), cell_width_max_);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - display_width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string underline(std::string_view text, std::size_t line, std::size_t column, std::size_t length) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  // Control characters take one column each, so that the mark stands where the place is.
  std::string shown(text.substr(0, text.find('\n')));
  std::ranges::replace_if(shown, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  if (line == 0 || column == 0 || column > display_width(shown) + 1) return "";
  const std::size_t left = display_width(shown) + 1 - column;
  return "  " + printable(shown) + "\n  " + std::string(column - 1, ' ') +
         std::string(std::max<std::size_t>(1, std::min(length, left)), '^') + "\n";
}

std::string cell(const boost::json::value& value) {
  if (value.is_null()) return "";
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* number = value.if_double()) return fmt::format("{}", *number);  // 118.5, not 1.185E2
  return boost::json::serialize(value);
}

std::string member(const boost::json::value& object, std::string_view name) {
  const auto* fields = object.if_object();
  const auto* found = fields == nullptr ? nullptr : fields->if_contains(name);
  return found == nullptr ? std::string() : cell(*found);
}

std::string pretty(const boost::json::value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out + "\n";
}

}  // namespace picket::cli
