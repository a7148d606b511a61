#include "pipeline/suppression.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/core/json_writer.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

Result<> only(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& member : object) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
      return fail(Errc::malformed, "suppression.member");
    }
  }
  return {};
}

Result<std::string> text(const json::object& object, std::string_view name, std::string_view where) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string() || value->get_string().size() > kSuppressionTextBytesMax) return fail(Errc::malformed, where);
  return std::string(value->get_string());
}

Result<const json::object*> object_of(const json::object& object, std::string_view name, std::string_view where) {
  static const json::object kNone;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return &kNone;
  if (!value->is_object()) return fail(Errc::malformed, where);
  return &value->get_object();
}

Result<> read_match(const json::object& in, Suppression& out) {
  TRY_VOID(only(in, {"device", "group", "type", "rule", "entity", "field"}));
  TRY(out.device, text(in, "device", "suppression.match.device"));
  TRY(out.group, text(in, "group", "suppression.match.group"));
  TRY(out.type, text(in, "type", "suppression.match.type"));
  TRY(out.rule, text(in, "rule", "suppression.match.rule"));
  TRY(const auto* entity, object_of(in, "entity", "suppression.match.entity"));
  TRY_VOID(only(*entity, {"type", "value"}));
  TRY(out.entity_type, text(*entity, "type", "suppression.match.entity"));
  TRY(out.entity_value, text(*entity, "value", "suppression.match.entity"));
  TRY(const auto* field, object_of(in, "field", "suppression.match.field"));
  TRY_VOID(only(*field, {"name", "value"}));
  TRY(out.field_name, text(*field, "name", "suppression.match.field"));
  TRY(out.field_value, text(*field, "value", "suppression.match.field"));
  if (out.field_name.empty() != out.field_value.empty()) return fail(Errc::malformed, "suppression.match.field");
  if (!out.entity_type.empty() && out.entity_value.empty()) return fail(Errc::malformed, "suppression.match.entity");
  const std::array<const std::string*, 6> all{&out.device, &out.group,        &out.type,
                                              &out.rule,   &out.entity_value, &out.field_name};
  const bool nothing = std::ranges::all_of(all, [](const std::string* one) { return one->empty() || *one == "*"; });
  if (nothing) return fail(Errc::malformed, "suppression.match");  // it would dismiss everything
  return {};
}

}  // namespace

Result<Suppression> parse_suppression(std::string_view body) {
  json::error_code error;
  const json::value value = json::parse({body.data(), body.size()}, error);
  if (error || !value.is_object()) return fail(Errc::malformed, "suppression.json");
  const json::object& in = value.get_object();
  TRY_VOID(only(in, {"id", "name", "reason", "match", "expires", "enabled"}));
  Suppression out;
  TRY(out.id, text(in, "id", "suppression.id"));
  TRY(out.name, text(in, "name", "suppression.name"));
  TRY(out.reason, text(in, "reason", "suppression.reason"));
  if (out.reason.empty()) return fail(Errc::malformed, "suppression.reason");
  TRY(const auto* match, object_of(in, "match", "suppression.match"));
  TRY_VOID(read_match(*match, out));
  TRY(const auto expires, text(in, "expires", "suppression.expires"));
  if (!expires.empty()) {
    const auto time = parse_rfc3339(expires);
    if (!time) return fail(Errc::malformed, "suppression.expires");
    out.expires = *time;
  }
  if (const json::value* enabled = in.if_contains("enabled"); enabled != nullptr) {
    if (!enabled->is_bool()) return fail(Errc::malformed, "suppression.enabled");
    out.enabled = enabled->get_bool();
  }
  return out;
}

std::string to_json(const Suppression& suppression) {
  JsonWriter out;
  out.begin_object().key("id").value(suppression.id).key("name").value(suppression.name);
  out.key("reason").value(suppression.reason).key("match").begin_object();
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out.key(name).value(value);
  };
  add("device", suppression.device);
  add("group", suppression.group);
  add("type", suppression.type);
  add("rule", suppression.rule);
  if (!suppression.entity_value.empty()) {
    out.key("entity").begin_object();
    add("type", suppression.entity_type);
    out.key("value").value(suppression.entity_value).end_object();
  }
  if (!suppression.field_name.empty()) {
    out.key("field").begin_object().key("name").value(suppression.field_name);
    out.key("value").value(suppression.field_value).end_object();
  }
  out.end_object();
  if (suppression.expires) out.key("expires").value(*suppression.expires);
  return out.key("enabled").value(suppression.enabled).end_object().take();
}

/// Linear: on a mismatch only the newest star takes one byte more.
bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace picket::pipeline
