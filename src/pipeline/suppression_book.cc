#include "suppression_book.h"

#include <algorithm>

namespace picket::pipeline {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, fold, fold);
}

bool has_entity(const Suppression& rule, const Finding& finding) {
  return std::ranges::any_of(finding.entities, [&](const Entity& entity) {
    if (!rule.entity_type.empty() && !same_text(rule.entity_type, entity.type)) return false;
    return std::ranges::any_of(entity.members,
                               [&](const auto& member) { return glob_match(rule.entity_value, member.second); });
  });
}

bool has_field(const Suppression& rule, const Finding& finding) {
  return std::ranges::any_of(finding.properties, [&](const auto& property) {
    return same_text(rule.field_name, property.first) && glob_match(rule.field_value, property.second);
  });
}

}  // namespace

bool SuppressionBook::see(const HubRecord& record) {
  if (record.kind == "suppression.delete") {
    rules_.erase(record.object);
    return true;
  }
  auto parsed = parse_suppression(record.resource);
  if (!parsed || record.object.empty()) return false;
  if (rules_.find(record.object) == nullptr && rules_.size() >= kSuppressionsMax) return false;
  parsed->id = record.object;
  rules_.touch(record.object).suppression = *std::move(parsed);
  return true;
}

std::string_view SuppressionBook::match(const Finding& finding, std::string_view type, std::string_view rule,
                                        const Identity& device, std::string_view group, Timestamp now) const {
  for (const auto& [id, entry] : rules_.entries()) {
    const Suppression& one = entry.suppression;
    if (!one.enabled || (one.expires && *one.expires <= now)) continue;
    if (!one.device.empty() && !glob_match(one.device, device.device_id)) continue;
    if (!one.group.empty() && one.group != group) continue;
    if (!one.type.empty() && !same_text(one.type, type)) continue;
    if (!one.rule.empty() && one.rule != rule) continue;
    if (!one.entity_value.empty() && !has_entity(one, finding)) continue;
    if (!one.field_name.empty() && !has_field(one, finding)) continue;
    return id;
  }
  return {};
}

Result<SuppressionBook::Rule> SuppressionBook::Rule::decode(Cursor& in) {
  TRY(const auto text, get_text(in));
  Rule out;
  TRY(out.suppression, parse_suppression(text));
  return out;
}

}  // namespace picket::pipeline
