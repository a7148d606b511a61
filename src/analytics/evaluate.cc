#include "analytics/evaluate.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <optional>
#include <set>

#include <boost/json.hpp>

#include "base/core/hash.h"
#include "base/core/json_writer.h"
#include "duration.h"

namespace picket::analytics {
namespace {

namespace json = boost::json;

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

constexpr std::size_t kNameCharactersMax = 256;
constexpr std::size_t kDescriptionCharactersMax = 5'000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// At most `max` bytes, whole characters.
std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
  return text;
}

/// Rows [begin, end) of a table, by column name.
struct Slice {
  const Table& table;
  std::size_t begin;
  std::size_t end;

  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const {
    const auto found = std::ranges::find(table.columns, name);
    if (found == table.columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - table.columns.begin());
  }
  [[nodiscard]] const std::string& at(std::size_t row, std::string_view name) const {
    static const std::string none;
    const auto index = column(name);
    return index ? table.rows[row][*index] : none;
  }
  /// Of the first row.
  [[nodiscard]] const std::string& first(std::string_view name) const {
    static const std::string none;
    return begin < end ? at(begin, name) : none;
  }
};

/// {{Column}} replaced by the first row's value; an unknown column stays as it is.
std::string filled(std::string_view format, const Slice& rows) {
  std::string out;
  while (!format.empty()) {
    const std::size_t open = std::min(format.find("{{"), format.size());
    out += format.substr(0, open);
    format.remove_prefix(open);
    const std::size_t close = format.find("}}");
    if (format.empty() || close == std::string_view::npos) break;
    std::string_view name = format.substr(2, close - 2);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (rows.column(name)) {
      out += rows.first(name);
    } else {
      out += format.substr(0, close + 2);
    }
    format.remove_prefix(close + 2);
  }
  return out + std::string(format);
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// "a, b" or a JSON list.
std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> out;
  boost::system::error_code failed;
  const json::value parsed = json::parse({text.data(), text.size()}, failed);
  if (!failed && parsed.is_array()) {
    for (const json::value& one : parsed.get_array()) out.push_back(text_of(one));
    return out;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) out.emplace_back(one);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void add(std::set<Entity>& to, Entity entity) {
  if (!entity.members.empty() && to.size() < kEntitiesMax) to.insert(std::move(entity));
}

/// Entities that stand in a column as JSON, as in SecurityAlert.Entities.
void add_json_entities(std::set<Entity>& to, const std::string& text) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(text, failed);
  if (failed || !parsed.is_array()) return;
  for (const json::value& one : parsed.get_array()) {
    if (!one.is_object()) continue;
    Entity entity;
    for (const auto& member : one.get_object()) {
      if (member.key() == "Type")
        entity.type = lower(text_of(member.value()));
      else if (!member.key().starts_with("$") && !member.value().is_object() && !member.value().is_array())
        entity.members.emplace_back(member.key(), text_of(member.value()));
    }
    if (!entity.type.empty()) add(to, std::move(entity));
  }
}

std::vector<Entity> entities_of(const Rule& rule, const Slice& rows) {
  std::set<Entity> found;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    for (const EntityMapping& mapping : rule.entities) {
      Entity entity{lower(mapping.type), {}};
      for (const auto& [identifier, column] : mapping.fields) {
        const std::string& value = rows.at(row, column);
        if (!value.empty()) entity.members.emplace_back(identifier, value);
      }
      add(found, std::move(entity));
    }
    for (const std::string& column : rule.entity_columns) add_json_entities(found, rows.at(row, column));
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> distinct(const Slice& rows, std::string_view column) {
  std::vector<std::string> out;
  for (std::size_t row = rows.begin; row < rows.end && out.size() < kDetailValuesMax; ++row) {
    const std::string& value = rows.at(row, column);
    if (!value.empty() && !contains(out, value)) out.push_back(value);
  }
  return out;
}

std::string custom_details(const Rule& rule, const Slice& rows) {
  JsonWriter out;
  out.begin_object();
  for (const auto& [label, column] : rule.custom_details) {
    out.key(label).begin_array();
    for (const std::string& value : distinct(rows, column)) out.value(value);
    out.end_array();
  }
  return out.end_object().take();
}

bool is_severity(std::string_view text) {
  return text == "Informational" || text == "Low" || text == "Medium" || text == "High";
}

void apply_overrides(const Rule& rule, const Slice& rows, Alert& alert) {
  const Overrides& overrides = rule.overrides;
  if (!overrides.name_format.empty()) alert.name = cut(filled(overrides.name_format, rows), kNameCharactersMax);
  if (!overrides.description_format.empty())
    alert.description = cut(filled(overrides.description_format, rows), kDescriptionCharactersMax);
  if (const std::string& severity = rows.first(overrides.severity_column); is_severity(severity))
    alert.severity = severity;
  if (const std::string& tactics = rows.first(overrides.tactics_column); !tactics.empty())
    alert.tactics = list_of(tactics);
  for (const auto& [property, column] : overrides.properties) {
    const std::string& value = rows.first(column);
    if (value.empty()) continue;
    if (property == "AlertLink")
      alert.link = value;
    else if (property == "ProductName")
      alert.product_name = value;
    else if (property == "ProviderName")
      alert.provider_name = value;
    else if (property == "ProductComponentName")
      alert.product_component = value;
    else if (property == "RemediationSteps")
      alert.remediation = list_of(value);
    else if (property == "Techniques")
      alert.techniques = list_of(value);
    else if (property == "SubTechniques")
      alert.sub_techniques = list_of(value);
    else
      alert.properties.emplace_back(property, value);
  }
}

/// Earliest and latest time of the rows, else the window.
void set_times(const Slice& rows, const Window& window, Alert& alert) {
  alert.start = window.start;
  alert.end = window.end;
  bool any = false;
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    const auto time = parse_rfc3339(rows.at(row, "TimeGenerated"));
    if (!time) continue;
    alert.start = any ? std::min(alert.start, *time) : *time;
    alert.end = any ? std::max(alert.end, *time) : *time;
    any = true;
  }
}

std::string hash_of(std::string_view text) {
  char hex[17] = {};
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a64(as_bytes(text))));
  return hex;
}

/// Tells a row from the others of its run, and is the same when the run is repeated.
std::string row_key(const std::vector<std::string>& row) {
  std::string text;
  for (const std::string& cell : row) text += std::to_string(cell.size()) + ":" + cell;
  return hash_of(text);
}

std::string group_key(const Rule& rule, const Alert& alert, const Slice& rows) {
  const Incidents& incidents = rule.incidents;
  if (!incidents.create) return {};
  std::string text = rule.id;
  const auto put = [&text](std::string_view part) { text += "\n" + std::string(part); };
  if (!incidents.group) {
    put(alert.key);
    put(format_rfc3339(alert.end));
    return hash_of(text);
  }
  if (incidents.matching == Incidents::Matching::any_alert) return hash_of(text);
  const bool all = incidents.matching == Incidents::Matching::all_entities;
  for (const Entity& entity : alert.entities) {
    const bool wanted = all || std::ranges::any_of(incidents.by_entities,
                                                   [&](const std::string& type) { return lower(type) == entity.type; });
    if (!wanted) continue;
    put(entity.type);
    for (const auto& [name, value] : entity.members) put(name + "=" + value);
  }
  if (all) return hash_of(text);
  for (const std::string& detail : incidents.by_details) put(lower(detail) == "severity" ? alert.severity : alert.name);
  for (const auto& [label, column] : rule.custom_details) {
    if (!contains(incidents.by_custom, label)) continue;
    for (const std::string& value : distinct(rows, column)) put(label + "=" + value);
  }
  return hash_of(text);
}

/// The device, if all rows name the same.
std::string device_of(const Slice& rows) {
  const std::string& first = rows.first("DeviceId");
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    if (rows.at(row, "DeviceId") != first) return {};
  }
  return first;
}

Alert alert_of(const Rule& rule, const Slice& rows, const Window& window, std::string key, std::int64_t total) {
  Alert out{.key = std::move(key),
            .name = rule.name,
            .description = rule.description,
            .severity = rule.severity,
            .tactics = rule.tactics,
            .techniques = rule.techniques,
            .sub_techniques = rule.sub_techniques,
            .product_name = "Azure Sentinel",
            .provider_name = "ASI Scheduled Alerts",
            .product_component = "Scheduled Alerts"};
  out.entities = entities_of(rule, rows);
  out.device_id = device_of(rows);
  out.rows = rows.end - rows.begin;
  set_times(rows, window, out);
  constexpr const char* kOperators[] = {"GreaterThan", "LessThan", "Equal", "NotEqual"};
  out.properties = {{"Query", rule.query},
                    {"Query Period", duration_text(rule.period)},
                    {"Trigger Operator", kOperators[static_cast<std::size_t>(rule.trigger)]},
                    {"Trigger Threshold", std::to_string(rule.threshold)},
                    {"Search Query Results Overall Count", std::to_string(total)},
                    {"Query Start Time UTC", format_rfc3339(window.start)},
                    {"Query End Time UTC", format_rfc3339(window.end)},
                    {"Analytic Rule Ids", "[\"" + rule.id + "\"]"},
                    {"Analytic Rule Name", rule.name},
                    {"Event Grouping", rule.alert_per_result ? "AlertPerResult" : "SingleAlert"},
                    {"Custom Details", custom_details(rule, rows)}};
  if (!out.device_id.empty()) out.properties.emplace_back("DeviceId", out.device_id);
  apply_overrides(rule, rows, out);
  out.group_key = group_key(rule, out, rows);
  return out;
}

}  // namespace

bool fires(const Rule& rule, std::int64_t rows) {
  switch (rule.trigger) {
    case Trigger::greater:
      return rows > rule.threshold;
    case Trigger::less:
      return rows < rule.threshold;
    case Trigger::equal:
      return rows == rule.threshold;
    case Trigger::not_equal:
      return rows != rule.threshold;
  }
  return false;
}

std::vector<Alert> evaluate(const Rule& rule, const Table& table, const Window& window) {
  const std::int64_t total = std::max(table.rows_total, static_cast<std::int64_t>(table.rows.size()));
  if (!fires(rule, total)) return {};
  std::vector<Alert> out;
  if (!rule.alert_per_result || table.rows.empty()) {
    out.push_back(alert_of(rule, {table, 0, table.rows.size()}, window, "", total));
    return out;
  }
  std::map<std::string, int> seen;  // rows that are equal are still two
  for (std::size_t row = 0; row < std::min(table.rows.size(), kAlertsMax); ++row) {
    std::string key = row_key(table.rows[row]);
    if (const int times = seen[key]++; times > 0) key += "-" + std::to_string(times);
    out.push_back(alert_of(rule, {table, row, row + 1}, window, std::move(key), total));
  }
  return out;
}

// Of each group: incident, time of its last alert, its last change, its alerts.
IncidentMemory::IncidentMemory(std::string_view text) {
  boost::system::error_code failed;
  const json::value parsed = json::parse({text.data(), text.size()}, failed);
  if (failed || !parsed.is_object()) return;
  for (const auto& one : parsed.get_object()) {
    if (!one.value().is_array() || one.value().get_array().size() != 4) continue;
    const json::array& group = one.value().get_array();
    if (!group[0].is_string() || !group[1].is_int64() || !group[2].is_int64() || !group[3].is_int64()) continue;
    groups_[std::string(one.key())] = {std::string(group[0].get_string()),
                                       {group[1].get_int64()},
                                       static_cast<std::uint32_t>(group[2].get_int64()),
                                       static_cast<std::uint32_t>(group[3].get_int64())};
  }
}

Placement IncidentMemory::place(const Rule& rule, const Alert& alert, Timestamp now, const IsClosed& is_closed) {
  if (alert.group_key.empty()) return {};
  std::erase_if(groups_, [&](const auto& one) { return now - one.second.last > rule.incidents.lookback; });
  const std::string fresh = alert.group_key + "@" + std::to_string(now.us);
  const auto found = groups_.find(alert.group_key);
  if (found == groups_.end()) {
    if (rule.incidents.group && groups_.size() < kGroupsMax) groups_[alert.group_key] = {fresh, now, 0, 1};
    return {fresh, true};
  }
  Group& group = found->second;
  const bool full = group.alerts >= kAlertsMax;
  if (full || (!rule.incidents.reopen && is_closed(group.incident))) {
    // One run may fill several.
    group = {group.incident.starts_with(fresh) ? group.incident + "+" : fresh, now, 0, 1};
    return {group.incident, true};
  }
  group.last = now;
  ++group.alerts;
  return {group.incident, false, group.change};
}

void IncidentMemory::note(std::string_view incident, std::uint32_t change) {
  for (auto& [key, group] : groups_) {
    if (group.incident == incident) group.change = change;
  }
}

std::string IncidentMemory::to_text() const {
  JsonWriter out;
  out.begin_object();
  for (const auto& [key, group] : groups_) {
    out.key(key).begin_array().value(group.incident).value(group.last.us);
    out.value(std::uint64_t{group.change}).value(std::uint64_t{group.alerts}).end_array();
  }
  return out.end_object().take();
}

}  // namespace picket::analytics
