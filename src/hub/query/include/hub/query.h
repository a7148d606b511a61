// Queries over twins and jobs: SELECT ... FROM ... WHERE ... GROUP BY ...
// (spec/hub.md 1.4 "query").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/condition.h"
#include "hub/hub_error.h"
#include "hub/json_value.h"

namespace picket::hub {

inline constexpr std::size_t kQueryPageDefault = 100;
inline constexpr std::size_t kQueryPageMax = 1'000;
inline constexpr std::size_t kQueryPageBytesMax = 8 << 20;   ///< A page ends early when its items have this size.
inline constexpr std::size_t kQueryRowsPerPageMax = 20'000;  ///< Rows read for one page; it may then be short or empty.
inline constexpr std::size_t kQueryRowsMax = 2'000'000;      ///< Rows read for one aggregate.
inline constexpr std::size_t kQueryWorkMax =
    400'000'000;  ///< Rows times parts of the text: long texts read fewer rows.
inline constexpr std::size_t kQueryGroupsMax = 10'000;
inline constexpr std::size_t kQueryTopMax = 1'000'000;
inline constexpr std::size_t kQueryColumnsMax = 100;

enum class QuerySource : std::uint8_t { devices, modules, jobs };

enum class Aggregate : std::uint8_t { none, count, avg, sum, min, max };

struct QueryColumn {
  Aggregate aggregate = Aggregate::none;
  std::shared_ptr<const Expression> expression;  ///< nullptr for count().
  std::string alias;
};

/// One compiled query. Immutable.
struct Query {
  bool star = false;
  std::vector<QueryColumn> columns;
  QuerySource source = QuerySource::devices;
  std::optional<Condition> where;
  std::vector<FieldPath> group_by;
  std::optional<std::size_t> top;
  std::size_t parts = 1;          ///< Constants, paths and operators that each row costs.
  std::uint64_t fingerprint = 0;  ///< Of the text: a continuation belongs to its query.

  /// Errors: 400 with line, column and what to do.
  static HubResult<Query> compile(std::string_view text);
  [[nodiscard]] bool aggregated() const;
  /// Rows that one page, or one aggregate, may read: kQueryRowsPerPageMax and kQueryRowsMax, or what kQueryWorkMax
  /// leaves.
  [[nodiscard]] std::size_t rows_max() const;
  /// Paths that it reads, each once.
  [[nodiscard]] std::vector<FieldPath> paths() const;
  /// x-ms-item-type: "Twin", "DeviceJob" or "Raw".
  [[nodiscard]] std::string_view item_type() const;
};

/// One row with its place: rows come in the order of (first, second), as bytes.
struct QueryRow {
  std::string first;   ///< Device id.
  std::string second;  ///< Module id or job id; empty for devices.
  JsonValue document;
};

/// Where rows come from.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// At most `count_max` rows behind (first, second); fewer only at the end.
  virtual HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view second,
                                                 std::size_t count_max) = 0;
  /// All rows of one device, in order: for conditions that name it.
  virtual HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) = 0;
};

struct QueryPage {
  std::string items;  ///< A JSON array.
  std::size_t count = 0;
  std::string_view item_type;
  std::string continuation;  ///< Empty: that was the last page.
};

/// Reads one page. The continuation holds the key of the last row read, so that
/// it stays valid while rows come and go: none is shown twice, none that was
/// there all the time is missed. Errors: 400 for a continuation of another
/// query, or when an aggregate reaches rows_max() or kQueryGroupsMax. Runs
/// as long as rows must be read: not for I/O threads.
HubResult<QueryPage> run_query(const Query& query, RowSource& rows, std::string_view continuation,
                               std::size_t count_max);

}  // namespace picket::hub
