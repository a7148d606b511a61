// JSON text of dynamic values, taken apart without a tree. Private to the native functions. The text has been checked
// before: it is what the engine stores or what these functions wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::kql {

using JsonItems = std::vector<std::string_view>;
using JsonMembers = std::vector<std::pair<std::string, std::string_view>>;

/// The elements of an array as they stand; nullopt: not an array.
std::optional<JsonItems> json_items(std::string_view json);
/// The members of an object, keys unescaped; nullopt: not an object.
std::optional<JsonMembers> json_members(std::string_view json);
/// The numbers of an array; an element that is none gives NaN. nullopt: not an array.
std::optional<std::vector<double>> json_numbers(std::string_view json);

std::string json_array(const JsonItems& items);
std::string json_array(const std::vector<std::string>& items);
std::string json_object(const JsonMembers& members);
/// NaN and infinities become null, as JSON has none.
std::string json_array(const std::vector<double>& numbers);
std::string json_number(double number);
std::string json_text(std::string_view text);

/// Equal as values: 1 and 1.0, "a" and "\u0061".
bool json_equal(std::string_view a, std::string_view b);
/// An order for sorting: nulls last, numbers, then texts, then the rest by its text.
bool json_less(std::string_view a, std::string_view b);
bool json_is_text(std::string_view json);
bool json_is_null(std::string_view json);

}  // namespace picket::kql
