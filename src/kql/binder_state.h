// The binder; its parts are binder.cc (declarations, operators), binder_summarize.cc, binder_tables.cc (union, join),
// binder_expression.cc, binder_functions.cc (functions that need code) and binder_types.cc (conversion, comparison,
// arithmetic, promoted keys).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ast.h"
#include "binder.h"
#include "functions.h"

namespace picket::kql {

/// A column as names see it.
struct ScopeColumn {
  std::string name;
  Type type;
  ColumnId id;
  bool nullable = true;
};
using Scope = std::vector<ScopeColumn>;

/// What a tabular expression is while it is being bound.
struct Relation {
  NodePtr node;
  Scope columns;
  Order order{};
  std::optional<RenderHint> render{};
};

class Binder {
 public:
  Binder(const Schema& schema, const Options& options) : schema_(schema), options_(options) {}
  Checked<Plan> run(const ast::Query& query);

 private:
  struct Declared {
    std::string name;
    ExprPtr scalar;  ///< A scalar `let` or parameter.
    const ast::Pipeline* table =
        nullptr;  ///< A tabular `let`: bound anew at each use, so that each has its own columns.
  };
  struct PromotedKey {
    std::string path;
    Type type;
    ColumnId value;
    std::optional<ColumnId> exact;
  };
  /// Measures that a summarize expression holds; nullptr outside of summarize.
  struct Measures {
    std::vector<Aggregate::Measure> found;
    const Scope* input;
    std::vector<ColumnId> plain_keys;  ///< Columns that are keys as they stand.
    bool inside = false;               ///< Within the argument of an aggregate.
  };

  // --- declarations and operators (binder.cc)
  Checked<> declare(const ast::Let& let);
  Checked<> declare(const ast::Parameter& parameter);
  Checked<> check_new_name(const ast::Name& name) const;
  [[nodiscard]] const Declared* find_declared(std::string_view name) const;
  [[nodiscard]] bool is_table(std::string_view name) const;
  Checked<Relation> bind_pipeline(const ast::Pipeline& pipeline);
  Checked<Relation> bind_source(const ast::Pipeline& pipeline);
  Checked<Relation> bind_table(const ast::Name& name);
  Checked<Relation> scan(const Table& table, Span span);
  Checked<Relation> bind_print(const ast::Print& print);
  Checked<Relation> bind_datatable(const ast::Datatable& table, Span span);
  Checked<Relation> bind_range(const ast::Range& range);
  Checked<> apply(Relation& relation, const ast::Operator& op);
  Checked<> apply(Relation& relation, const ast::Where& op, Span span);
  Checked<> apply(Relation& relation, const ast::Extend& op, Span span);
  Checked<> apply(Relation& relation, const ast::Project& op, Span span);
  Checked<> apply(Relation& relation, const ast::ProjectAway& op, Span span);
  Checked<> apply(Relation& relation, const ast::ProjectKeep& op, Span span);
  Checked<> apply(Relation& relation, const ast::ProjectRename& op, Span span);
  Checked<> apply(Relation& relation, const ast::ProjectReorder& op, Span span);
  Checked<> apply(Relation& relation, const ast::Summarize& op, Span span);
  Checked<> apply(Relation& relation, const ast::Sort& op, Span span);
  Checked<> apply(Relation& relation, const ast::Take& op, Span span);
  Checked<> apply(Relation& relation, const ast::Top& op, Span span);
  Checked<> apply(Relation& relation, const ast::Distinct& op, Span span);
  Checked<> apply(Relation& relation, const ast::Count& op, Span span);
  Checked<> apply(Relation& relation, const ast::As& op, Span span);
  Checked<> apply(Relation& relation, const ast::Serialize& op, Span span);
  Checked<> apply(Relation& relation, const ast::Render& op, Span span);
  Checked<> apply(Relation& relation, const ast::Union& op, Span span);
  Checked<> apply(Relation& relation, const ast::Join& op, Span span);
  Checked<std::vector<std::size_t>> matching(const Scope& scope, const ast::Name& pattern) const;
  Checked<> sort_by(Relation& relation, std::span<const ast::SortKey* const> keys);
  Checked<std::int64_t> row_count(const ast::Expression& count);
  Checked<NodePtr> make_node(decltype(Node::op) op, Span span);

  // --- summarize (binder_summarize.cc)
  Checked<std::vector<NamedExpr>> bind_keys(const Scope& input, const std::vector<ast::Assignment>& keys, Scope& out);
  Checked<> bind_measure(Measures& measures, const ast::Assignment& assignment, Scope& out,
                         std::vector<NamedExpr>& computed, const Scope& keys);
  Checked<> bind_row_measure(Measures& measures, const AggregateFunction& function, const ast::Assignment& assignment,
                             Scope& out, const Scope& keys);
  Checked<> bind_percentiles(Measures& measures, const ast::Assignment& assignment, Scope& out, const Scope& keys);
  Checked<ExprPtr> bind_aggregate(const AggregateFunction& function, const ast::Expression& call);
  Checked<Type> aggregate_type(const AggregateFunction& function, Type argument, Span span) const;

  // --- union and join (binder_tables.cc)
  Checked<Relation> bind_union(std::vector<Relation> branches, std::vector<std::string> names, const ast::Union& op,
                               Span span);
  Checked<std::optional<Relation>> bind_union_branch(const ast::Pipeline& branch, bool fuzzy, std::string& name);
  Checked<std::pair<ColumnId, ColumnId>> join_key(const Relation& left, const Relation& right,
                                                  const ast::Expression& on);

  // --- expressions (binder_expression.cc)
  Checked<ExprPtr> bind_in(const Scope& scope, const ast::Expression& expression);
  Checked<ExprPtr> bind_expression(const ast::Expression& expression);
  Checked<ExprPtr> bind_predicate(const ast::Expression& expression);
  Checked<ExprPtr> bind_name(const ast::Expression& expression);
  Checked<ExprPtr> bind_unary(const ast::Expression& expression);
  Checked<ExprPtr> bind_binary(const ast::Expression& expression);
  Checked<ExprPtr> bind_string_operator(const ast::Expression& expression, ExprPtr left, ExprPtr right);
  Checked<ExprPtr> bind_logical(const ast::Expression& expression);
  Checked<ExprPtr> bind_path(const ast::Expression& expression);
  Checked<ExprPtr> bind_list(const ast::Expression& expression);
  Checked<ExprPtr> bind_in_table(const ast::Expression& expression, ExprPtr left, Relation table);
  Checked<std::vector<ExprPtr>> list_items(const ast::Expression& expression);
  Checked<ExprPtr> bind_between(const ast::Expression& expression);
  Checked<ExprPtr> bind_call(const ast::Expression& expression);
  Checked<ExprPtr> bind_overload(const ScalarFunction& function, const ast::Expression& expression,
                                 std::vector<ExprPtr> args);
  /// The argument as the letter wants it; nullopt: it does not fit. `cost` grows with each conversion.
  Checked<std::optional<ExprPtr>> fit(char letter, const ExprPtr& arg, int& cost);

  // --- functions that need code (binder_functions.cc)
  using FunctionBinder = Checked<ExprPtr> (Binder::*)(const ast::Expression& call, std::vector<ExprPtr>& args);
  struct CodedFunction {
    std::string_view name;
    NameRule name_rule;
    std::string_view prefix;
    std::size_t args_min, args_max;
    FunctionBinder bind;
  };
  static std::span<const CodedFunction> coded_functions();
  static const CodedFunction* find_coded(std::string_view name);
  static std::vector<std::string_view> similar_names(std::string_view name);
  Checked<ExprPtr> bind_now(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_ago(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_bin(const ast::Expression& call, std::vector<ExprPtr>& args);
  template <Type target>
  Checked<ExprPtr> bind_conversion(const ast::Expression& call, std::vector<ExprPtr>& args);
  template <bool negate>
  Checked<ExprPtr> bind_is_empty(const ast::Expression& call, std::vector<ExprPtr>& args);
  template <bool negate>
  Checked<ExprPtr> bind_is_null(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_iff(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_case(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_coalesce(const ast::Expression& call, std::vector<ExprPtr>& args);
  template <bool least>
  Checked<ExprPtr> bind_extreme(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_parse_json(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_extract_json(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_extract(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_datetime_diff(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_datetime_add(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_to_scalar(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<std::string> constant_text(const ast::Expression& argument, const ExprPtr& bound) const;

  // --- types (binder_types.cc)
  ExprPtr convert(const ExprPtr& expr, Type target);
  Checked<ExprPtr> compare(std::string_view op, Span op_span, ExprPtr left, ExprPtr right);
  Checked<ExprPtr> arithmetic(std::string_view op, Span op_span, ExprPtr left, ExprPtr right);
  /// A dynamic value as `target`, for comparison with one: null where the JSON value is of another kind.
  ExprPtr comparable(const ExprPtr& dynamic, Type target);
  /// The type all can become; nullopt: none.
  static std::optional<Type> common_type(std::span<const ExprPtr> exprs);
  [[nodiscard]] const PromotedKey* promoted_key(const ExprPtr& dynamic) const;
  [[nodiscard]] std::optional<std::pair<ColumnId, std::string>> json_source(const ExprPtr& dynamic, int hops) const;
  ExprPtr guarded(const PromotedKey& key, ExprPtr promoted, ExprPtr fallback) const;

  // --- names of columns (binder.cc)
  ColumnId new_column() { return next_column_++; }
  static std::string implicit_name(const ast::Expression& expression);
  static std::string unique_name(const Scope& scope, std::string name);
  static const ScopeColumn* find_column(const Scope& scope, std::string_view name);
  Checked<> add_column(Scope& scope, ScopeColumn column, Span span) const;
  /// Column with a value: an existing column is used as it is, anything else is added to `computed`.
  ScopeColumn define(std::string name, const ExprPtr& expr, std::vector<NamedExpr>& computed);

  const Schema& schema_;
  const Options& options_;
  std::vector<Declared> declared_;
  /// Names declared before the one being bound: a `let` sees only those, so `let T = T | where x` means the stored T.
  std::size_t visible_ = static_cast<std::size_t>(-1);
  std::vector<ast::PipelinePtr> renamed_tables_;  ///< What `let x = T` stands for.
  std::map<ColumnId, ExprPtr> definitions_;       ///< Of columns that stand for a JSON text or a path in one.
  std::map<ColumnId, std::vector<PromotedKey>> promoted_;
  std::vector<std::string> tables_;
  ColumnId next_column_ = 0;
  std::size_t nodes_ = 0;
  const Scope* scope_ = nullptr;  ///< What names mean in the expression being bound.
  Measures* measures_ = nullptr;
};

}  // namespace picket::kql
