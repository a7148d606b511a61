#include "row_builder.h"

#include <algorithm>
#include <array>

#include "base/core/check.h"
#include "base/core/encoding.h"
#include "pipeline/alert.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

using workspace::Cell;

workspace::TableIndex table_index(const workspace::Schema& schema, std::string_view name) {
  const auto index = schema.find_table(name);
  CHECK(index.has_value(), "the workspace was opened with make_workspace_schema()");
  return *index;
}

Cell cell_of(const message::Value& value) {
  struct Visitor {
    Cell operator()(std::string_view text) const { return Cell::text(text); }
    Cell operator()(std::int64_t number) const { return Cell::integer(number); }
    Cell operator()(double number) const { return Cell::real(number); }
    Cell operator()(bool boolean) const { return Cell::boolean(boolean); }
    Cell operator()(Timestamp time) const { return Cell::timestamp(time); }
  };
  return std::visit(Visitor{}, value);
}

struct ReasonText {
  std::string_view where;  // beginning of
  std::string_view text;
};
constexpr ReasonText kReasons[] = {
    {"message.encoding", "the content encoding is unknown or broken"},
    {"message.size", "the decoded message is too large"},
    {"message.ratio", "the message is compressed more than is believable"},
    {"message.mti", "the property mti does not name a known format"},
    {"message.json", "the body is not valid JSON"},
    {"message.flatbuffers", "the body is not a valid FlatBuffers message"},
    {"message.schema_version", "the schema version is missing or not supported"},
    {"message.events", "the message holds no usable list of events"},
    {"message.event.id", "an event has no usable Id"},
    {"message.event.name", "an event has no usable Name"},
    {"message.event.time", "an event has no usable time"},
    {"message.event.payload", "an event has no usable payload"},
    {"message.event", "an event could not be used"},
    {"hub_record", "a record of the hub could not be read"},
};

std::string_view reason_of(const Error& error) {
  for (const ReasonText& reason : kReasons) {
    if (error.where.starts_with(reason.where)) return reason.text;
  }
  return to_string(error.code);
}

std::string_view property_of(const journal::RecordView& record, std::string_view name) {
  const auto* value = record.property(name);
  return value == nullptr ? std::string_view{} : *value;
}

}  // namespace

RowBuilder::RowBuilder(const workspace::Schema& schema, std::string installation_id)
    : installation_id_(std::move(installation_id)), dead_letter_table_(table_index(schema, workspace::kDeadLetter)) {
  for (const message::TableInfo& table : message::all_tables()) {
    family_tables_[static_cast<std::size_t>(table.table)] = table_index(schema, table.name);
  }
}

std::string_view RowBuilder::resource_of(std::string_view hub) {
  const auto known = resources_.find(hub);
  if (known != resources_.end()) return known->second;
  return resources_.emplace(hub, hub_resource_id(installation_id_, hub)).first->second;
}

void RowBuilder::add_item(const journal::RecordView& record, const message::SecurityMessage& message,
                          const message::Event& event, const message::Item& item, workspace::RowId id, Timestamp time,
                          RowBatch& batch) {
  const message::EventInfo& info = message::info(event.kind);
  const message::TableInfo& table = message::info(info.table);
  batch.begin_row(family_tables_[static_cast<std::size_t>(info.table)], id, record.enqueued);
  auto& cells = batch.cells();
  cells.push_back(Cell::timestamp(time));
  cells.push_back(Cell::timestamp(event.timestamp_utc));
  cells.push_back(Cell::text(record.identity.device_id));
  cells.push_back(Cell::text(resource_of(record.identity.hub)));
  cells.push_back(Cell::text(installation_id_));
  cells.push_back(Cell::text(message.agent_version));
  cells.push_back(Cell::text(event.id));
  cells.push_back(Cell::boolean(event.is_empty));
  cells.push_back(Cell::text(to_string(event.category)));
  cells.push_back(Cell::text(event.name));
  cells.push_back(Cell::text(to_string(event.type)));
  cells.push_back(Cell::text(item.details));
  cells.push_back(Cell::text(record.identity.hub));
  cells.push_back(Cell::text(record.identity.module_id));
  const std::size_t promoted = cells.size();
  cells.resize(promoted + table.columns.size());
  for (const message::FieldValue& field : item.fields) {
    // Where column and JSON path would differ, the column stays null.
    if (!field.exact) continue;
    if (const auto column = message::column_of(table.table, field.field))
      cells[promoted + *column] = cell_of(field.value);
  }
  cells.push_back(Cell::integer(static_cast<std::int64_t>(item.inexact)));
}

void RowBuilder::add_dead_letter(const journal::RecordView& record, const Error& error, std::uint32_t event,
                                 RowBatch& batch) const {
  batch.begin_row(dead_letter_table_, {record.id.sequence, event, 0}, record.enqueued);
  auto& cells = batch.cells();
  cells.push_back(Cell::timestamp(record.enqueued));
  cells.push_back(Cell::text(record.identity.hub));
  cells.push_back(Cell::text(record.identity.device_id));
  cells.push_back(Cell::text(record.identity.module_id));
  cells.push_back(Cell::text(reason_of(error)));
  cells.push_back(Cell::text(error.where));
  cells.push_back(Cell::integer(static_cast<std::int64_t>(error.offset)));
  cells.push_back(Cell::integer(static_cast<std::int64_t>(record.body.size())));
  cells.push_back(Cell::text(property_of(record, "$.ct")));
  cells.push_back(Cell::text(property_of(record, "$.mid")));
  const std::size_t kept = std::min(record.body.size(), workspace::kDeadLetterBytesMax);
  cells.push_back(Cell::text(batch.keep(to_base64(record.body.first(kept)))));
}

}  // namespace picket::pipeline
