// One query of a workspace, and what comes back.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "workspace/damage.h"
#include "workspace/rows.h"

namespace picket::workspace {

/// How far a query is. Written while it runs, about twice a second; read from any thread.
struct QueryProgress {
  std::atomic<double> percent = -1;  ///< 0 to 100; -1: not known.
  std::atomic<std::uint64_t> rows_done = 0;
  std::atomic<std::uint64_t> rows_total = 0;  ///< An estimate; 0: not known.
};

/// What left rows out of a result: a limit, or files that are lost or damaged.
enum class Cut : std::uint8_t { none, rows, bytes, damage };

/// Queries that are given the same one see the same rows: those that the first of them sees. Thread-safe. It keeps the
/// rows' memory and files as long as it lives, so it is for the statements of one request.
class SharedView {
 public:
  /// For engines: what the first query pinned; `pin` is called at most once.
  std::shared_ptr<const void> get(const std::function<std::shared_ptr<const void>()>& pin) {
    const std::lock_guard lock(mutex_);
    if (!pinned_) pinned_ = pin();
    return pinned_;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const void> pinned_;
};

/// A column that the query reads from a stored table which has none of that name. Where the workspace knows that the
/// bits are clear in all rows of a piece of the table, that piece reads the shorter expression.
struct ComputedColumn {
  std::string table;
  std::string name;
  std::string sql;           ///< Over the table's row; no parameters.
  std::string sql_if_clear;  ///< The same value where all `mask` bits of the row's `mask_column` are clear.
  std::string mask_column;   ///< Whole numbers; NULL: nothing is known of the row.
  std::int64_t mask = 0;
};

/// One SELECT in the SQL of the engine, as the KQL emitter writes it. Tables and views go by their schema names,
/// without catalog or schema. Anything else (statements that write, other tables, table functions that read files) is
/// refused.
struct QueryRequest {
  std::string sql;
  std::vector<Cell> binds;  ///< For $1, $2, …; text must live until query() returns.
  std::vector<ComputedColumn> computed{};
  std::size_t rows_max = 10'000;
  std::size_t bytes_max = 16U << 20;  ///< Of the owned result; the row that crosses it is left out.
  Duration timeout = Duration::seconds(30);
  /// Ends the query early; safe to use from any thread.
  std::stop_token cancellation;
  /// Told how far the query is; nullptr: nobody wants to know. Shared by whoever shows it.
  std::shared_ptr<QueryProgress> progress;
  /// A promise of the caller: only rows with the table's time column in [from, to] matter. Whole segments outside are
  /// not opened; rows outside may still appear, so the SQL filters too.
  std::optional<Timestamp> time_from;
  std::optional<Timestamp> time_to;
  /// nullptr: the query sees the rows of its own moment.
  std::shared_ptr<SharedView> view;
};

/// Why there is no result. `text` is for people and may quote the SQL.
struct QueryError {
  enum class Kind : std::uint8_t {
    invalid,    ///< The SQL is wrong, refused, or fails on the data (e.g. a cast).
    timeout,    ///< `timeout` passed.
    cancelled,  ///< `cancellation` was requested.
    memory,     ///< The query instance's memory or spill limit was reached.
    busy,       ///< Too many queries at once; try again later.
    internal,   ///< The engine or the disk failed.
  };
  Kind kind = Kind::internal;
  std::string text;
};
std::string_view to_string(QueryError::Kind kind);

/// One column of a result, owning its values.
class ResultColumn {
 public:
  ResultColumn(std::string name, ColumnType type) : name_(std::move(name)), type_(type) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ColumnType type() const { return type_; }
  [[nodiscard]] std::size_t size() const { return valid_.size(); }
  /// `row` < size(). Text points into this column.
  [[nodiscard]] Cell at(std::size_t row) const;

  // Filled by engines.
  void push_null();
  void push_integer(std::int64_t value);  ///< boolean, int32, int64, timestamp
  void push_real(double value);
  void push_text(std::string_view value);
  /// Forgets the rows from `rows` on.
  void truncate(std::size_t rows);
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::string name_;
  ColumnType type_;
  std::vector<bool> valid_;
  std::vector<std::int64_t> fixed_;    // integers, or the bits of a double
  std::string text_;                   // all texts, one after the other
  std::vector<std::size_t> text_end_;  // where each ends in text_
};

struct QueryResult {
  std::vector<ResultColumn> columns;
  std::size_t rows = 0;
  bool truncated = false;            ///< There are more rows than were seen: by rows_max, bytes_max, or damaged files.
  Cut cut = Cut::none;               ///< Which of them it was, a limit before damage.
  std::vector<DamagedFile> missing;  ///< Files that should have been read; `tables` are those of the query.
  /// How far each stream was visible, in the order of Workspace::streams(): last sequence the query could see.
  std::vector<std::uint64_t> visible_through;

  [[nodiscard]] Cell at(std::size_t row, std::size_t column) const { return columns[column].at(row); }
};

using QueryOutcome = std::expected<QueryResult, QueryError>;

}  // namespace picket::workspace
