#include "configuration_content.h"

#include <algorithm>

#include <fmt/format.h>

#include "hub/query.h"
#include "hub/twin_document.h"

namespace picket::hub {
namespace {

constexpr std::string_view kDesired = "properties.desired";

std::vector<std::string_view> steps_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    out.push_back(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return out;
}

void flatten(const std::string& path, const JsonValue& value, DesiredLeaves& out) {
  const JsonObject* const object = value.object();
  if (object == nullptr || (object->empty() && !path.empty())) {
    out[path] = value;
    return;
  }
  for (const JsonMember& member : object->members()) {
    flatten(path.empty() ? member.key : path + "." + member.key, member.value, out);
  }
}

void set_path(JsonObject& root, std::string_view path, JsonValue value) {
  const auto steps = steps_of(path);
  JsonObject* at = &root;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    JsonValue* next = at->find(steps[i]);
    if (next == nullptr || next->object() == nullptr) next = &at->set(steps[i], JsonObject());
    at = next->object();
  }
  at->set(steps.back(), std::move(value));
}

const JsonValue* at_path(const JsonObject& root, std::string_view path) {
  const JsonObject* at = &root;
  const auto steps = steps_of(path);
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const JsonValue* const next = at->find(steps[i]);
    if (next == nullptr || next->object() == nullptr) return nullptr;
    at = next->object();
  }
  return at->find(steps.back());
}

HubResult<> read_setting(const JsonMember& member, DesiredLeaves& out) {
  const std::string_view key = member.key;
  const bool whole = key == kDesired;
  if (!whole && !(key.starts_with(kDesired) && key.size() > kDesired.size() + 1 && key[kDesired.size()] == '.')) {
    return hub_fail(
        kArgumentInvalid,
        fmt::format(
            "content: '{}' must be properties.desired, or a path below it such as properties.desired.collectors.",
            key.substr(0, 100)));
  }
  const std::string path(whole ? "" : key.substr(kDesired.size() + 1));
  if (path.empty() && member.value.object() == nullptr) {
    return hub_fail(kArgumentInvalid, "content: the value of properties.desired must be a JSON object.");
  }
  if (path.starts_with('.') || path.ends_with('.') || path.contains("..")) {
    return hub_fail(kArgumentInvalid, fmt::format("content: the path '{}' has an empty step.", key.substr(0, 100)));
  }
  flatten(path, member.value, out);
  if (out.size() > kConfigurationLeavesMax) {
    return hub_fail(kTooLarge, "content: a configuration sets at most 1000 values of one twin.");
  }
  return {};
}

HubResult<> read_settings(const JsonValue& settings, std::string_view where, DesiredLeaves& out) {
  if (settings.object() == nullptr)
    return hub_fail(kArgumentInvalid, fmt::format("content.{} must be a JSON object.", where));
  for (const JsonMember& member : settings.object()->members()) {
    if (auto read = read_setting(member, out); !read) return read;
  }
  TwinPart scratch;
  return patch_part(scratch, desired_object(out), TwinSection::desired, {});
}

bool takes_case(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a & ~0x20) : a) == b;
         });
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' || text.front() == '\r'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool is_below(std::string_view path, std::string_view above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '.';
}

// Whether a wanted value stands at, above or below the path: then nothing needs
// to be removed there.
bool is_covered(const std::map<std::string, state::ConfigurationValue>& wanted, const std::string& path) {
  return std::ranges::any_of(wanted, [&](const auto& entry) {
    return entry.first == path || is_below(entry.first, path) || is_below(path, entry.first);
  });
}

void erase_path(JsonObject& root, std::string_view path) {
  JsonObject* at = &root;
  const auto steps = steps_of(path);
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    JsonValue* const next = at->find(steps[i]);
    if (next == nullptr || next->object() == nullptr) return;
    at = next->object();
  }
  at->erase(steps.back());
}

// Objects that hold nothing any more, because all that configurations had put
// there goes, go as well.
void prune(JsonObject& patch, const std::vector<std::string>& removed, const JsonObject& desired) {
  TwinPart after{.value = desired};
  if (!patch_part(after, patch, TwinSection::desired, {})) return;
  for (std::string path : removed) {
    for (std::size_t dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.')) {
      path.resize(dot);
      const JsonValue* const parent = at_path(after.value, path);
      if (parent == nullptr || parent->object() == nullptr || !parent->object()->empty()) break;
      set_path(patch, path, JsonValue());
      erase_path(after.value, path);
    }
  }
}

}  // namespace

bool TargetCondition::matches(const JsonValue& twin) const {
  return all || (condition && condition->evaluate(DocumentResolver(twin)));
}

bool TargetCondition::reads_reported() const {
  if (!condition) return false;
  return std::ranges::any_of(condition->paths(), [](const FieldPath& path) {
    // "properties" alone or with an index: cautious.
    return path.steps[0].name.size() == std::string_view("properties").size() &&
           !(path.steps.size() > 1 && path.steps[1].name == "desired");
  });
}

HubResult<TargetCondition> parse_target_condition(std::string_view text) {
  text = trimmed(text);
  TargetCondition out;
  if (takes_case(text, "FROM ")) {
    auto query = Query::compile("SELECT * " + std::string(text));
    if (!query) return std::unexpected(HubError{query.error().code, "targetCondition: " + query.error().message});
    if (query->source == QuerySource::jobs)
      return hub_fail(kArgumentInvalid, "targetCondition: devices or devices.modules, not jobs.");
    out.scope = query->source == QuerySource::modules ? TargetScope::modules : TargetScope::devices;
    out.condition = query->where;
    out.all = !out.condition;
    return out;
  }
  if (text == "*") out.all = true;
  if (text == "*" || text.empty()) return out;
  auto condition = Condition::compile(text, Dialect::twins);
  if (!condition)
    return std::unexpected(HubError{condition.error().code, "targetCondition: " + condition.error().message});
  out.condition = *std::move(condition);
  return out;
}

HubResult<ConfigurationContent> parse_configuration_content(const JsonValue* content) {
  ConfigurationContent out;
  if (content == nullptr || content->is_null()) return out;
  if (content->object() == nullptr) return hub_fail(kArgumentInvalid, "content must be a JSON object.");
  const auto given = [&](std::string_view key) {
    const JsonValue* const value = content->find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  };
  if (const JsonValue* const device = given("deviceContent")) {
    if (auto read = read_settings(*device, "deviceContent", out.device); !read) return std::unexpected(read.error());
  }
  if (const JsonValue* const module = given("moduleContent")) {
    if (auto read = read_settings(*module, "moduleContent", out.module); !read) return std::unexpected(read.error());
  }
  if (const JsonValue* const modules = given("modulesContent")) {
    if (modules->object() == nullptr)
      return hub_fail(kArgumentInvalid, "content.modulesContent must be a JSON object.");
    if (modules->object()->size() > 50)
      return hub_fail(kTooLarge, "content.modulesContent names more than 50 modules.");
    for (const JsonMember& member : modules->object()->members()) {
      const std::string where = "modulesContent." + member.key.substr(0, 100);
      if (auto read = read_settings(member.value, where, out.modules[member.key]); !read)
        return std::unexpected(read.error());
    }
  }
  if (!out.module.empty() && (!out.device.empty() || !out.modules.empty())) {
    return hub_fail(
        kArgumentInvalid,
        "content: moduleContent cannot stand beside deviceContent or modulesContent; make two configurations.");
  }
  return out;
}

JsonObject desired_object(const DesiredLeaves& leaves) {
  JsonObject out;
  for (const auto& [path, value] : leaves) set_path(out, path, value);
  return out;
}

void sort_by_priority(std::vector<CompiledConfiguration>& configurations) {
  std::ranges::sort(configurations, [](const CompiledConfiguration& a, const CompiledConfiguration& b) {
    return std::tuple(-a.priority, -a.created.us, a.id) < std::tuple(-b.priority, -b.created.us, b.id);
  });
}

bool WantedValues::is_free(const std::string& path) const {
  const auto at = values_.lower_bound(path);
  if (at != values_.end() && at->first == path) return false;
  const auto below = values_.lower_bound(path + ".");
  if (below != values_.end() && is_below(below->first, path)) return false;
  for (std::size_t dot = path.rfind('.'); dot != std::string::npos;
       dot = dot == 0 ? std::string::npos : path.rfind('.', dot - 1)) {
    if (values_.contains(path.substr(0, dot))) return false;
  }
  return true;
}

bool WantedValues::add(const std::string& configuration, const DesiredLeaves& leaves) {
  bool taken = false;
  for (const auto& [path, value] : leaves) {
    if (!is_free(path)) continue;
    values_[path] = {configuration, value.to_string()};
    taken = true;
  }
  return taken;
}

JsonObject reconciling_patch(const std::map<std::string, state::ConfigurationValue>& wanted,
                             const std::map<std::string, state::ConfigurationValue>& recorded,
                             const JsonObject& desired) {
  JsonObject patch;
  for (const auto& [path, value] : wanted) {
    const JsonValue* const now = at_path(desired, path);
    const std::string text = now == nullptr ? "null" : now->to_string();
    const bool empty_object = value.value == "{}" && now != nullptr && now->object() != nullptr;
    if (text == value.value || empty_object) continue;
    if (auto parsed = parse_json(value.value)) set_path(patch, path, *std::move(parsed));
  }
  std::vector<std::string> removed;
  for (const auto& [path, value] : recorded) {
    const JsonValue* const now = at_path(desired, path);
    if (now == nullptr || value.value != now->to_string() || is_covered(wanted, path)) continue;
    set_path(patch, path, JsonValue());
    removed.push_back(path);
  }
  if (!removed.empty()) prune(patch, removed, desired);
  return patch;
}

}  // namespace picket::hub
