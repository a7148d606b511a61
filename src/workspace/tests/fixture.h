// A small schema, a folder of its own, and words that keep tests short.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/core/time.h"
#include "workspace/workspace.h"

namespace picket::workspace::testing {

/// Removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("workspace-" + random_uuid())) {
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline constexpr Timestamp kStart{1'760'000'000'000'000};
inline constexpr TableIndex kProcess = 0;
inline constexpr TableIndex kLogin = 1;
inline constexpr TableIndex kAlert = 2;

/// Process and Login in "messages" with a view Event over both, Alert in "derived".
inline Schema small_schema() {
  const Column time{"TimeGenerated", ColumnType::timestamp};
  const Column device{"DeviceId", ColumnType::text};
  const Column details{"EventDetails", ColumnType::text, Visibility::shown, true};
  Schema schema;
  schema.tables = {
      {"Process", "messages", {time, device, details, {"ProcessId", ColumnType::int32}, {"Size", ColumnType::int64}}},
      {"Login", "messages", {time, device, details, {"Ok", ColumnType::boolean}, {"Score", ColumnType::real}}},
      {"Alert", "derived", {time, {"Name", ColumnType::text}, {"Extra", ColumnType::json}}}};
  schema.views = {{"Event",
                   {"Process", "Login"},
                   {{time, ViewValue::column, "TimeGenerated"},
                    {device, ViewValue::column, "DeviceId"},
                    {details, ViewValue::column, "EventDetails"},
                    {{"Type", ColumnType::text, Visibility::hidden}, ViewValue::constant, "Event"},
                    {{"_BilledSize", ColumnType::real, Visibility::hidden}, ViewValue::byte_length, "EventDetails"}}}};
  return schema;
}

inline DuckdbOptions small_options(const std::string& folder) {
  DuckdbOptions options;
  options.directory = folder;
  options.query_memory_bytes = 128U << 20;
  options.store_memory_bytes = 128U << 20;
  options.background = false;
  return options;
}

inline std::unique_ptr<Workspace> open(DuckdbOptions options, const Clock& clock, Schema schema = small_schema()) {
  std::string detail;
  auto opened = open_duckdb_workspace(std::move(options), std::move(schema), clock, &detail);
  CHECK(opened.has_value(), detail.c_str());
  return *std::move(opened);
}

/// Rows with the memory of their cells.
class Batch {
 public:
  Batch& process(std::uint64_t sequence, std::uint32_t item, std::string device, std::string details,
                 std::int64_t pid = 1, Timestamp time = kStart) {
    return add(kProcess, {sequence, 0, item},
               {Cell::timestamp(time), text(std::move(device)), text(std::move(details)), Cell::integer(pid),
                Cell::integer(static_cast<std::int64_t>(sequence))});
  }
  Batch& login(std::uint64_t sequence, std::uint32_t item, std::string device, bool ok, Timestamp time = kStart) {
    return add(kLogin, {sequence, 1, item},
               {Cell::timestamp(time), text(std::move(device)), text("{}"), Cell::boolean(ok), Cell::real(0.5)});
  }
  Batch& alert(std::uint64_t sequence, std::string name) {
    return add(kAlert, {sequence, 0, 0}, {Cell::timestamp(kStart), text(std::move(name)), text(R"({"a":1})")});
  }
  Batch& add(TableIndex table, RowId id, std::vector<Cell> cells) {
    cells_.push_back(std::make_unique<std::vector<Cell>>(std::move(cells)));
    rows_.push_back({table, id, kStart, *cells_.back()});
    return *this;
  }
  Cell text(std::string value) {
    texts_.push_back(std::make_unique<std::string>(std::move(value)));
    return Cell::text(*texts_.back());
  }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<std::vector<Cell>>> cells_;
  std::vector<Row> rows_;
};

/// `count` records from `first` on, one process row each.
inline Batch records(std::uint64_t first, std::uint64_t count, Timestamp time = kStart) {
  Batch batch;
  for (std::uint64_t i = first; i < first + count; ++i) {
    batch.process(i, 0, "device-" + std::to_string(i % 7), R"({"CommandLine":"/bin/true )" + std::to_string(i) + "\"}",
                  1, time);
  }
  return batch;
}

inline QueryRequest sql(std::string text) {
  QueryRequest request;
  request.sql = std::move(text);
  return request;
}

/// The one number of a query; -1 with the error on stderr when it fails.
inline std::int64_t number(Workspace& workspace, std::string text) {
  const QueryOutcome outcome = workspace.query(sql(std::move(text)));
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().text.c_str());
    return -1;
  }
  return outcome->rows == 1 ? outcome->at(0, 0).as_integer() : -2;
}

/// Rows as "a|b;c|d", null as "-".
inline std::string table(Workspace& workspace, std::string text) {
  const QueryOutcome outcome = workspace.query(sql(std::move(text)));
  if (!outcome) return "error: " + outcome.error().text;
  std::string out;
  for (std::size_t row = 0; row < outcome->rows; ++row) {
    for (std::size_t column = 0; column < outcome->columns.size(); ++column) {
      const Cell cell = outcome->at(row, column);
      out += column == 0 ? (row == 0 ? "" : ";") : "|";
      switch (cell.kind()) {
        case Cell::Kind::null:
          out += "-";
          break;
        case Cell::Kind::boolean:
          out += cell.as_boolean() ? "true" : "false";
          break;
        case Cell::Kind::integer:
          out += std::to_string(cell.as_integer());
          break;
        case Cell::Kind::real:
          out += std::to_string(cell.as_real());
          break;
        case Cell::Kind::text:
          out += cell.as_text();
          break;
        case Cell::Kind::timestamp:
          out += format_rfc3339(cell.as_timestamp());
          break;
      }
    }
  }
  return out;
}

/// Parquet files of a stream's archive.
inline std::vector<std::string> archived_files(const std::string& folder, const std::string& stream) {
  std::vector<std::string> out;
  const std::string archive = folder + "/" + stream + "/archive";
  if (!std::filesystem::exists(archive)) return out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(archive)) {
    if (entry.is_regular_file()) out.push_back(entry.path().string());
  }
  return out;
}

/// Segment files of a stream.
inline std::size_t files(const std::string& folder, const std::string& stream) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/" + stream)) {
    if (entry.path().extension() == ".duckdb") ++count;
  }
  return count;
}

}  // namespace picket::workspace::testing
