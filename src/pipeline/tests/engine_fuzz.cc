// Claim: whatever a device sends and whatever stands in a record of the hub, it gets at least one row (its events, or a
// dead letter), row ids ascend within the record and are unique, cells fit the table's columns, alert records can be
// read, and the saved state can be loaded. Rows first and detection after make the same as one pass, also when the
// record comes twice.
#include <cstdlib>
#include <set>

#include "engine.h"
#include "pipeline/tables.h"

namespace {

using namespace picket;
using namespace picket::pipeline;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const workspace::Schema schema = make_workspace_schema();
  Engine engine({"installation", {1, 2}}, Catalogue::builtin(), schema);
  const Identity identity{"hub", "device", "", "g"};
  journal::RecordView record;
  record.identity = identity;
  record.enqueued = Timestamp{1'795'262'400'000'000};
  record.id = {0, 1};
  record.body = std::as_bytes(std::span(data, size));
  const journal::Property mti[] = {{"$.ifid", kSecurityInterface}, {"mti", "2.3-1-0-0"}};
  record.properties = std::span(mti).first(1);
  if (size > 0 && (data[0] & 1) != 0) record.properties = mti;  // the FlatBuffers reader is reached too
  if (size > 0 && data[0] == 2) record.kind = journal::RecordKind::hub_event;
  if (size > 0 && data[0] == 4) record.kind = journal::RecordKind::audit;
  if (record.kind != journal::RecordKind::message) record.body = record.body.subspan(1);
  RowBatch batch;
  std::vector<DerivedChange> changes;
  engine.process(record, batch, changes);
  require(batch.size() > 0);
  std::set<workspace::RowId> ids;
  for (const workspace::Row& row : batch.rows()) {
    require(ids.insert(row.id).second && row.cells.size() == schema.tables[row.table].columns.size());
  }
  for (const DerivedChange& change : changes) {
    require(parse_derived_change(record_kind_of(change), body_of(change)).has_value());
  }

  Engine parted({"installation", {1, 2}}, Catalogue::builtin(), schema);
  RowBatch rows;
  std::vector<DerivedChange> detected;
  journal::RecordView second = record;
  second.id = {0, 2};
  engine.process(second, batch, changes);
  for (const Pass pass : {Pass::rows, Pass::detection}) {
    parted.process(record, rows, detected, pass);
    parted.process(second, rows, detected, pass);
  }
  require(rows.size() == batch.size() && detected.size() == changes.size());
  for (std::size_t i = 0; i < batch.size(); ++i) require(rows.rows()[i].id == batch.rows()[i].id);
  for (std::size_t i = 0; i < changes.size(); ++i) require(body_of(detected[i]) == body_of(changes[i]));

  Engine again({"installation", {1, 2}}, Catalogue::builtin(), schema);
  const auto from = engine.parts();
  const auto to = again.parts();
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (const StateChange& saved : from[i]->take_changes()) {
      require(!saved.value || to[i]->load(saved.key, *saved.value).has_value());
    }
  }
  return 0;
}
