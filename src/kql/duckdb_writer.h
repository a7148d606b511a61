// Writes DuckDB SQL: one common table expression an operator, one final SELECT. Nodes in duckdb_emitter.cc, expressions
// in duckdb_expression.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kql/emitter.h"
#include "kql/plan.h"

namespace picket::kql {

/// Columns that are wanted from a node, in a fixed order.
using Needed = std::set<ColumnId>;

class DuckdbWriter {
 public:
  explicit DuckdbWriter(ComputedColumns allowed) : computed_allowed_(allowed) {}
  Checked<EmittedSql> write(const Plan& plan);

 private:
  /// A promoted key's value is a column of the table it comes from: there each part of the table says it in its own
  /// way, and a condition on it reaches the stored column.
  struct Computed {
    ColumnId column;
    ColumnId exact;        ///< The scan's field that says whether the key is exact.
    const Expr* promoted;  ///< Over the scan's fields, as is `fallback`.
    const Expr* fallback;
    bool null_is_empty;  ///< A NULL reads as '': the stored column may be compared instead.
  };
  /// Where a time column lies in all rows that matter.
  struct Times {
    std::optional<std::int64_t> from, to;  ///< Microseconds
  };
  using KnownTimes = std::map<ColumnId, Times>;

  // --- nodes: each returns the name of its table expression, which has exactly the columns `needed`, named c<id>
  std::string node(const NodePtr& node, const Needed& needed);
  std::string node(const Scan& scan, const Needed& needed);
  std::string node(const Rows& rows, const Needed& needed);
  std::string node(const Range& range, const Needed& needed);
  std::string node(const Filter& filter, const Needed& needed);
  std::string node(const Extend& extend, const Needed& needed);
  std::string node(const Window& window, const Needed& needed);
  std::string node(const Expand& expand, const Needed& needed);
  std::string node(const Aggregate& aggregate, const Needed& needed);
  std::string node(const Take& take, const Needed& needed);
  std::string node(const Union& all, const Needed& needed);
  std::string node(const Join& join, const Needed& needed);
  std::string node(const Steps& steps, const Needed& needed);
  // --- graphs (duckdb_graph.cc)
  struct Found;
  struct GraphTables {
    std::string edges, nodes;
  };
  std::string node(const Basket& basket, const Needed& needed);
  std::string node(const Once& once, const Needed& needed);
  std::string node(const Components& components, const Needed& needed);
  std::string node(const Matches& matches, const Needed& needed);
  std::string define_once(std::string select);
  GraphTables graph_tables(const Matches& matches, const Needed& wanted);
  void add_node(Found& found, const Matches& matches, std::size_t place, const Needed& wanted,
                const GraphTables& graph);
  std::string directed(const Matches& matches, const Matches::Hop& hop, const GraphTables& graph);
  static std::string step_condition(const Matches& matches);
  void follow_edge(Found& found, const Matches& matches, const Matches::Hop& hop, const Needed& wanted,
                   const GraphTables& graph);
  void follow_path(Found& found, const Matches& matches, const Matches::Hop& hop, const Needed& wanted,
                   const GraphTables& graph);

  Needed read_of_steps(const Steps& steps);
  std::string step_select(const Steps& steps, std::size_t k, const Needed& read, const std::string& from,
                          const std::string& others);
  /// The name that define() gives next: what a recursive table expression calls itself.
  [[nodiscard]] std::string next_table() const { return "s" + std::to_string(tables_.size()); }
  // --- stored tables (duckdb_scan.cc)
  std::string part(const Scan& scan, const TablePart* part, const Needed& needed);
  std::string computed_text(const Scan& scan, const TablePart* part, const Computed& computed);
  /// nullptr: no promoted key, or one that is better read where it stands.
  const Computed* computed(const Expr& expr);
  /// The rows that matter are those of which the predicate is true.
  void narrow(const Expr& predicate);
  void note_times(const Scan& scan);

  /// A filter over a stored table: there conditions may see string columns as they are stored, NULL for ''.
  std::string filtered_scan(const Scan& scan, const std::vector<ExprPtr>& predicates, const Needed& needed);
  std::string define(std::string select);
  static std::string list(const Needed& needed);
  static std::string order_by(const Order& order);
  std::string measure(const Aggregate::Measure& measure, const Order& order);
  /// All wanted percentiles of one value are one list of the engine's, which sorts once. Empty: no percentile.
  static std::vector<const Aggregate::Measure*> percentiles_with(const Aggregate& aggregate,
                                                                 const Aggregate::Measure& measure,
                                                                 const Needed& needed);
  std::string percentile_list(const std::vector<const Aggregate::Measure*>& measures);
  std::string row_measure(const Aggregate::Measure& measure);
  std::string series_measure(const Aggregate::Measure& measure);
  // --- families (duckdb_families.cc)
  std::string family_measure(const Aggregate::Measure& measure);
  std::string sessions(const Window& window, const Needed& needed);
  std::string list_measure(const Aggregate::Measure& measure, const Order& order);

  // --- expressions
  /// A value that keeps the language's null.
  std::string value(const Expr& expr);
  /// A condition whose null counts as false: what WHERE, CASE WHEN and FILTER want. Shorter, and it prunes.
  std::string condition(const Expr& expr);
  std::string literal(const Value& value);
  [[nodiscard]] std::string named_column(ColumnId column) const;
  std::string call(const Expr& expr);
  std::string comparison(const Expr& expr, bool null_is_false);
  /// Whether the condition says of NULL what it says of '', which is: false. Then it may read the stored column.
  [[nodiscard]] bool false_for_empty(const Expr& expr);
  std::string in_table(const Expr& expr, bool null_is_false);
  std::string convert(const Expr& expr);
  std::string path(const Expr& expr);
  std::string path_text(const Expr& expr);
  /// The elements of the array that a path leads to, as a list; empty where there is none. nullopt: not by one path.
  std::optional<std::string> path_elements(const Expr& expr);
  /// A value's JSON text, as elements of lists and cells of dynamic columns have it.
  static std::string json_text(Type type, const std::string& text);
  std::string datetime_part_call(const Expr& expr);
  std::string expand(std::string_view sql, const std::vector<ExprPtr>& args);
  std::string sub_query(const Expr& expr);
  std::string extract_all(const Expr& expr);
  /// The columns that value() and condition() will name.
  void collect(const Expr& expr, Needed& out);

  std::vector<Value> binds_;
  std::vector<std::string> tables_;  ///< Text of the table expressions, s0, s1, ...
  std::map<const Node*, std::string> sub_queries_;
  std::map<const Once*, std::string> once_;
  std::set<std::size_t> materialized_;  ///< Table expressions that must be computed once.
  Needed stored_;                       ///< Columns that are also there as they are stored, named r<id>.
  bool read_stored_ = false;            ///< Columns in stored_ are meant so now.
  const std::map<ColumnId, std::string>* inline_ = nullptr;  ///< Set: a column is its SQL over the stored row.
  ComputedColumns computed_allowed_;
  std::map<std::string, Computed> computed_;            ///< By their text.
  std::map<const Expr*, const Computed*> computed_of_;  ///< nullptr: not to be computed there.
  std::vector<ComputedColumn> asked_;
  KnownTimes times_;
  bool scanned_ = false;
  Times all_times_;  ///< Of all scans.
  std::size_t bytes_ = 0;
  bool too_large_ = false;
  bool recursive_ = false;  ///< A table expression names itself.
};

}  // namespace picket::kql
