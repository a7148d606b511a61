// The recursive-descent parser; its two halves are parser.cc (statements, operators) and parser_expression.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ast.h"
#include "kql/compile.h"
#include "lexer.h"
#include "reserved.h"

namespace picket::kql {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Checked<ast::Query> query();
  /// "(a:long) { ... }" and nothing behind it.
  Checked<ast::FunctionPtr> lone_function();

 private:
  /// Counts one level of nesting while it lives.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Level() { --parser_.nesting_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    [[nodiscard]] bool too_deep() const { return parser_.nesting_ > kNestingMax; }

   private:
    Parser& parser_;
  };

  // --- tokens
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
  [[nodiscard]] bool at(std::string_view text,
                        std::size_t ahead = 0) const;  ///< Identifier or punctuation, not a string.
  [[nodiscard]] bool at_end() const { return peek().kind == TokenKind::end; }
  const Token& take();
  bool accept(std::string_view text);
  Checked<Span> expect(std::string_view text, std::string_view where);
  [[nodiscard]] std::unexpected<Diagnostic> expected(std::string_view what) const;
  [[nodiscard]] std::unexpected<Diagnostic> too_deep() const;
  [[nodiscard]] Span since(std::size_t start) const;
  /// Index of the token behind the bracket that closes the one at `ahead`; the end token's if none does.
  [[nodiscard]] std::size_t behind_bracket(std::size_t ahead) const;
  /// True if a '|' stands outside brackets before the `;`, ')' or ',' that ends this part.
  [[nodiscard]] bool has_pipe_ahead() const;
  [[nodiscard]] bool starts_table() const;

  // --- statements and operators (parser.cc)
  Checked<ast::Let> let();
  Checked<> set_statement(ast::Query& out);
  Checked<> declare_statement(ast::Query& out);
  Checked<ast::PipelinePtr> pipeline();
  Checked<> source(ast::Pipeline& out);
  Checked<ast::PipelinePtr> bracketed_pipeline();
  Checked<ast::Print> print();
  Checked<ast::Datatable> datatable();
  Checked<ast::Range> range();
  Checked<ast::Operator> pipe_operator();
  Checked<std::string> operator_name(Span& span);
  Checked<> skip_hints();
  Checked<ast::Summarize> summarize();
  Checked<std::vector<ast::SortKey>> sort_keys();
  Checked<ast::SortKey> sort_key();
  Checked<ast::Top> top();
  Checked<ast::Distinct> distinct();
  Checked<ast::Count> count();
  Checked<ast::Render> render();
  Checked<ast::Union> union_branches();
  Checked<ast::Join> join();
  Checked<std::vector<ast::Name>> name_patterns();
  Checked<ast::ProjectRename> project_rename();
  Checked<ast::ProjectReorder> project_reorder();

  // --- operators with a syntax of their own, functions (parser_operators.cc)
  Checked<std::vector<ast::Operator>> bracketed_operators(std::string_view where);
  Checked<Type> type_name();
  Checked<std::vector<std::pair<ast::Name, Type>>> row_schema(bool* star);
  Checked<ast::Expand> expand(std::string_view word);
  Checked<ast::Apply> apply();
  Checked<ast::Parse> parse_operator(bool where);
  Checked<ast::ParseKv> parse_kv();
  Checked<std::vector<ast::Name>> table_list();
  Checked<ast::Search> search();
  Checked<ast::Find> find();
  Checked<ast::MakeSeries> make_series();
  Checked<ast::Evaluate> evaluate();
  Checked<ast::TopNested> top_nested();
  Checked<ast::TopHitters> top_hitters();
  Checked<ast::Sample> sample(bool distinct);
  Checked<ast::Partition> partition();
  Checked<ast::Steps> scan_steps();
  Checked<ast::Steps::Step> scan_step();
  // --- graphs (parser_graph.cc)
  bool accept_option(std::string_view name);
  Checked<std::int64_t> whole_literal(std::string_view what);
  Checked<ast::MakeGraph> make_graph();
  Checked<std::size_t> graph_node(ast::GraphMatch& out);
  Checked<ast::GraphMatch::Edge> graph_edge();
  Checked<ast::GraphMatch> graph_match(bool shortest);
  Checked<ast::GraphComponents> graph_components();
  Checked<ast::GraphToTable> graph_to_table();

  Checked<ast::Fork> fork();
  Checked<ast::Facet> facet();
  Checked<ast::ExternalData> external_data();
  Checked<ast::FunctionPtr> function();

  // --- names and expressions (parser_expression.cc)
  /// A word as it stands: names of options, charts and kinds.
  Checked<ast::Name> word(std::string_view what);
  Checked<ast::Name> name(std::string_view what, NameUse use = NameUse::given);
  /// The error for a word that is no name here; nullopt where it may be one.
  [[nodiscard]] static std::optional<Diagnostic> bracket_wanted(const Token& token, NameUse use);
  Checked<ast::Name> name_pattern();
  Checked<std::vector<ast::Assignment>> assignments();
  Checked<ast::Assignment> assignment();
  Checked<ast::ExpressionPtr> expression();
  Checked<ast::ExpressionPtr> logical(bool is_or);
  Checked<ast::ExpressionPtr> equality();
  Checked<ast::ExpressionPtr> membership(ast::ExpressionPtr left);
  Checked<ast::ExpressionPtr> between(ast::ExpressionPtr left);
  Checked<ast::ExpressionPtr> relational();
  Checked<ast::ExpressionPtr> arithmetic(bool additive);
  Checked<ast::ExpressionPtr> string_comparison();
  Checked<ast::ExpressionPtr> unary();
  Checked<ast::ExpressionPtr> postfix();
  Checked<ast::ExpressionPtr> primary();
  Checked<ast::ExpressionPtr> call();
  Checked<ast::ExpressionPtr> type_of();
  Checked<ast::ExpressionPtr> string_literal();
  Checked<ast::ExpressionPtr> dynamic_literal();
  Checked<> json_value(std::string& out);
  Checked<> json_container(std::string& out, bool object);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
};

}  // namespace picket::kql
