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
struct Serialize {};
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
};

struct Operator {
  Span span;       ///< Of the operator's whole text.
  Span name_span;  ///< Of its keyword.
  std::variant<Where, Extend, Project, ProjectAway, ProjectKeep, ProjectRename, ProjectReorder, Summarize, Sort, Take,
               Top, Distinct, Count, As, Serialize, Render, Union, Join>
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

struct Pipeline {
  Span span;
  /// What stands before the first pipe.
  std::variant<TableName, Print, Datatable, Range, Union, PipelinePtr> source;
  std::vector<Operator> operators;
};

struct Let {
  Name name;
  std::variant<ExpressionPtr, PipelinePtr> value;  ///< A lone name is an expression here; the binder finds out.
};
struct Parameter {
  Name name;
  Type type;
  ExpressionPtr fallback;  ///< nullptr: none
};

struct Query {
  std::vector<std::variant<Let, Parameter>> declarations;
  PipelinePtr pipeline;
};

}  // namespace picket::kql::ast
