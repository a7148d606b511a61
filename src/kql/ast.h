// The syntax tree: what was written, with spans, nothing resolved.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kql/diagnostic.h"
#include "kql/value.h"

namespace picket::kql::ast {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;
struct Pipeline;
using PipelinePtr = std::unique_ptr<Pipeline>;

/// A name as written or bracketed, resolved to its text.
struct Name {
  std::string text;
  Span span;
  bool pattern = false;  ///< Holds '*': only where project-away and its like allow it.
};

/// `name = value`, `(a, b) = value` or just a value.
struct Assignment {
  std::vector<Name> names;
  ExpressionPtr value;
};

struct Expression {
  enum class Kind : std::uint8_t {
    literal,    ///< `literal`
    name,       ///< `text`
    star,       ///< * as an argument
    call,       ///< text(arguments)
    unary,      ///< `text` is "-" or "+", children[0]
    binary,     ///< `text` is the operator, children[0], children[1]
    logical,    ///< `text` is "and" or "or", two or more children
    member,     ///< children[0].text
    index,      ///< children[0][children[1]]
    list,       ///< children[0] text (children[1..]): in, has_any, ...; or `table` as the only operand
    between,    ///< children[0] text (children[1] .. children[2])
    type_of,    ///< typeof(type)
    sub_query,  ///< `table` as an argument: toscalar(T | count)
  };
  Kind kind = Kind::literal;
  Span span;
  std::string text{};
  Span text_span{};  ///< Of the operator, function or member name.
  Value literal{};
  std::vector<ExpressionPtr> children{};
  std::vector<Assignment> arguments{};
  Type type{};
  PipelinePtr table{};
};

struct SortKey {
  ExpressionPtr value;
  bool descending = true;
  std::optional<bool> nulls_first{};
};

struct Where {
  ExpressionPtr predicate;
};
struct Extend {
  std::vector<Assignment> columns;
};
struct Project {
  std::vector<Assignment> columns;
};
struct ProjectAway {
  std::vector<Name> columns;
};
struct ProjectKeep {
  std::vector<Name> columns;
};
struct ProjectRename {
  std::vector<std::pair<Name, Name>> columns;
};  ///< new name, old name
struct ProjectReorder {
  enum class Direction : std::uint8_t { as_is, ascending, descending };
  std::vector<std::pair<Name, Direction>> columns;
};
struct Summarize {
  std::vector<Assignment> measures;
  std::vector<Assignment> keys;
};
struct Sort {
  std::vector<SortKey> keys;
};
struct Take {
  ExpressionPtr count;
};
struct Top {
  ExpressionPtr count;
  SortKey key;
};
struct Distinct {
  std::vector<Assignment> columns;
  bool all = false;
};
struct Count {
  std::optional<Name> name;
};
struct As {
  Name name;
};
struct Serialize {
  std::vector<Assignment> columns;
};
struct Render {
  Name chart;
  std::vector<std::pair<std::string, std::string>> properties;
};
struct Union {
  std::vector<PipelinePtr> branches;  ///< Without the piped input.
  bool inner = false;
  bool fuzzy = false;
  std::optional<Name> with_source{};
};
struct Join {
  PipelinePtr right;
  Name kind;  ///< Empty text: the default.
  std::vector<ExpressionPtr> conditions;
  bool lookup = false;  ///< `lookup`: the right side's keys are dropped, and kind is leftouter or inner.
};

struct Operator;

/// mv-expand and the head of mv-apply.
struct Expand {
  struct Item {
    std::optional<Name> name;
    ExpressionPtr value;
    std::optional<Type> type;  ///< to typeof(...)
  };
  std::vector<Item> items;
  bool bags_as_arrays = false;
  std::optional<Name> index{};  ///< with_itemindex=
  ExpressionPtr limit{};
};
struct Apply {
  Expand expand;
  std::vector<Operator> operators;
};
struct Parse {
  struct Part {
    enum class Kind : std::uint8_t { star, text, column };
    Kind kind = Kind::star;
    std::string text{};
    Name name{};
    Type type = Type::string;
  };
  enum class Kind : std::uint8_t { simple, relaxed, regex };
  ExpressionPtr value;
  Kind kind = Kind::simple;
  std::string flags{};
  std::vector<Part> parts;
  bool where = false;  ///< parse-where: rows without a match are dropped.
};
struct ParseKv {
  ExpressionPtr value;
  std::vector<std::pair<Name, Type>> columns;
  std::vector<std::pair<Name, std::string>> options;
};
struct Search {
  std::vector<Name> tables;
  ExpressionPtr predicate;
  bool case_sensitive = false;
};
struct Find {
  struct Column {
    Name name;
    std::optional<Type> type;  ///< Converted to it.
  };
  std::vector<Name> tables;
  ExpressionPtr predicate;
  bool projects = false;        ///< Otherwise project-smart: columns in common and those the predicate names.
  std::vector<Column> columns;  ///< project
  bool packs = false;           ///< project ..., pack(*)
  std::optional<Name> with_source{};
};
struct MakeSeries {
  struct Measure {
    Assignment value;
    ExpressionPtr fallback;  ///< default=
  };
  std::vector<Measure> measures;
  ExpressionPtr axis, from, to, step;
  bool in_range = false;  ///< The older form: bins as bin() makes them, from the first at or after `from` up to `to`.
  std::vector<Assignment> keys;
};
struct Evaluate {
  Name plugin;
  std::vector<Assignment> arguments;
  bool has_schema = false;
  bool schema_star = false;  ///< `: (*, a:long)` keeps the input's columns too.
  std::vector<std::pair<Name, Type>> schema{};
};
struct TopNested {
  struct Level {
    ExpressionPtr count;
    Assignment key;
    ExpressionPtr others;
    Assignment measure;
    bool descending = true;
  };
  std::vector<Level> levels;
};
struct TopHitters {
  ExpressionPtr count, value, by;
};
struct Sample {
  ExpressionPtr count;
  ExpressionPtr value;  ///< sample-distinct
};
struct GetSchema {};
struct Consume {};
struct Invoke {
  ExpressionPtr call;
};
struct Partition {
  ExpressionPtr key;
  std::vector<Operator> operators;
  PipelinePtr table{};  ///< The form with a source of its own, which knows the key as a scalar.
};
struct Steps {  ///< scan
  struct Column {
    Name name;
    Type type{};
    ExpressionPtr fallback{};
  };
  struct Step {
    Name name;
    bool shown = true;
    ExpressionPtr condition;
    std::vector<Assignment> assignments;
  };
  std::optional<Name> match_id{};
  std::vector<Column> columns;  ///< declare
  std::vector<Step> steps;
};
struct MakeGraph {
  struct Nodes {
    PipelinePtr table;
    Name id;
  };
  Name source, target;
  std::optional<Name> node_id{};
  std::vector<Nodes> nodes{};
};
/// graph-match and graph-shortest-paths: nodes by name, edges between them in the order of the text.
struct GraphMatch {
  enum class Direction : std::uint8_t { right, left, any };
  enum class Cycles : std::uint8_t { all, none, unique_edges };
  struct Edge {
    Name name;
    Direction direction = Direction::right;
    std::size_t from = 0, to = 0;  ///< Among `nodes`.
    bool variable = false;         ///< A path of `least` to `most` edges.
    std::int64_t least = 1, most = 1;
  };
  bool shortest = false;
  bool all_paths = false;  ///< Of the shortest.
  Cycles cycles = Cycles::unique_edges;
  std::vector<Name> nodes{};
  std::vector<Edge> edges{};
  std::size_t sequences = 0;
  Span pattern{};
  ExpressionPtr predicate{};
  std::vector<Assignment> columns{};
};
struct GraphComponents {
  bool strong = false;
  Name id{};
};
struct GraphToTable {
  bool nodes = true;
  Name id{};         ///< Column of the hashes of nodes or of sources; empty: none.
  Name target_id{};  ///< Likewise, of targets.
};
struct Fork {
  std::vector<PipelinePtr> branches;  ///< Their sources are empty table names: the operator's input.
};
struct Facet {
  std::vector<Name> columns;
  std::vector<Operator> operators;  ///< with (...)
};

struct Operator {
  Span span;       ///< Of the operator's whole text.
  Span name_span;  ///< Of its keyword.
  std::variant<Where, Extend, Project, ProjectAway, ProjectKeep, ProjectRename, ProjectReorder, Summarize, Sort, Take,
               Top, Distinct, Count, As, Serialize, Render, Union, Join, Expand, Apply, Parse, ParseKv, Search,
               MakeSeries, Evaluate, TopNested, TopHitters, Sample, GetSchema, Consume, Invoke, Partition, Steps, Fork,
               Facet, MakeGraph, GraphMatch, GraphComponents, GraphToTable>
      op;
};

struct TableName {
  Name name;
};
struct Print {
  std::vector<Assignment> columns;
};
struct Datatable {
  std::vector<std::pair<Name, Type>> columns;
  std::vector<ExpressionPtr> cells;
};
struct Range {
  Name name;
  ExpressionPtr first, last, step;
};

/// f(...) as a table: a function that the query or the workspace defines, table("T"), materialize.
struct TableCall {
  ExpressionPtr call;
};
struct ExternalData {
  std::vector<std::pair<Name, Type>> columns;
  std::vector<ExpressionPtr> addresses;
};

struct Pipeline {
  Span span;
  /// What stands before the first pipe.
  std::variant<TableName, Print, Datatable, Range, Union, PipelinePtr, TableCall, Search, Find, ExternalData> source;
  std::vector<Operator> operators;
};

struct Function;
using FunctionPtr = std::unique_ptr<Function>;

struct Let {
  Name name;
  /// A lone name is an expression here; the binder finds out.
  std::variant<ExpressionPtr, PipelinePtr, FunctionPtr> value;
};

/// (T:(*), a:string, n:long=5) { let ...; body }
struct Function {
  struct Parameter {
    Name name;
    bool tabular = false;
    std::vector<std::pair<Name, Type>> columns{};  ///< Of a tabular parameter; empty: (*).
    Type type{};
    ExpressionPtr fallback{};
  };
  Span span;
  std::vector<Parameter> parameters;
  std::vector<Let> declarations;
  std::variant<ExpressionPtr, PipelinePtr> body;
};

struct Parameter {
  Name name;
  Type type;
  ExpressionPtr fallback;  ///< nullptr: none
};

/// set name = value; a text without its quotes.
struct Property {
  std::string name;
  std::string value;
  Span span;
};

/// The parts of a request in their order; each pipeline gives a result and sees the declarations before it.
struct Query {
  std::vector<std::variant<Let, Parameter, PipelinePtr>> statements;
  std::vector<Property> properties{};
};

}  // namespace picket::kql::ast
