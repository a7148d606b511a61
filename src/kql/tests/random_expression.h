// Random expressions that know both their text and their value: a second, slow meaning of the language, written from
// the specification alone (spec/kql.md section 3). Shares nothing with the binder or the emitter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace picket::kql::testing {

enum class Sort : std::uint8_t { whole, text, truth };

/// monostate is null; a text is never null.
using Cell = std::variant<std::monostate, std::int64_t, std::string, bool>;
using Row = std::vector<Cell>;

struct TypedColumn {
  std::string name;
  Sort sort;
};

struct RandomTable {
  std::vector<TypedColumn> columns;
  std::vector<Row> rows;
};

/// An expression over the rows of a table.
struct RandomExpression {
  std::string text;
  Sort sort;
  std::function<Cell(const Row&)> value;
};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. below - 1
  std::size_t roll(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(engine_); }
  bool chance(std::size_t of) { return roll(of) == 0; }

 private:
  std::mt19937_64 engine_;
};

/// An expression of the wanted sort, at most `depth` deep. `other`: the table that is called U in the query, for
/// expressions that look into it; its first column is a number.
RandomExpression random_expression(Dice& dice, const std::vector<TypedColumn>& columns, Sort sort, int depth,
                                   const RandomTable* other = nullptr);

/// Functions of texts, and paths through dynamic values (random_text.cc).
RandomExpression random_text(Dice& dice, const std::vector<TypedColumn>& columns, int depth);
RandomExpression random_text_number(Dice& dice, const std::vector<TypedColumn>& columns, int depth);
RandomExpression random_text_test(Dice& dice, RandomExpression left, RandomExpression right);
RandomExpression random_text_list_test(Dice& dice, RandomExpression text);
/// The letters of the generator's texts, without case.
std::string without_case(const std::string& text);

/// As the case files write a cell.
std::string cell_text(const Cell& cell);
/// As a literal of the language.
std::string cell_literal(const Cell& cell, Sort sort);
bool is_null(const Cell& cell);

}  // namespace picket::kql::testing
