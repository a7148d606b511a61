#include <algorithm>
#include <string>
#include <unordered_map>

#include "message/event_table.h"

namespace picket::message {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_folded(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

EventKind find_event(std::string_view name) {
  static const auto kinds = [] {
    std::unordered_map<std::string_view, EventKind> map;
    for (const EventInfo& event : all_events()) {
      if (!event.name.empty()) map.emplace(event.name, event.kind);
    }
    return map;
  }();
  const auto found = kinds.find(name);
  return found == kinds.end() ? EventKind::Unknown : found->second;
}

std::optional<Field> find_field(std::string_view name) {
  static const auto fields = [] {
    std::unordered_map<std::string_view, Field> map;
    for (const FieldInfo& field : all_fields()) map.emplace(field.name, field.field);
    return map;
  }();
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> column_of(Table table, Field field) {
  const auto columns = info(table).columns;
  const auto found = std::ranges::lower_bound(columns, field);  // the generator sorts columns, and fields, by name
  if (found == columns.end() || *found != field) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

const KeyInfo* find_sigma(EventKind kind, std::string_view sigma) {
  for (const KeyInfo& key : info(kind).keys) {
    if (!key.sigma.empty() && equal_folded(key.sigma, sigma)) return &key;
  }
  return nullptr;
}

}  // namespace picket::message
