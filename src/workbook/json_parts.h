// Reading JSON of other people's making: what is not there, or of another kind, is empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace picket::workbook {

namespace json = boost::json;

inline const json::value* member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

/// Texts as they are, other values as JSON.
inline std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : value.is_null() ? "" : json::serialize(value);
}

inline std::string text(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  return found == nullptr ? std::string() : text_of(*found);
}

inline bool flag(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  return found != nullptr && (found->is_bool() ? found->get_bool() : text_of(*found) == "true");
}

inline std::optional<std::int64_t> number(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  boost::system::error_code failed;
  const auto out = found->to_number<std::int64_t>(failed);
  return failed ? std::nullopt : std::optional(out);
}

inline const json::object& object(const json::object& parent, std::string_view name) {
  static const json::object empty;
  const json::value* found = member(parent, name);
  return found != nullptr && found->is_object() ? found->get_object() : empty;
}

inline const json::array& array(const json::object& parent, std::string_view name) {
  static const json::array empty;
  const json::value* found = member(parent, name);
  return found != nullptr && found->is_array() ? found->get_array() : empty;
}

/// nullopt: no JSON, or nested too deep.
std::optional<json::value> parse_json(std::string_view text);

}  // namespace picket::workbook
