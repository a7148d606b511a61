// The bound query: every name resolved, every expression typed. Independent of any engine; an emitter turns it into
// SQL.
//
// A column is a number that is unique in the plan, so renaming, shadowing and dropping columns cost no node: `project`
// only changes which numbers the names stand for, and an emitter computes what is needed above and nothing else.
// Sorting is no node either: an order is a property that ends at the result or at a Take.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kql/schema.h"
#include "kql/value.h"

namespace picket::kql {

using ColumnId = std::uint32_t;

struct Node;
using NodePtr = std::shared_ptr<const Node>;  // shared: a `let` table may stand in several places of the plan
struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;  // shared: a `let` scalar, a column's definition

/// One step of a dynamic path: a key, or a position (negative: from the end).
using PathStep = std::variant<std::string, std::int64_t>;

/// A typed expression.
struct Expr {
  enum class Kind : std::uint8_t {
    literal,   ///< `value`
    column,    ///< `column`
    call,      ///< `op` over `args`; the emitter's table says what each op is
    path,      ///< `steps` into args[0], which is dynamic; a missing path is null
    in_table,  ///< args[0] is among the values of column `column` of `table`; op is "in" or "in_folded" (ignoring case)
    scalar_table,  ///< Column `column` of the first row of `table`, null without a row
  };
  Kind kind = Kind::literal;
  Type type = Type::boolean;
  bool nullable = true;  ///< False: proven never null.
  Value value{};
  ColumnId column = 0;
  std::string_view op{};  ///< Static storage.
  std::vector<ExprPtr> args{};
  std::vector<PathStep> steps{};
  NodePtr table{};
  std::uint32_t size = 1;   ///< Nodes below and including this one, counted as often as they are reached.
  std::uint32_t depth = 1;  ///< Longest way down.
};

struct NamedExpr {
  ColumnId column;
  ExprPtr expr;
};

struct OrderKey {
  ColumnId column;
  bool descending = true;
  bool nulls_first = false;
};
using Order = std::vector<OrderKey>;

/// Rows of a stored table.
struct Scan {
  struct Field {
    ColumnId column;
    Type type;
    std::string sql;
    bool null_is_empty = false;  ///< A NULL of this string column reads as ''.
    Mask mask{};                 ///< Of a promoted key's exactness.
  };
  std::string table;
  std::string sql;
  std::vector<Field> fields;
  std::shared_ptr<const std::vector<TablePart>> parts{};  ///< Set: in place of `sql`.
  std::optional<ColumnId> time{};                         ///< The table's time column.
};

/// Constant rows: datatable, print.
struct Rows {
  std::vector<std::pair<ColumnId, Type>> columns;
  std::vector<std::vector<ExprPtr>> rows;  ///< Each as long as `columns`; expressions without columns.
};

/// first, first + step, ... up to and including last; nothing when step leads away.
struct Range {
  ColumnId column;
  Type type;  ///< int64, real, datetime or timespan
  ExprPtr first, last, step;
};

struct Filter {
  NodePtr input;
  ExprPtr predicate;  ///< boolean; null drops the row
};

/// The input's columns and more.
struct Extend {
  NodePtr input;
  std::vector<NamedExpr> columns;
};

/// The input's columns and one more, computed over its rows in `order`, apart in each partition.
struct Window {
  NodePtr input;
  ColumnId column;
  Type type;
  std::string_view op{};  ///< Static storage: row_number, lag, lead, sum, rank, dense_rank, changes.
  std::vector<ExprPtr> args{};
  std::vector<ColumnId> partition{};
  Order order{};
};

/// Each row once for each element of its values; several values go side by side, the shorter padded with null. Null is
/// one element, an empty array or bag none.
struct Expand {
  struct Item {
    ColumnId column;  ///< dynamic
    ExprPtr value;
  };
  NodePtr input;
  std::vector<Item> items;
  std::optional<ColumnId> index;  ///< int64, from 0
  bool bags_as_arrays = false;
  std::optional<std::int64_t> limit;
};

struct Aggregate {
  struct Measure {
    std::vector<std::pair<ColumnId, Type>>
        columns;            ///< One, but for the ops that return a row (arg_max, arg_min, take_any).
    std::string_view op{};  ///< Static storage; the emitter's table says what it is.
    std::vector<ExprPtr>
        args{};            ///< arg_max, arg_min: the ranking value, then one for each column. take_any: one for each.
    ExprPtr condition{};   ///< Only rows where it is true; nullptr: all rows.
    double parameter = 0;  ///< percentile: 0..100. make_list, make_set: at most so many elements.
    std::vector<double> parameters{};  ///< percentiles_array: each 0..100.
  };
  NodePtr input;
  std::vector<NamedExpr> keys;
  std::vector<Measure> measures;
  Order order;  ///< Of the input; make_list follows it.
};

struct Take {
  NodePtr input;
  std::int64_t count = 0;
  Order order;  ///< Empty: any rows.
};

/// All rows of all branches. `branches[i].columns[j]` feeds `columns[j]`.
struct Union {
  struct Branch {
    NodePtr input;
    std::vector<ExprPtr> columns;
  };
  std::vector<std::pair<ColumnId, Type>> columns;
  std::vector<Branch> branches;
};

enum class JoinKind : std::uint8_t {
  inner,
  inner_unique,
  left_outer,
  right_outer,
  full_outer,
  left_anti,
  right_anti,
  left_semi,
  right_semi
};

/// Output: all columns of both sides (semi and anti: of one side). Outer joins pad strings with '' and the rest with
/// null, into the padded ids.
struct Join {
  struct Padded {
    ColumnId column;  ///< New id above the join.
    ColumnId from;    ///< Id on its side.
    Type type;
  };
  NodePtr left, right;
  JoinKind kind = JoinKind::inner_unique;
  std::vector<std::pair<ColumnId, ColumnId>> keys;  ///< Equal pairs, null equals null; none: every row with every row.
  ExprPtr condition{};  ///< Over the columns of both sides, in addition to the keys; inner and left_outer only.
  std::vector<Padded> left_columns, right_columns;
};

/// `scan`: rows in the order of a column go through steps. Each step remembers, of itself and of the steps before it,
/// the row that matched last. A row is tried at the steps from the last to the first: it takes what the step before
/// remembers onward, or matches the step again.
struct Steps {
  struct Kept {
    ColumnId column;  ///< What is remembered of...
    ColumnId from;    ///< ...this column of the row, or this one of `columns`.
    Type type;
    ExprPtr nothing;  ///< Its value while nothing is remembered.
  };
  struct Try {
    ExprPtr condition{};            ///< Over the row's columns and remembered ones.
    std::vector<ExprPtr> values{};  ///< Of `columns` where it holds.
  };
  struct Step {
    bool shown = true;
    Try onward{};                           ///< With the memory of the step before; nothing for the first step.
    Try again{};                            ///< With the step's own; of the first step also when there is none.
    std::vector<std::vector<Kept>> kept{};  ///< By step, up to this one, and column.
    [[nodiscard]] const ExprPtr& nothing(std::size_t column, std::size_t declared) const {
      return kept.back()[kept.back().size() - declared + column].nothing;
    }
  };
  struct Passed {
    ColumnId column;  ///< New id above.
    ColumnId from;
    Type type;
  };
  NodePtr input{};
  ColumnId ordinal = 0;
  std::vector<ColumnId> partition{};                    ///< Rows of each partition go alone.
  std::vector<std::pair<ColumnId, ColumnId>> parted{};  ///< Those columns above, and below.
  std::vector<std::pair<ColumnId, Type>> columns{};     ///< Declared: each match gives them values.
  std::vector<Step> steps{};
  std::vector<Passed> passed{};
  std::optional<ColumnId> match_id{};  ///< int64, from 0: one more where the first step begins anew.
  ColumnId position = 0;               ///< The row's ordinal, above.
};

/// basket(): the values that occur together in at least a share of the rows, each set with all that its rows agree in.
struct Basket {
  struct Dimension {
    ColumnId column;  ///< Above; `wildcard` where the set does not say.
    ColumnId from;
    Type type;
    ExprPtr wildcard;
  };
  NodePtr input;
  std::vector<Dimension> dimensions;
  double threshold = 0;  ///< 0..1
  std::size_t most = 0;  ///< So many values of a set; others may follow from them.
  ColumnId segment = 0;  ///< int64, from 0
  ColumnId count = 0;    ///< int64
  ColumnId percent = 0;  ///< real, one decimal
};

/// A table that several places read and that is computed once, with all its columns.
struct Once {
  NodePtr input;
  std::vector<std::pair<ColumnId, Type>> columns;
};

/// The nodes of a graph and the component that each is in, from 0.
struct Components {
  NodePtr nodes;
  ColumnId node_id = 0;
  NodePtr edges;
  ColumnId source = 0, target = 0;
  ColumnId column = 0;
  bool strong = false;  ///< Along the edges there and back; otherwise in any direction.
};

/// graph-match: a row for each way to find the pattern in a graph.
struct Matches {
  struct Output {
    ColumnId column;
    ColumnId from;  ///< A column of the edges or the nodes.
    Type type;
  };
  /// Of each edge (or node between two) of a path a value: their JSON texts as an array, or whether it is true of all
  /// or any.
  struct Along {
    enum class Kind : std::uint8_t { list, all, any };
    ColumnId column;
    std::size_t edge;
    Kind kind;
    bool inner;   ///< Of the nodes.
    bool prunes;  ///< No edge of which it is false need be followed.
    ExprPtr value;
  };
  struct Hop {
    std::size_t edge;  ///< Of the pattern.
    std::size_t from, to;
    bool closes;         ///< Both ends are known before.
    bool backward;       ///< Followed from the end that stands right in the pattern.
    bool along_edges;    ///< From an edge's source to its target, ...
    bool against_edges;  ///< ...the other way, or both.
    bool variable;
    std::int64_t least, most;
  };
  struct Condition {
    ExprPtr condition;
    std::size_t after;  ///< Can be asked after so many hops.
  };
  NodePtr edges{};
  ColumnId source = 0, target = 0;
  NodePtr nodes{};
  ColumnId node_id = 0;
  std::vector<std::vector<Output>> nodes_out{};  ///< By node of the pattern.
  std::vector<std::vector<Output>> edges_out{};  ///< By edge; a path has none.
  std::vector<Along> along{};
  std::size_t seed = 0;  ///< The node to begin with.
  std::vector<Hop> hops{};
  std::vector<Condition> conditions{};
  bool unique_edges = true;
  bool unique_nodes = false;
  std::optional<ColumnId> length{};  ///< int64: edges in all.
};

struct Node {
  std::variant<Scan, Rows, Range, Filter, Extend, Window, Expand, Aggregate, Take, Union, Join, Steps, Basket, Once,
               Components, Matches>
      op;
};

struct PlanColumn {
  std::string name;
  Type type;
  ColumnId column;
};

/// `render`: only passed on, it never changes rows.
struct RenderHint {
  std::string chart;
  std::vector<std::pair<std::string, std::string>> properties;
};

struct Plan {
  NodePtr root;
  std::vector<PlanColumn> columns;
  Order order;
  std::vector<std::string> tables;  ///< Stored tables that are read, each once, in order of appearance.
  std::optional<RenderHint> render;
};

}  // namespace picket::kql
