#include "evidence.h"

#include <algorithm>
#include <array>
#include <span>

#include <boost/json.hpp>

#include "base/server/log.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr Duration kTimeout = Duration::seconds(5);
constexpr std::size_t kIdColumns = 3;

constexpr std::array<std::string_view, 14> kRawColumns{
    "TimeGenerated", "TimeStamp", "DeviceId",         "AssociatedResourceId", "AzureSubscriptionId", "AgentVersion",
    "IoTRawEventId", "IsEmpty",   "RawEventCategory", "RawEventName",         "RawEventType",        "EventDetails",
    "Hub",           "ModuleId"};
constexpr std::array<std::string_view, 7> kHubColumns{"TimeGenerated", "Hub",      "OperationName", "Kind",
                                                      "DeviceId",      "CallerIp", "Details"};

std::string text_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string json_of(const workspace::Cell& cell, std::string_view column) {
  JsonWriter out;
  switch (cell.kind()) {
    case workspace::Cell::Kind::null:
      return "null";
    case workspace::Cell::Kind::text:
      if (column == "EventDetails" || column == "Details") {
        json::error_code error;
        static_cast<void>(json::parse({cell.as_text().data(), cell.as_text().size()}, error));
        if (!error) return std::string(cell.as_text());
      }
      return out.value(cell.as_text()).take();
    case workspace::Cell::Kind::timestamp:
      return out.value(cell.as_timestamp()).take();
    case workspace::Cell::Kind::boolean:
      return cell.as_boolean() ? "true" : "false";
    case workspace::Cell::Kind::integer:
      return out.value(cell.as_integer()).take();
    case workspace::Cell::Kind::real:
      return std::to_string(cell.as_real());
  }
  return "null";
}

void read_table(const Call& call, std::string_view table, std::span<const std::string_view> columns,
                const std::vector<EvidenceName>& names, std::vector<RawRow>& out) {
  workspace::QueryRequest request{
      .rows_max = kEvidenceRowsMax * 16, .timeout = kTimeout, .cancellation = call.parts.stopping};
  std::string positions;
  for (const EvidenceName& name : names) {
    if (request.binds.size() >= kEvidenceRowsMax) break;
    request.binds.push_back(workspace::Cell::integer(name.position));
    positions += (positions.empty() ? "$" : ", $") + std::to_string(request.binds.size());
    const auto time = parse_rfc3339(name.time);
    if (!time) continue;
    request.time_from = request.time_from ? std::min(*request.time_from, *time) : *time;
    request.time_to = request.time_to ? std::max(*request.time_to, *time) : *time;
  }
  if (positions.empty()) return;
  request.sql = R"(SELECT "_position", "_event", "_item")";
  for (const std::string_view column : columns) request.sql += ", \"" + std::string(column) + "\"";
  request.sql += " FROM \"" + std::string(table) + "\" WHERE \"_position\" IN (" + positions + ")";
  const auto found = call.parts.services.workspace.query(request);
  if (!found) return log::warning("api", "evidence is not available: {}", found.error().text);
  for (std::size_t row = 0; row < found->rows; ++row) {
    const auto name = std::ranges::find_if(names, [&](const EvidenceName& one) {
      return one.position == found->at(row, 0).as_integer() && one.event == found->at(row, 1).as_integer() &&
             one.item == found->at(row, 2).as_integer();
    });
    if (name == names.end()) continue;
    RawRow made{*name, std::string(table), {}};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      made.columns.emplace_back(columns[i], json_of(found->at(row, i + kIdColumns), columns[i]));
    }
    out.push_back(std::move(made));
  }
}

bool same_row(const EvidenceName& a, const EvidenceName& b) {
  return a.position == b.position && a.event == b.event && a.item == b.item;
}

std::vector<EvidenceName> missing_of(const std::vector<EvidenceName>& names, const std::vector<RawRow>& rows) {
  std::vector<EvidenceName> out;
  for (const EvidenceName& name : names) {
    const bool there = std::ranges::any_of(rows, [&](const RawRow& row) { return same_row(row.name, name); });
    if (!there) out.push_back(name);
  }
  return out;
}

std::string query_of(const std::vector<EvidenceName>& names) {
  std::string ids;
  for (const EvidenceName& name : names) {
    std::string id = JsonWriter().value(name.raw_event_id).take();
    if (ids.find(id) == std::string::npos) ids += (ids.empty() ? "" : ", ") + id;
  }
  return "SecurityIoTRawEvent | where IoTRawEventId in (" + ids + ")";
}

}  // namespace

std::vector<EvidenceName> evidence_of(std::string_view alert_json) {
  std::vector<EvidenceName> out;
  json::error_code error;
  const json::value parsed = json::parse({alert_json.data(), alert_json.size()}, error);
  const auto* record = error ? nullptr : parsed.if_object();
  const auto* list = record == nullptr ? nullptr : record->if_contains("Evidence");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& value : list->get_array()) {
    const auto* row = value.if_object();
    if (row == nullptr || out.size() >= kEvidenceRowsMax) continue;
    out.push_back({number_of(*row, "Position"), number_of(*row, "Event"), number_of(*row, "Item"),
                   text_of(*row, "IoTRawEventId"), text_of(*row, "TimeGenerated")});
  }
  return out;
}

std::vector<RawRow> read_raw_rows(const Call& call, const std::vector<EvidenceName>& names) {
  std::vector<RawRow> out;
  read_table(call, "RawEvents", kRawColumns, names, out);
  if (const auto rest = missing_of(names, out); !rest.empty()) {
    read_table(call, "HubOperations", kHubColumns, rest, out);
  }
  for (RawRow& row : out) {
    if (row.table == "RawEvents") row.table = "SecurityIoTRawEvent";
  }
  // Rows of one name (a record has several tables at most) in the order of their tables.
  std::ranges::sort(out, {}, [&](const RawRow& row) {
    const auto name = std::ranges::find_if(names, [&](const auto& one) { return same_row(one, row.name); });
    return std::pair(name - names.begin(), std::string_view(row.table));
  });
  return out;
}

void write_raw_rows(JsonWriter& out, const Call& call, const std::vector<EvidenceName>& names) {
  const auto rows = read_raw_rows(call, names);
  out.key("items").begin_array();
  for (const RawRow& row : rows) {
    out.begin_object().key("table").value(row.table);
    for (const auto& [name, value] : row.columns) out.key(name).raw(value);
    out.end_object();
  }
  out.end_array().key("missing").begin_array();
  for (const EvidenceName& name : missing_of(names, rows)) out.value(name.raw_event_id);
  out.end_array().key("query").value(query_of(names));
}

}  // namespace picket::api
