#include "render_json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/core/json_writer.h"
#include "http.h"

namespace picket::api {
namespace {

struct Property {
  std::string_view name;
  std::string_view otherwise;  ///< JSON
};

constexpr std::array<Property, 18> kProperties{{
    {"Title", "null"},
    {"XColumn", "null"},
    {"Series", "null"},
    {"YColumns", "null"},
    {"AnomalyColumns", "null"},
    {"XTitle", "null"},
    {"YTitle", "null"},
    {"XAxis", "null"},
    {"YAxis", "null"},
    {"Legend", "null"},
    {"YSplit", "null"},
    {"Accumulate", "false"},
    {"IsQuerySorted", "false"},
    {"Kind", "null"},
    {"Ymin", "\"NaN\""},
    {"Ymax", "\"NaN\""},
    {"Xmin", "null"},
    {"Xmax", "null"},
}};

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; }) &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

void write_property(JsonWriter& out, std::string_view name, std::string_view text) {
  if (name == "Accumulate") {
    out.value(equal_ignoring_case(text, "true"));
  } else if ((name.ends_with("min") || name.ends_with("max")) && is_number(text)) {
    out.raw(text);
  } else {
    out.value(text);
  }
}

/// nullptr: the query does not say it.
const std::string* find(const kql::RenderHint* hint, std::string_view property) {
  if (hint == nullptr) return nullptr;
  for (const auto& [name, text] : hint->properties) {
    if (equal_ignoring_case(name, property)) return &text;
  }
  return nullptr;
}

std::string spelled(std::string_view name, RenderNames names) {
  std::string out(name);
  if (names == RenderNames::log_analytics) out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

}  // namespace

std::string render_json(const kql::Plan* plan, RenderNames names, const char* none) {
  const kql::RenderHint* hint = plan != nullptr && plan->render ? &*plan->render : nullptr;
  JsonWriter out;
  out.begin_object().key(spelled("Visualization", names));
  hint != nullptr ? out.value(hint->chart) : out.raw(none);
  for (const Property& property : kProperties) {
    out.key(spelled(property.name, names));
    const std::string* said = find(hint, property.name);
    said != nullptr ? write_property(out, property.name, *said) : static_cast<void>(out.raw(property.otherwise));
  }
  return out.end_object().take();
}

}  // namespace picket::api
