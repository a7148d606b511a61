#include "hub/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/core/json_writer.h"

namespace picket::hub {
namespace {

// Where the key stands or would stand.
auto place(auto& members, std::string_view key) {
  return std::ranges::lower_bound(members, key, {},
                                  [](const JsonMember& member) -> std::string_view { return member.key; });
}

}  // namespace

double JsonNumber::value() const {
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  // Out of range: from_chars leaves it alone; the sign and the exponent's sign say where it lies.
  if (error == std::errc::result_out_of_range) {
    const bool tiny = text.find("e-") != std::string::npos || text.find("E-") != std::string::npos ||
                      text.starts_with("0.") || text.starts_with("-0.");
    out = tiny ? 0.0 : HUGE_VAL;
    if (text.starts_with('-')) out = -out;
  }
  return out;
}

bool JsonNumber::is_integer() const { return text.find_first_of(".eE") == std::string::npos; }

const JsonValue* JsonObject::find(std::string_view key) const {
  const auto at = place(members_, key);
  return at != members_.end() && at->key == key ? &at->value : nullptr;
}

JsonValue* JsonObject::find(std::string_view key) {
  const auto at = place(members_, key);
  return at != members_.end() && at->key == key ? &at->value : nullptr;
}

JsonValue& JsonObject::set(std::string_view key, JsonValue value) {
  const auto at = place(members_, key);
  if (at != members_.end() && at->key == key) {
    at->value = std::move(value);
    return at->value;
  }
  return members_.insert(at, JsonMember{std::string(key), std::move(value)})->value;
}

bool JsonObject::erase(std::string_view key) {
  const auto at = place(members_, key);
  if (at == members_.end() || at->key != key) return false;
  members_.erase(at);
  return true;
}

bool JsonObject::empty() const { return members_.empty(); }
std::size_t JsonObject::size() const { return members_.size(); }

bool JsonObject::assign(Members members) {
  std::ranges::sort(members, {}, &JsonMember::key);
  if (std::ranges::adjacent_find(members, {}, &JsonMember::key) != members.end()) return false;
  members_ = std::move(members);
  return true;
}

JsonValue::JsonValue() = default;
JsonValue::JsonValue(bool value) : value_(value) {}
JsonValue::JsonValue(std::string value) : value_(std::move(value)) {}
JsonValue::JsonValue(std::string_view value) : value_(std::string(value)) {}
JsonValue::JsonValue(const char* value) : value_(std::string(value)) {}
JsonValue::JsonValue(JsonNumber value) : value_(std::move(value)) {}
JsonValue::JsonValue(std::int64_t value) : value_(JsonNumber{std::to_string(value)}) {}
JsonValue::JsonValue(std::uint64_t value) : value_(JsonNumber{std::to_string(value)}) {}
JsonValue::JsonValue(int value) : JsonValue(std::int64_t{value}) {}
JsonValue::JsonValue(double value) {
  if (!std::isfinite(value)) return;
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  value_ = JsonNumber{std::string(text, end)};
}
JsonValue::JsonValue(JsonArray value) : value_(std::move(value)) {}
JsonValue::JsonValue(JsonObject value) : value_(std::move(value)) {}
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::find(std::string_view key) const {
  const JsonObject* members = object();
  return members == nullptr ? nullptr : members->find(key);
}

std::string_view JsonValue::text_of(std::string_view key) const {
  const JsonValue* member = find(key);
  const std::string* text = member == nullptr ? nullptr : member->string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> JsonValue::integer_of(std::string_view key) const {
  const JsonValue* member = find(key);
  const JsonNumber* number = member == nullptr ? nullptr : member->number();
  if (number == nullptr) return std::nullopt;
  std::int64_t out = 0;
  const char* const end = number->text.data() + number->text.size();
  const auto [at, error] = std::from_chars(number->text.data(), end, out);
  if (error != std::errc() || at != end) return std::nullopt;
  return out;
}

std::string JsonValue::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

void JsonValue::append_to(std::string& out) const {
  if (is_null()) {
    out += "null";
  } else if (const bool* flag = boolean()) {
    out += *flag ? "true" : "false";
  } else if (const JsonNumber* digits = number()) {
    out += digits->text;
  } else if (const std::string* text = string()) {
    append_json_string(out, *text);
  } else if (const JsonArray* items = array()) {
    out += '[';
    for (const JsonValue& item : *items) {
      if (&item != items->data()) out += ',';
      item.append_to(out);
    }
    out += ']';
  } else if (const JsonObject* fields = object()) {
    out += '{';
    for (const JsonMember& member : fields->members()) {
      if (&member != fields->members().data()) out += ',';
      append_json_string(out, member.key);
      out += ':';
      member.value.append_to(out);
    }
    out += '}';
  }
}

bool operator==(const JsonValue& a, const JsonValue& b) {
  if (a.value_.index() != b.value_.index()) return false;
  if (const auto* text = a.string()) return *text == *b.string();
  if (const auto* number = a.number()) return *number == *b.number();
  if (const auto* flag = a.boolean()) return *flag == *b.boolean();
  if (const auto* items = a.array()) return *items == *b.array();
  if (const auto* fields = a.object()) return fields->members() == b.object()->members();
  return true;
}

std::string explain_json(const Error& error) {
  if (error.where == "json.size") return "It is larger than " + std::to_string(error.offset) + " bytes.";
  if (error.where == "json.depth") return "It is nested deeper than " + std::to_string(error.offset) + " levels.";
  if (error.where == "json.duplicate") return "A key stands twice in one object.";
  return "It is not valid JSON at byte " + std::to_string(error.offset) + ".";
}

}  // namespace picket::hub
