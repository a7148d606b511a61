// Bags: members with names.
#include <algorithm>
#include <set>

#include "contains.h"
#include "kql/native_dynamic.h"
#include "kql/native_functions.h"
#include "native_json.h"

namespace picket::kql {

namespace {

const std::string_view* find_key(const JsonMembers& members, std::string_view key) {
  const auto found = std::ranges::find(members, key, &JsonMembers::value_type::first);
  return found == members.end() ? nullptr : &found->second;
}

void set_member(JsonMembers& members, std::string key, std::string_view value) {
  const auto found = std::ranges::find(members, key, &JsonMembers::value_type::first);
  if (found != members.end()) {
    found->second = value;
  } else {
    members.emplace_back(std::move(key), value);
  }
}

constexpr int kTreeDepthMax = 32;

void tree(std::string_view value, const std::string& at, int depth, std::vector<std::string>& out) {
  if (depth > kTreeDepthMax) return;
  const auto add = [&](const std::string& path) {
    auto text = json_text(path);
    if (!contains(out, text)) out.push_back(std::move(text));
  };
  if (const auto members = json_members(value)) {
    for (const auto& [key, inner] : *members) {
      const auto path = at + "['" + key + "']";
      add(path);
      tree(inner, path, depth + 1, out);
    }
  } else if (const auto items = json_items(value)) {
    const auto path = at + "[0]";
    if (!items->empty()) add(path);
    for (const auto item : *items) tree(item, path, depth + 1, out);
  }
}

}  // namespace

std::optional<bool> bag_has_key(std::string_view bag, std::string_view key) {
  auto members = json_members(bag);
  if (!members) return std::nullopt;
  if (!key.starts_with("$")) return find_key(*members, key) != nullptr;
  // A path: $.a.b or $['a']['b'].
  key.remove_prefix(1);
  while (!key.empty()) {
    std::string step;
    if (key.front() == '.') {
      key.remove_prefix(1);
      step = key.substr(0, key.find_first_of(".["));
      key.remove_prefix(step.size());
    } else if (key.starts_with("['")) {
      const auto end = key.find("']");
      if (end == std::string_view::npos) return false;
      step = key.substr(2, end - 2);
      key.remove_prefix(end + 2);
    } else {
      return false;
    }
    if (!members) return false;
    const auto* inner = find_key(*members, step);
    if (inner == nullptr) return false;
    members = json_members(std::string_view(*inner));
  }
  return true;
}

std::optional<std::string> bag_merge(std::string_view a, std::string_view b) {
  auto x = json_members(a);
  const auto y = json_members(b);
  if (!x && !y) return std::nullopt;
  if (!x) return json_object(*y);
  if (y) {
    for (const auto& [key, value] : *y) {
      if (find_key(*x, key) == nullptr) x->emplace_back(key, value);
    }
  }
  return json_object(*x);
}

namespace {

/// The bag without what the keys of a path lead to.
std::string without(std::string_view bag, std::string_view path) {
  auto members = json_members(bag);
  if (!members || !path.starts_with('.')) return std::string(bag);
  const auto key = path.substr(1, path.find('.', 1) - 1);
  const auto rest = path.substr(key.size() + 1);
  std::string inner;
  for (auto member = members->begin(); member != members->end(); ++member) {
    if (member->first != key) continue;
    if (rest.empty()) {
      members->erase(member);
    } else {
      inner = without(member->second, rest);
      member->second = inner;
    }
    break;
  }
  return json_object(*members);
}

}  // namespace

std::optional<std::string> bag_remove_keys(std::string_view bag, std::string_view keys) {
  auto members = json_members(bag);
  const auto unwanted = json_items(keys);
  if (!members || !unwanted) return std::nullopt;
  std::string out = json_object(*members);
  for (const auto key : *unwanted) {
    const auto text = dynamic_text(key);
    if (text.starts_with("$.")) {
      if (text.contains('[')) return std::nullopt;
      out = without(out, std::string_view(text).substr(1));
      continue;
    }
    members = json_members(out);
    std::erase_if(*members, [&](const auto& member) { return member.first == text; });
    out = json_object(*members);
  }
  return out;
}

std::optional<std::string> bag_set_key(std::string_view bag, std::string_view key, std::string_view value) {
  auto members = json_members(bag);
  if (!members || key.starts_with("$")) return std::nullopt;
  set_member(*members, std::string(key), value);
  return json_object(*members);
}

std::optional<std::string> bag_zip(std::string_view keys, std::string_view values) {
  const auto names = json_items(keys);
  const auto items = json_items(values);
  if (!names || !items) return std::nullopt;
  JsonMembers out;
  for (std::size_t i = 0; i < names->size(); ++i) {
    if (!json_is_text((*names)[i])) continue;
    set_member(out, dynamic_text((*names)[i]), i < items->size() ? (*items)[i] : std::string_view("null"));
  }
  return json_object(out);
}

std::string bag_of_pairs(std::string_view pairs) {
  const auto items = json_items(pairs).value_or(JsonItems());
  JsonMembers out;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) set_member(out, dynamic_text(items[i]), items[i + 1]);
  return json_object(out);
}

std::string bag_of_pairs_not_empty(std::string_view pairs) {
  const auto items = json_items(pairs).value_or(JsonItems());
  JsonMembers out;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i + 1] != "null" && items[i + 1] != "\"\"") set_member(out, dynamic_text(items[i]), items[i + 1]);
  }
  return json_object(out);
}

std::string make_bag(std::string_view bags) {
  JsonMembers out;
  std::set<std::string, std::less<>> seen;
  for (const auto bag : json_items(bags).value_or(JsonItems())) {
    for (auto& [key, value] : json_members(bag).value_or(JsonMembers())) {
      if (seen.insert(key).second) out.emplace_back(key, value);
    }
  }
  return json_object(out);
}

std::optional<std::string> treepath(std::string_view value) {
  if (!json_members(value)) return std::nullopt;
  std::vector<std::string> out;
  tree(value, "", 0, out);
  return json_array(out);
}

std::string bag_entries(std::string_view value, bool as_pairs) {
  const auto members = json_members(value);
  if (!members) return json_items(value) ? std::string(value) : json_array(JsonItems{value});
  std::vector<std::string> out;
  for (const auto& [key, inner] : *members) {
    out.push_back(as_pairs ? "[" + json_text(key) + "," + std::string(inner) + "]" : json_object({{key, inner}}));
  }
  return json_array(out);
}

std::string bag_schema(std::string_view bag) {
  std::vector<std::string> out;
  for (const auto& [key, value] : json_members(bag).value_or(JsonMembers())) {
    auto type = json_type_name(value);
    if (type == "null") continue;
    if (type == "double") type = "real";
    if (type == "array" || type == "dictionary") type = "dynamic";
    out.push_back(json_text(type + ":" + key));
  }
  return json_array(out);
}

std::string json_type_name(std::string_view value) {
  if (json_is_null(value)) return "null";
  if (json_is_text(value)) return "string";
  if (json_items(value)) return "array";
  if (json_members(value)) return "dictionary";
  if (value == "true" || value == "false") return "bool";
  return value.find_first_of(".eE") == std::string_view::npos ? "long" : "double";
}

}  // namespace picket::kql
