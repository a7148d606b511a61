// Query text in, SQL out. Pure: no clock, no engine, no locale.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "kql/diagnostic.h"
#include "kql/emitter.h"
#include "kql/plan.h"
#include "kql/request_properties.h"
#include "kql/schema.h"
#include "kql/value.h"

namespace picket::kql {

/// Bounds. Crossing one is a diagnostic with code limit_exceeded.
inline constexpr std::size_t kQueryBytesMax = 64 * 1024;
inline constexpr std::size_t kGraphPatternMax = 32;        ///< Nodes of a pattern.
inline constexpr std::int64_t kGraphPathMax = 100;         ///< Edges of a path.
inline constexpr std::size_t kNestingMax = 100;            ///< Parentheses, brackets and sub-queries in the text.
inline constexpr std::uint32_t kExpressionDepthMax = 200;  ///< After `let` names are replaced by what they stand for.
inline constexpr std::uint32_t kExpressionSizeMax = 20'000;
inline constexpr std::size_t kColumnsMax = 1'000;  ///< Of one table at any point of the query.
inline constexpr std::size_t kPlanNodesMax = 500;  ///< Operators, `let` tables counted at each use.
inline constexpr std::size_t kDatatableCellsMax = 20'000;
inline constexpr std::size_t kResultsMax = 16;  ///< Tables that one request returns.
inline constexpr std::size_t kSqlBytesMax = 4 * 1024 * 1024;

/// Half open: from <= time < to.
struct TimeRange {
  Timestamp from;
  Timestamp to;
};

struct Options {
  Timestamp now;  ///< The one instant that now() and ago() see.
  std::map<std::string, Value, std::less<>>
      parameters{};                       ///< Values for `declare query_parameters`; others are an error.
  std::optional<TimeRange> time_range{};  ///< Limits each table's time column, in addition to the text.
  /// What the client says beside the text, whose own `set` statements count after these. Those that change results
  /// are done or refused by name, so that no answer is another than was asked for.
  std::vector<RequestProperty> properties{};
  /// Allowed: whoever runs the query sees to CompiledQuery::computed.
  ComputedColumns computed = ComputedColumns::none;
  /// Runs a query of one string column and returns its rows, at most kColumnsMax + 1 of them, or what went wrong. Asked
  /// for the columns that `bag_unpack` and `pivot` make from the data. Without it they want their schema in the text:
  /// `evaluate bag_unpack(d) : (a:string)`.
  std::function<std::expected<std::vector<std::string>, std::string>(const struct CompiledQuery&)> discover{};
};

struct ResultColumn {
  std::string name;
  Type type;
};

struct CompiledQuery {
  std::string sql;           ///< One SELECT. Columns come in the order of `columns`, under their names.
  std::vector<Value> binds;  ///< Value of $1 is binds[0]. No value of the query text stands in `sql`.
  std::vector<ResultColumn> columns;
  std::shared_ptr<const Plan> plan;
  std::vector<ComputedColumn> computed{};
  /// Rows of the stored tables before or after do not change the answer, by their time columns; nullopt: they may.
  std::optional<Timestamp> time_from{};
  std::optional<Timestamp> time_to{};
};

/// Compiles one query for DuckDB. The functions of native_functions.h must be registered on the connection that runs
/// it. The result does not refer to `text` or `schema`. An error holds at least one diagnostic, each with a span inside
/// `text`.
/// A request with several results is refused here: see compile_all().
std::expected<CompiledQuery, Diagnostics> compile(std::string_view text, const Schema& schema, const Options& options);

/// As compile(), but for requests with several tabular statements, `fork` and `facet`: one query a result, in the order
/// of the text, at least one and at most kResultsMax.
std::expected<std::vector<CompiledQuery>, Diagnostics> compile_all(std::string_view text, const Schema& schema,
                                                                   const Options& options);

/// Checks the text of a stored function, "(a:long) { ... }", alone: its syntax, not its names.
std::expected<void, Diagnostics> check_function(std::string_view text);

/// Checks a function as `name` is to be kept in `schema`: also what it names, as a call would find it. What cannot be
/// known without a call is taken: a parameter that is any table (`T:(*)`), columns that depend on the rows.
std::expected<void, Diagnostics> check_function(std::string_view name, std::string_view text, const Schema& schema,
                                                const Options& options);

/// A parameter of a function's text, for those who show it.
struct FunctionParameter {
  std::string name;
  Type type = Type::dynamic;  ///< Of a scalar.
  bool tabular = false;
  std::vector<std::pair<std::string, Type>> columns{};  ///< Of a table; empty: any.
  std::string fallback{};                               ///< The default's text; empty: none.
};
/// The parameters of "(a:long = 1) { ... }" and its body in braces. Errors as check_function(text).
struct FunctionText {
  std::vector<FunctionParameter> parameters;
  std::string head;  ///< "(a:long = 1)"
  std::string body;  ///< "{ ... }"
};
std::expected<FunctionText, Diagnostics> read_function(std::string_view text);

}  // namespace picket::kql
