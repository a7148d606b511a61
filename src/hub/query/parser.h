// Tokens to expressions. Private to this library.
#pragma once

#include <string_view>
#include <vector>

#include "expression.h"
#include "lexer.h"

namespace picket::hub {

/// Recursive descent with a bound on depth and nodes. A failed step leaves the
/// first error in `failed()`.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, Dialect dialect)
      : text_(text), tokens_(std::move(tokens)), dialect_(dialect) {}

  HubResult<Expression> expression();
  HubResult<FieldPath> path();

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
  /// Takes the next token if it is this word (without case) or symbol.
  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);
  [[nodiscard]] bool at_word(std::string_view word, std::size_t ahead = 0) const;
  [[nodiscard]] bool at_symbol(std::string_view symbol, std::size_t ahead = 0) const;
  Token take();
  [[nodiscard]] std::unexpected<HubError> error(std::string_view what) const;
  [[nodiscard]] std::unexpected<HubError> error_at(const Token& token, std::string_view what) const;
  HubResult<> expect_symbol(std::string_view symbol, std::string_view why);
  /// What is at the next token, for messages: "'x'" or "the end".
  [[nodiscard]] std::string here() const;

 private:
  HubResult<Expression> chain_of_or();
  HubResult<Expression> chain_of_and();
  HubResult<Expression> negation();
  HubResult<Expression> comparison();
  HubResult<Expression> membership(Expression left, bool negated);
  HubResult<Expression> sum();
  HubResult<Expression> product();
  HubResult<Expression> sign();
  HubResult<Expression> primary();
  HubResult<Expression> array();
  HubResult<Expression> call();
  HubResult<PathStep> bracket();
  HubResult<> name_step(FieldPath& out);
  HubResult<> enter();
  void leave() { --depth_; }
  HubResult<> count();

  std::string_view text_;
  std::vector<Token> tokens_;
  Dialect dialect_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t nodes_ = 0;
};

}  // namespace picket::hub

/// QUERY_TRY(auto x, f()): the value, or the HubError to the caller.
#define QUERY_TRY(declaration, ...) \
  PICKET_TRY_IMPL(PICKET_CONCAT(try_, __COUNTER__), declaration, (__VA_ARGS__), return)
#define QUERY_TRY_VOID(...) PICKET_TRY_VOID_IMPL(PICKET_CONCAT(try_, __COUNTER__), (__VA_ARGS__), return)
