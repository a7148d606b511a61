// The binder; its parts are binder.cc (sources), binder_columns.cc (extend, project and its like, names of columns),
// binder_rows.cc (where, sort, take and what only describes a result), binder_scope.cc (declarations, functions of the
// query and the workspace), binder_summarize.cc, binder_tables.cc (union, join), binder_expand.cc (mv-expand, mv-apply,
// partition), binder_parse.cc, binder_windows.cc (serialize and its functions), binder_series.cc, binder_top.cc,
// binder_search.cc, binder_plugins.cc, binder_expression.cc (names, operators, paths), binder_membership.cc (in and its
// like), binder_overloads.cc (calls), binder_functions.cc and binder_calls.cc (functions that need code) and
// binder_types.cc (conversion, comparison, arithmetic, promoted keys).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
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

/// What make-graph gives: tables of edges and of nodes, each node once.
struct Graph {
  NodePtr edges;
  Scope edge_columns;
  ScopeColumn source, target;
  NodePtr nodes;
  ScopeColumn node_id;  ///< Of `nodes`, though not always one of its properties.
  Scope node_columns;
};

/// What a tabular expression is while it is being bound.
struct Relation {
  NodePtr node;
  Scope columns;
  Order order{};
  std::optional<RenderHint> render{};
  bool serialized = false;            ///< Rows have an order, though not one of columns: window functions may be used.
  std::optional<ColumnId> ordinal{};  ///< A column that numbers the rows in their order.
  std::vector<ColumnId> partition{};  ///< Inside mv-apply and partition: each operator works apart for each value.
  Scope carried{};                    ///< Columns that outlive aggregation there.
  std::shared_ptr<const Graph> graph{};  ///< Set: no table, though `columns` are those of the edges.
};

/// `pattern` holds stars, each for any characters.
bool matches_pattern(std::string_view name, std::string_view pattern);

/// Capturing groups in the text of a regular expression.
std::size_t regex_groups(std::string_view regex);
/// The number of the group (?P<name>...), from 1; nullopt: none.
std::optional<std::size_t> regex_group(std::string_view regex, std::string_view name);
/// The elements of a JSON array of scalars as texts; nullopt: not an array.
std::optional<std::vector<std::string>> text_elements(std::string_view json);

class Binder {
 public:
  Binder(const Schema& schema, const Options& options, const Discover& discover)
      : schema_(schema), options_(options), discover_(discover) {}
  Checked<std::vector<Plan>> run(const ast::Query& query);

 private:
  /// A name that the query declares. Names form a chain: each sees those before it, so scopes are lexical and nothing
  /// refers to itself.
  struct Declared {
    const Declared* before = nullptr;
    std::uint32_t frame = 0;  ///< Of which function call; 0: the query's own.
    std::string name{};
    ExprPtr scalar{};                       ///< A scalar `let` or parameter.
    std::uint32_t scalar_level = 0;         ///< How deep in tables it was bound: its columns mean something only there.
    const ast::Pipeline* table = nullptr;   ///< A tabular `let`: bound anew at each use, so that each has its columns.
    std::size_t operators = SIZE_MAX;       ///< Only so many of its operators: the input of `as` and `invoke`.
    const Declared* table_scope = nullptr;  ///< What its names mean.
    const ast::Function* function = nullptr;  ///< Bound at each call.
    bool from_workspace = false;              ///< Its spans are not in the query's text.
  };
  struct PromotedKey {
    std::string path;
    Type type;
    ColumnId value;
    std::optional<ColumnId> exact;
    ExprPtr source;  ///< The key's value as a path into the column that holds the text.
  };
  /// Measures that a summarize expression holds; nullptr outside of summarize.
  struct Measures {
    std::vector<Aggregate::Measure> found;
    const Scope* input;
    std::vector<ColumnId> plain_keys;    ///< Columns that are keys as they stand.
    bool inside = false;                 ///< Within the argument of an aggregate.
    std::vector<std::string> starred{};  ///< Names that a '*' gave.
  };

  // --- declarations and functions (binder_scope.cc)
  Checked<> declare(const ast::Let& let);
  Checked<> declare(const ast::Parameter& parameter);
  Checked<> check_new_name(const ast::Name& name) const;
  Declared& add_declared(std::string name);
  [[nodiscard]] const Declared* find_declared(std::string_view name) const;
  [[nodiscard]] bool is_table(std::string_view name) const;
  /// The function of this name, of the query or the workspace; nullptr: none.
  Checked<const Declared*> find_function(std::string_view name, Span span);
  [[nodiscard]] bool gives_table(const Declared& function);
  Checked<ExprPtr> call_scalar(const Declared& function, const ast::Expression& call);
  Checked<Relation> call_table(const Declared& function, const ast::Expression& call, const Declared* input);
  Checked<> declare_arguments(const Declared& function, const ast::Expression& call, const Declared* input);
  Checked<> declare_table_argument(const ast::Function::Parameter& parameter, const ast::Expression& argument,
                                   const Declared* caller);
  Checked<> check_table_argument(const ast::Function::Parameter& parameter, const Relation& table, Span span) const;
  template <class Out, class Body>
  Checked<Out> in_function(const Declared& function, const ast::Expression& call, const Declared* input, Body body);
  Checked<std::vector<Plan>> bind_results(const ast::Pipeline& pipeline);
  Plan finish_plan(Relation relation);

  // --- sources (binder.cc) and operators (binder_columns.cc, binder_rows.cc)
  Checked<Relation> bind_pipeline(const ast::Pipeline& pipeline);
  Checked<Relation> bind_operators(const ast::Pipeline& pipeline, std::size_t count);
  Checked<Relation> bind_declared_table(const Declared& declared);
  Checked<Relation> bind_source(const ast::Pipeline& pipeline);
  Checked<Relation> bind_table_call(const ast::Expression& call);
  Checked<std::string> table_named(const ast::Expression& call);
  Checked<Relation> bind_external(const ast::ExternalData& external, Span span);
  Checked<> apply_all(Relation& relation, std::span<const ast::Operator> operators);
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
  Checked<> apply(Relation& relation, const ast::Expand& op, Span span);
  Checked<> apply(Relation& relation, const ast::Apply& op, Span span);
  Checked<> apply(Relation& relation, const ast::Parse& op, Span span);
  Checked<> apply(Relation& relation, const ast::ParseKv& op, Span span);
  Checked<> apply(Relation& relation, const ast::Search& op, Span span);
  Checked<> apply(Relation& relation, const ast::MakeSeries& op, Span span);
  Checked<> apply(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<> apply(Relation& relation, const ast::TopNested& op, Span span);
  Checked<> apply(Relation& relation, const ast::TopHitters& op, Span span);
  Checked<> apply(Relation& relation, const ast::Sample& op, Span span);
  Checked<> apply(Relation& relation, const ast::GetSchema& op, Span span);
  Checked<> apply(Relation& relation, const ast::Consume& op, Span span);
  Checked<> apply(Relation& relation, const ast::Invoke& op, Span span);
  Checked<> apply(Relation& relation, const ast::Partition& op, Span span);
  Checked<> apply(Relation& relation, const ast::Steps& op, Span span);
  Checked<> apply(Relation& relation, const ast::Fork& op, Span span);
  Checked<> apply(Relation& relation, const ast::Facet& op, Span span);
  Checked<> apply(Relation& relation, const ast::MakeGraph& op, Span span);
  Checked<> apply(Relation& relation, const ast::GraphMatch& op, Span span);
  Checked<> apply(Relation& relation, const ast::GraphComponents& op, Span span);
  Checked<> apply(Relation& relation, const ast::GraphToTable& op, Span span);
  Checked<std::vector<std::size_t>> matching(const Scope& scope, const ast::Name& pattern) const;
  Checked<> sort_by(Relation& relation, std::span<const ast::SortKey* const> keys);
  Checked<std::int64_t> row_count(const ast::Expression& count);
  Checked<NodePtr> make_node(decltype(Node::op) op, Span span);
  Checked<> take_rows(Relation& relation, std::int64_t rows, Span span);
  /// Columns of extend, project and serialize: several for one value where the function gives a row.
  Checked<> bind_columns(Relation& relation, const std::vector<ast::Assignment>& columns, bool keep, Span span);
  struct OutputColumn {
    std::string name;
    bool given = false;  ///< By the query, so that a clash is an error.
    ExprPtr value;
    Span span;
  };
  Checked<std::vector<OutputColumn>> bind_output(Relation& relation, const ast::Assignment& assignment);
  static bool refused_apart(const Relation& relation) { return !relation.partition.empty(); }

  // --- serialized rows (binder_windows.cc)
  Checked<ColumnId> number_rows(Relation& relation, Span span);
  Checked<ExprPtr> bind_window(const ast::Expression& call, std::string_view name);
  Checked<ExprPtr> add_window(Relation& relation, Window window, Type type, bool nullable, Span span);

  // --- expansion, apart (binder_expand.cc)
  Checked<> expand(Relation& relation, const ast::Expand& op, Span span, std::vector<std::string>& names);
  Checked<> aggregate(Relation& relation, Aggregate aggregate, Span span);
  Checked<> with_source(Relation& relation, const ScopeColumn& key, const ast::Partition& op, Span span);

  // --- graphs (binder_graph.cc, binder_match.cc)
  struct Match;
  static std::unexpected<Diagnostic> no_graph(Span span);
  static Checked<> check_table(const Relation& relation, Span span);
  Checked<NodePtr> once(NodePtr node, const Scope& columns, Span span);
  Checked<Relation> distinct_nodes(Relation table, const ScopeColumn& id, Span span);
  Checked<> add_properties(Graph& graph, Relation table, const ast::Name& id_name, Span span);
  ExprPtr along(std::size_t edge, Matches::Along::Kind kind, bool inner, ExprPtr value);
  std::optional<Checked<ExprPtr>> graph_property(const ast::Expression& expression);
  std::optional<Checked<ExprPtr>> graph_function(const ast::Expression& call);
  Checked<> name_elements(Match& match);
  Checked<> order_hops(Match& match, const std::vector<ExprPtr>& conditions);
  Checked<> keep_shortest(Relation& relation, const ast::GraphMatch& op, Matches& plan, Span span);

  // --- scan (binder_scan.cc)
  /// What `step.column` means, by the names of both.
  using StepColumns = std::map<std::string, std::map<std::string, ExprPtr, std::less<>>, std::less<>>;
  [[nodiscard]] std::optional<ExprPtr> step_column(const ast::Expression& expression) const;
  Checked<Steps::Try> bind_try(const Relation& relation, const ast::Steps::Step& step,
                               const std::vector<ScopeColumn>& declared, const std::vector<ExprPtr>& fallbacks,
                               const StepColumns& seen);

  // --- search (binder_search.cc)
  Checked<Relation> bind_search(const ast::Search& op, Span span);
  Checked<Relation> union_of(std::vector<Relation> branches, std::vector<std::string> names,
                             const std::string& source_name, Span span);
  Checked<ExprPtr> bind_search_predicate(const ast::Expression& expression, bool case_sensitive);
  Checked<ExprPtr> any_column(std::string_view op, const ExprPtr& wanted, Span span);
  [[nodiscard]] std::vector<std::string> matching_tables(const std::vector<ast::Name>& patterns) const;
  Checked<> check_search_names(const ast::Expression& expression) const;

  // --- find (binder_find.cc)
  struct FindTable {
    std::string name;
    Relation table;
    std::vector<std::string> read;  ///< Columns of it that the predicate reads.
  };
  struct FoundColumn {
    std::string name;
    Type type;
    bool converted = false;
    friend bool operator==(const FoundColumn&, const FoundColumn&) = default;
  };
  Checked<Relation> bind_find(const ast::Find& op, Span span);
  Checked<std::vector<FindTable>> find_tables(const ast::Find& op, Span span);
  [[nodiscard]] std::vector<FoundColumn> found_columns(const ast::Find& op, const std::vector<FindTable>& tables) const;
  Checked<Relation> find_in_table(const ast::Find& op, FindTable one, const std::vector<FoundColumn>& columns,
                                  bool packs, Span span);

  // --- plugins (binder_plugins.cc)
  Checked<> bag_unpack(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<> pivot(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<> narrow(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<> basket(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<> ip_lookup(Relation& relation, const ast::Evaluate& op, Span span);
  Checked<std::vector<std::string>> discover_texts(const Relation& relation, const ExprPtr& text, Span span,
                                                   std::string_view what);

  // --- summarize (binder_summarize.cc)
  Checked<std::vector<NamedExpr>> bind_keys(const Scope& input, const std::vector<ast::Assignment>& keys, Scope& out);
  Checked<> bind_measure(Measures& measures, const ast::Assignment& assignment, Scope& out,
                         std::vector<NamedExpr>& computed, const Scope& keys);
  Checked<> bind_row_measure(Measures& measures, const AggregateFunction& function, const ast::Assignment& assignment,
                             Scope& out, const Scope& keys);
  Checked<> bind_percentiles(Measures& measures, const ast::Assignment& assignment, Scope& out, const Scope& keys);
  Checked<ExprPtr> weight_of(const ExprPtr& given, Span span);
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
  Checked<ExprPtr> list_of(Relation table, Span span);
  Checked<std::vector<ExprPtr>> list_items(const ast::Expression& expression);
  Checked<ExprPtr> bind_dynamic_list(const ast::Expression& expression, ExprPtr left, ExprPtr list);
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
  static std::span<const CodedFunction> coded_calls();  ///< The second half of the table (binder_calls.cc).
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
  Checked<ExprPtr> bind_pack(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_pack_all(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_pack_array(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_range(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_repeat(const ast::Expression& call, std::vector<ExprPtr>& args);
  template <std::size_t which>
  Checked<ExprPtr> bind_folded(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_array_call(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_series_pair(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_series_one(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_any_range(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_column_if_exists(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_is_column(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_digest_percentile(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_get_type(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_datetime_part(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_bin_at(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_ingestion_time(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_current_database(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_extract_all(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_round(const ast::Expression& call, std::vector<ExprPtr>& args);
  Checked<ExprPtr> bind_from_unix(const ast::Expression& call, std::vector<ExprPtr>& args);
  /// A value's JSON, as an element of an array: 'null' where it is null.
  static ExprPtr json_of(const ExprPtr& value);
  Checked<bool> gives_rows(const ast::Expression& argument);
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

  // --- names of columns (binder_columns.cc)
  ColumnId new_column() { return next_column_++; }
  static std::string implicit_name(const ast::Expression& expression);
  static std::string unique_name(const Scope& scope, std::string name);
  /// The name of a column of `side` beside `out`: its own, or the first with a number that neither of both has.
  static std::string joined_name(const Scope& out, const Scope& side, const std::string& name);
  /// What ingestion_time() reads is a hidden column of a name that no query can write.
  static constexpr std::string_view kIngestionColumn = "\n";
  /// Hidden columns of a union: those of any branch. Fills in what the branches give for them.
  void unite_hidden(std::span<const Relation> branches, Relation& relation, Union& out);
  /// The hidden columns of the table that this relation's columns come from; nullptr: none.
  [[nodiscard]] const Scope* hidden_of(const Relation& relation) const;
  /// As find_column(); then the hidden columns of the tables whose columns are in scope.
  [[nodiscard]] const ScopeColumn* find_any_column(const Scope& scope, std::string_view name) const;
  static const ScopeColumn* find_column(const Scope& scope, std::string_view name);
  Checked<> add_column(Scope& scope, ScopeColumn column, Span span) const;
  /// Column with a value: an existing column is used as it is, anything else is added to `computed`.
  ScopeColumn define(std::string name, const ExprPtr& expr, std::vector<NamedExpr>& computed);

  const Schema& schema_;
  const Options& options_;
  const Discover& discover_;
  std::deque<Declared> declared_;      ///< Of the whole run; what is visible hangs on `visible_`.
  const Declared* visible_ = nullptr;  ///< The last name that can be seen here.
  std::uint32_t frame_ = 0;
  std::uint32_t frames_ = 0;
  std::uint32_t call_depth_ = 0;
  std::uint32_t level_ = 0;                                     ///< Tables inside of expressions inside of tables.
  std::map<std::string, const Declared*, std::less<>> stored_;  ///< Functions of the workspace that were called.
  std::vector<ast::FunctionPtr> stored_functions_;
  std::vector<ast::PipelinePtr> made_tables_;  ///< Pipelines that no text has: what `let x = T` stands for.
  std::map<const ast::Pipeline*, const ast::Expression*> called_tables_;  ///< Those of them that are a call.
  const ast::Pipeline* pipeline_ = nullptr;  ///< The one whose operators are being bound, and how far.
  std::size_t pipeline_at_ = 0;
  bool row_wanted_ = false;                  ///< The call being bound may give several columns.
  Relation* window_ = nullptr;               ///< What window functions in the expression being bound work on.
  std::map<ColumnId, ExprPtr> definitions_;  ///< Of columns that stand for a JSON text or a path in one.
  std::map<ColumnId, std::vector<PromotedKey>> promoted_;
  std::map<ColumnId, std::shared_ptr<const Scope>> hidden_;  ///< Of the table that the column was read from.
  std::vector<std::string> tables_;
  ColumnId next_column_ = 0;
  std::size_t nodes_ = 0;
  const Scope* scope_ = nullptr;  ///< What names mean in the expression being bound.
  Measures* measures_ = nullptr;
  const StepColumns* step_columns_ = nullptr;  ///< In the conditions and values of scan.
  Match* match_ = nullptr;                     ///< In those of graph-match.
};

}  // namespace picket::kql
