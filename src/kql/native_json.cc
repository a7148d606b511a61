#include "native_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/core/json_writer.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// End of the value that starts at `at`.
std::size_t value_end(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  bool in_text = false;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        in_text = false;
      }
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') {
      if (depth == 0) return at;
      --depth;
    }
    if (depth == 0 && (c == ',' || c == ':')) return at;
  }
  return std::min(at, json.size());
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

int rank(std::string_view json) {
  if (json_is_null(json)) return 9;
  if (dynamic_number(json)) return 0;
  return json_is_text(json) ? 1 : 2;
}

}  // namespace

bool json_is_text(std::string_view json) { return trim(json).starts_with('"'); }
bool json_is_null(std::string_view json) { return trim(json) == "null"; }

std::optional<JsonItems> json_items(std::string_view json) {
  json = trim(json);
  if (!json.starts_with('[')) return std::nullopt;
  JsonItems out;
  std::size_t at = 1;
  while (at < json.size() && json[at] != ']') {
    const auto end = value_end(json, at);
    const auto item = trim(json.substr(at, end - at));
    if (!item.empty()) out.push_back(item);
    if (end >= json.size() || json[end] == ']') break;
    at = end + 1;
  }
  return out;
}

std::optional<JsonMembers> json_members(std::string_view json) {
  json = trim(json);
  if (!json.starts_with('{')) return std::nullopt;
  JsonMembers out;
  std::size_t at = 1;
  while (at < json.size() && json[at] != '}') {
    const auto colon = value_end(json, at);
    const auto key = trim(json.substr(at, colon - at));
    if (key.empty() || colon >= json.size() || json[colon] != ':') break;
    const auto end = value_end(json, colon + 1);
    out.emplace_back(dynamic_text(key), trim(json.substr(colon + 1, end - colon - 1)));
    if (end >= json.size() || json[end] == '}') break;
    at = end + 1;
  }
  return out;
}

std::optional<std::vector<double>> json_numbers(std::string_view json) {
  const auto items = json_items(json);
  if (!items) return std::nullopt;
  std::vector<double> out;
  for (const auto item : *items) out.push_back(dynamic_number(item).value_or(std::numeric_limits<double>::quiet_NaN()));
  return out;
}

std::string json_array(const JsonItems& items) {
  std::string out = "[";
  for (const auto item : items) {
    if (out.size() > 1) out += ',';
    out += item;
  }
  return out + "]";
}

std::string json_array(const std::vector<std::string>& items) {
  return json_array(JsonItems(items.begin(), items.end()));
}

std::string json_object(const JsonMembers& members) {
  std::string out = "{";
  for (const auto& [key, value] : members) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    out += value;
  }
  return out + "}";
}

std::string json_array(const std::vector<double>& numbers) {
  std::vector<std::string> items;
  for (const double number : numbers) items.push_back(json_number(number));
  return json_array(items);
}

std::string json_number(double number) { return std::isfinite(number) ? real_text(number) : "null"; }

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

bool json_equal(std::string_view a, std::string_view b) {
  a = trim(a);
  b = trim(b);
  if (a == b) return true;
  if (json_is_text(a) || json_is_text(b)) {
    return json_is_text(a) && json_is_text(b) && dynamic_text(a) == dynamic_text(b);
  }
  const auto x = dynamic_number(a);
  const auto y = dynamic_number(b);
  return x && y && *x == *y;
}

bool json_less(std::string_view a, std::string_view b) {
  const int x = rank(a);
  const int y = rank(b);
  if (x != y) return x < y;
  if (x == 0) return dynamic_number(a).value_or(0) < dynamic_number(b).value_or(0);
  return x == 1 ? dynamic_text(a) < dynamic_text(b) : a < b;
}

}  // namespace picket::kql
