// Words for the tests of the pipeline.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/core/json_writer.h"
#include "engine.h"
#include "journal/record.h"
#include "pipeline/alert.h"
#include "pipeline/tables.h"

namespace picket::pipeline {

class TempFolder {
 public:
  TempFolder() {
    // In memory where there is such a folder: the tests end processes, not machines, and sync a lot.
    const auto base = std::filesystem::exists("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                          : std::filesystem::temp_directory_path();
    std::string name = (base / "pipeline-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline constexpr Timestamp kNoon{1'795'262'400'000'000};  // 2026-11-21T12:00:00Z
inline Timestamp noon(std::int64_t seconds) { return kNoon + Duration::seconds(seconds); }

/// One event with one payload item; numbers and what begins with { are written as they stand.
struct TestEvent {
  std::string name;
  std::vector<std::pair<std::string, std::string>> payload;
  Timestamp time = kNoon;
  std::string id;
};

inline std::string item_json(const TestEvent& event) {
  JsonWriter out;
  out.begin_object();
  for (const auto& [key, value] : event.payload) {
    static const std::vector<std::string> numbers{"ProcessId",      "ParentProcessId", "HitCount", "FailCount",
                                                  "InterfaceClass", "BytesIn",         "BytesOut"};
    if (std::ranges::find(numbers, key) != numbers.end() || value.starts_with('{')) {
      out.key(key).raw(value);
    } else {
      out.key(key).value(value);
    }
  }
  return out.end_object().take();
}

/// A message 3.0. `head` are further members of the envelope, each followed by a comma.
inline std::string message_json(const std::vector<TestEvent>& events, const std::string& head = "") {
  static std::uint64_t ids = 0;
  std::string out = R"({"AgentVersion":"1","AgentId":"a","MessageSchemaVersion":"3.0",)" + head + R"("Events":[)";
  bool first = true;
  for (const TestEvent& event : events) {
    const std::string id = event.id.empty() ? "event-" + std::to_string(++ids) : event.id;
    if (!first) out += ',';
    first = false;
    JsonWriter json;
    json.begin_object().key("Id").value(id).key("TimestampLocal").value(event.time).key("TimestampUTC");
    json.value(event.time).key("Category").value("Triggered").key("Name").value(event.name).key("EventType");
    json.value("Security").key("IsEmpty").value(false).key("PayloadSchemaVersion").value("1.0").key("Payload");
    json.begin_array().raw(item_json(event)).end_array().end_object();
    out += json.text();
  }
  return out + "]}";
}

inline TestEvent failed_login(Timestamp time, const std::string& from = "192.0.2.7", const std::string& user = "root") {
  return {"Login",
          {{"ProcessId", "900"},
           {"Operation", "LoginFailed"},
           {"Executable", "/usr/sbin/sshd"},
           {"Result", "Fail"},
           {"UserName", user},
           {"RemoteAddress", from},
           {"RemotePort", "50022"}},
          time,
          ""};
}

inline TestEvent good_login(Timestamp time, const std::string& from = "192.0.2.7", const std::string& user = "root") {
  TestEvent event = failed_login(time, from, user);
  event.payload[1].second = "Login";
  event.payload[3].second = "Success";
  return event;
}

inline TestEvent process(const std::string& executable, const std::string& command_line,
                         std::vector<std::pair<std::string, std::string>> more = {}, Timestamp time = kNoon) {
  TestEvent event{"ProcessCreate", {{"Executable", executable}, {"CommandLine", command_line}}, time, ""};
  event.payload.insert(event.payload.end(), more.begin(), more.end());
  return event;
}

/// One of the alert's extended properties; empty when it has no such.
inline std::string property_of(const AlertChange& alert, std::string_view name) {
  for (const auto& [key, value] : alert.properties) {
    if (key == name) return value;
  }
  return {};
}

/// Owns what a record borrows.
struct TestRecord {
  std::uint64_t sequence = 1;
  std::string body;
  Timestamp enqueued = kNoon;
  Identity identity{"hub", "device-1", "DefenderIotMicroAgent", "g1"};
  std::vector<std::pair<std::string, std::string>> properties;
  journal::RecordKind kind = journal::RecordKind::message;
};

/// An engine with everything it has put out. Row cells are copied into text.
class EngineHarness {
 public:
  EngineHarness()
      : schema_(make_workspace_schema()),
        engine_(std::make_unique<Engine>(EngineOptions{"installation", {1, 2}}, Catalogue::builtin(), schema_)) {}

  /// The next record of the journal, unless the record says otherwise.
  void feed(TestRecord record) {
    record.sequence = std::max(record.sequence, ++sequence_);
    sequence_ = record.sequence;
    // Unmarked telemetry is not looked at: what tests send is marked unless it says otherwise.
    const bool marked = std::ranges::any_of(record.properties, [](const auto& p) { return p.first == "$.ifid"; });
    if (record.kind == journal::RecordKind::message && !marked) {
      record.properties.emplace_back("$.ifid", std::string(kSecurityInterface));
    }
    std::vector<journal::Property> properties;
    for (const auto& [name, value] : record.properties) properties.push_back({name, value});
    journal::RecordView view;
    view.kind = record.kind;
    view.partition = partition_of(record.identity);
    view.enqueued = record.enqueued;
    view.identity = record.identity;
    view.properties = properties;
    view.body = as_bytes(record.body);
    view.id = {0, record.sequence};
    RowBatch batch;
    std::vector<DerivedChange> derived;
    engine_->process(view, batch, derived);
    for (DerivedChange& change : derived) {
      auto* alert = std::get_if<AlertChange>(&change);
      auto* incident = std::get_if<IncidentChange>(&change);
      if (alert != nullptr) changes.push_back(std::move(*alert));
      if (incident != nullptr) incidents.push_back(std::move(*incident));
      if (alert == nullptr && incident == nullptr) recommendations.push_back(std::get<RecommendationChange>(std::move(change)));
    }
    for (const workspace::Row& row : batch.rows()) rows.push_back(copy_of(row));
  }
  void feed(const std::vector<TestEvent>& events, Timestamp enqueued = kNoon) {
    feed({.body = message_json(events), .enqueued = enqueued});
  }

  /// As after a crash right behind a checkpoint: a new engine with the saved state.
  void restart() {
    for (StatePart* part : engine_->parts()) {
      for (StateChange& change : part->take_changes()) {
        const auto key = std::pair(std::string(part->part_name()), change.key);
        change.value ? static_cast<void>(saved_.insert_or_assign(key, *change.value))
                     : static_cast<void>(saved_.erase(key));
      }
    }
    engine_ = std::make_unique<Engine>(EngineOptions{"installation", {1, 2}}, Catalogue::builtin(), schema_);
    for (StatePart* part : engine_->parts()) {
      for (const auto& [key, value] : saved_) {
        if (key.first == part->part_name()) {
          EXPECT_TRUE(part->load(key.second, value).has_value()) << key.first;
        }
      }
      part->take_changes();  // what loading touched is saved already
    }
  }

  struct CopiedRow {
    std::string table;
    workspace::RowId id;
    std::map<std::string, std::string> cells;  ///< Nulls left out.
  };
  CopiedRow copy_of(const workspace::Row& row) const {
    const workspace::TableSchema& table = schema_.tables[row.table];
    CopiedRow out{table.name, row.id, {}};
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const workspace::Cell& cell = row.cells[i];
      switch (cell.kind()) {
        case workspace::Cell::Kind::null:
          break;
        case workspace::Cell::Kind::text:
          out.cells[table.columns[i].name] = cell.as_text();
          break;
        case workspace::Cell::Kind::timestamp:
          out.cells[table.columns[i].name] = format_rfc3339(cell.as_timestamp());
          break;
        case workspace::Cell::Kind::real:
          out.cells[table.columns[i].name] = std::to_string(cell.as_real());
          break;
        case workspace::Cell::Kind::boolean:
          out.cells[table.columns[i].name] = cell.as_boolean() ? "true" : "false";
          break;
        case workspace::Cell::Kind::integer:
          out.cells[table.columns[i].name] = std::to_string(cell.as_integer());
          break;
      }
    }
    return out;
  }

  /// Alerts by id, each as its newest change has it; optionally of one type.
  [[nodiscard]] std::vector<AlertChange> alerts(std::string_view type = {}) const {
    std::map<std::string, AlertChange> newest;
    for (const AlertChange& change : changes) newest.insert_or_assign(change.alert_id, change);
    std::vector<AlertChange> out;
    for (auto& [id, change] : newest) {
      if (type.empty() || change.alert_type == type) out.push_back(change);
    }
    return out;
  }
  [[nodiscard]] Stats stats() const {
    Stats out;
    engine_->add_stats(out);
    return out;
  }
  Engine& engine() { return *engine_; }

  std::vector<CopiedRow> rows;
  std::vector<AlertChange> changes;
  std::vector<RecommendationChange> recommendations;
  std::vector<IncidentChange> incidents;

 private:
  workspace::Schema schema_;
  std::unique_ptr<Engine> engine_;
  std::uint64_t sequence_ = 0;
  std::map<std::pair<std::string, std::string>, Buffer> saved_;
};

}  // namespace picket::pipeline
