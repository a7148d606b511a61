#include "activity_sink.h"

#include <algorithm>

#include "base/core/check.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

std::size_t place_of(std::string_view name) {
  const auto columns = workspace::family_base_columns();
  const auto found =
      std::ranges::find_if(columns, [&](const workspace::Column& column) { return column.name == name; });
  CHECK(found != columns.end(), "event tables carry the identity");
  return static_cast<std::size_t>(found - columns.begin());
}

std::string_view text_at(const workspace::Row& row, std::size_t column) {
  if (column >= row.cells.size() || row.cells[column].kind() != workspace::Cell::Kind::text) return "";
  return row.cells[column].as_text();
}

}  // namespace

ActivitySink::ActivitySink(pipeline::RowSink& next, const workspace::Schema& schema, Presence& presence,
                           api::EventRate& events, api::EventRate& dead_letters)
    : next_(next),
      dead_letter_table_(schema.find_table(workspace::kDeadLetter)),
      columns_{place_of("Hub"), place_of("DeviceId"), place_of("ModuleId")},
      presence_(presence),
      events_(events),
      dead_letters_(dead_letters) {}

Result<> ActivitySink::append(std::string_view stream, std::uint64_t through, std::span<const workspace::Row> rows) {
  TRY_VOID(next_.append(stream, through, rows));
  if (stream == workspace::kMessagesStream) note(rows);
  return {};
}

// Rows of one message stand together: one note for each run of rows with the same sequence.
void ActivitySink::note(std::span<const workspace::Row> rows) {
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    std::uint64_t events = 0;
    std::uint64_t dead_letters = 0;
    while (end < rows.size() && rows[end].id.sequence == rows[begin].id.sequence) {
      ++(rows[end].table == dead_letter_table_ ? dead_letters : events);
      ++end;
    }
    if (dead_letters > 0) dead_letters_.add(rows[begin].ingested, dead_letters);
    if (events > 0) {
      const auto row = std::ranges::find_if(rows.subspan(begin, end - begin),
                                            [&](const workspace::Row& one) { return one.table != dead_letter_table_; });
      events_.add(row->ingested, events);
      presence_.message({std::string(text_at(*row, columns_.hub)), std::string(text_at(*row, columns_.device_id)),
                         std::string(text_at(*row, columns_.module_id)), ""},
                        row->ingested);
    }
    begin = end;
  }
}

}  // namespace picket::server
