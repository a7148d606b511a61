#include "random_expression.h"

#include <algorithm>
#include <cctype>

namespace picket::kql::testing {

namespace {

using Columns = std::vector<TypedColumn>;
const Cell kNull{};

Cell whole_result(char op, const Cell& a, const Cell& b) {
  if (is_null(a) || is_null(b)) return kNull;
  const auto x = std::get<std::int64_t>(a);
  const auto y = std::get<std::int64_t>(b);
  switch (op) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return y == 0 ? kNull : Cell(x / y);
    default:
      return y == 0 ? kNull : Cell(((x % y) + std::abs(y)) % std::abs(y));  // never negative
  }
}

/// null == null is null, null == value false, null != value true; order with null is null.
Cell compare(const std::string& op, const Cell& a, const Cell& b) {
  const bool equality = op == "==" || op == "!=";
  if (is_null(a) && is_null(b)) return kNull;
  if (is_null(a) || is_null(b)) return equality ? Cell(op == "!=") : kNull;
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

bool is_true(const Cell& cell) { return !is_null(cell) && std::get<bool>(cell); }

RandomExpression constant(Dice& dice, Sort sort) {
  Cell cell;
  if (sort == Sort::whole) cell = dice.chance(8) ? kNull : Cell(static_cast<std::int64_t>(dice.roll(9)) - 3);
  if (sort == Sort::truth) cell = dice.chance(2);
  static const std::vector<std::string> kTexts = {"",    "a", "b",   "ab", "a b",    "A",   "x_a",
                                                  "b-a", "É", "é b", "1",  "日本 a", "a.b", "B1_2"};
  if (sort == Sort::text) cell = kTexts[dice.roll(kTexts.size())];
  return {cell_literal(cell, sort), sort, [cell](const Row&) { return cell; }};
}

RandomExpression leaf(Dice& dice, const Columns& columns, Sort sort) {
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].sort == sort) fitting.push_back(i);
  }
  if (fitting.empty() || dice.chance(3)) return constant(dice, sort);
  const auto at = fitting[dice.roll(fitting.size())];
  return {columns[at].name, sort, [at](const Row& row) { return row[at]; }};
}

RandomExpression whole(Dice& dice, const Columns& columns, int depth) {
  const auto part = [&](Sort sort) { return random_expression(dice, columns, sort, depth - 1); };
  switch (dice.roll(6)) {
    case 0:
    case 5:
      return random_text_number(dice, columns, depth);
    case 1: {
      auto condition = part(Sort::truth);
      auto yes = part(Sort::whole);
      auto no = part(Sort::whole);
      return {"iff(" + condition.text + ", " + yes.text + ", " + no.text + ")", Sort::whole,
              [=](const Row& row) { return is_true(condition.value(row)) ? yes.value(row) : no.value(row); }};
    }
    case 2: {
      auto first = part(Sort::whole);
      auto second = part(Sort::whole);
      return {"coalesce(" + first.text + ", " + second.text + ")", Sort::whole, [=](const Row& row) {
                auto value = first.value(row);
                return is_null(value) ? second.value(row) : value;
              }};
    }
    default: {
      const char op = "+-*/%"[dice.roll(5)];
      auto left = part(Sort::whole);
      auto right = part(Sort::whole);
      return {"(" + left.text + " " + op + " (" + right.text + "))", Sort::whole,
              [=](const Row& row) { return whole_result(op, left.value(row), right.value(row)); }};
    }
  }
}

/// Among the numbers of the other table, or beside their count.
RandomExpression among_other(Dice& dice, RandomExpression number, const RandomTable& other) {
  const bool counted = dice.chance(3);
  const bool not_in = dice.chance(3);
  const auto rows = other.rows;
  auto text = counted  ? "(" + number.text + " > toscalar(U | count))"
              : not_in ? "(" + number.text + " !in ((U | project a)))"
                       : "(" + number.text + " in (U))";
  return {std::move(text), Sort::truth, [=](const Row& row) {
            const auto value = number.value(row);
            if (counted) return compare(">", value, Cell(static_cast<std::int64_t>(rows.size())));
            // null is in no list
            const bool found =
                !is_null(value) && std::ranges::any_of(rows, [&](const Row& one) { return one[0] == value; });
            return Cell(found != not_in);
          }};
}

RandomExpression truth(Dice& dice, const Columns& columns, int depth, const RandomTable* other) {
  const auto part = [&](Sort sort) { return random_expression(dice, columns, sort, depth - 1, other); };
  switch (dice.roll(9)) {
    case 0: {
      auto left = part(Sort::truth);
      auto right = part(Sort::truth);
      const bool both = dice.chance(2);
      return {"(" + left.text + (both ? " and " : " or ") + right.text + ")", Sort::truth, [=](const Row& row) {
                const auto a = left.value(row);
                const auto b = right.value(row);
                const auto is = [](const Cell& cell, bool wanted) {
                  return !is_null(cell) && std::get<bool>(cell) == wanted;
                };
                if (is(a, !both) || is(b, !both)) return Cell(!both);
                return is_null(a) || is_null(b) ? kNull : Cell(both);
              }};
    }
    case 1: {
      auto inner = part(Sort::truth);
      return {"not(" + inner.text + ")", Sort::truth, [=](const Row& row) {
                const auto value = inner.value(row);
                return is_null(value) ? kNull : Cell(!std::get<bool>(value));
              }};
    }
    case 2: {
      auto inner = part(Sort::whole);
      return {"isnull(" + inner.text + ")", Sort::truth,
              [=](const Row& row) { return Cell(is_null(inner.value(row))); }};
    }
    case 3:
      return random_text_test(dice, part(Sort::text), part(Sort::text));
    case 4: {
      auto inner = part(Sort::whole);
      std::vector<Cell> items = {std::int64_t{1}, static_cast<std::int64_t>(dice.roll(5))};
      return {"(" + inner.text + " in (" + cell_literal(items[0], Sort::whole) + ", " +
                  cell_literal(items[1], Sort::whole) + "))",
              Sort::truth,
              [=](const Row& row) { return Cell(std::ranges::find(items, inner.value(row)) != items.end()); }};
    }
    case 6:
      return random_text_list_test(dice, part(Sort::text));
    case 7: {
      auto inner = part(Sort::whole);
      auto low = part(Sort::whole);
      auto high = part(Sort::whole);
      const bool outside = dice.chance(3);
      return {"(" + inner.text + (outside ? " !between (" : " between (") + low.text + " .. " + high.text + "))",
              Sort::truth, [=](const Row& row) {
                const auto above = compare(">=", inner.value(row), low.value(row));
                const auto below = compare("<=", inner.value(row), high.value(row));
                const auto is_false = [](const Cell& cell) { return !is_null(cell) && !std::get<bool>(cell); };
                if (is_false(above) || is_false(below)) return Cell(outside);
                return is_null(above) || is_null(below) ? kNull : Cell(!outside);
              }};
    }
    case 8:
      if (other != nullptr) return among_other(dice, part(Sort::whole), *other);
      [[fallthrough]];
    default: {
      static const std::vector<std::string> kOps = {"==", "!=", "<", "<=", ">", ">="};
      const auto op = kOps[dice.roll(kOps.size())];
      auto left = part(Sort::whole);
      auto right = part(Sort::whole);
      return {"(" + left.text + " " + op + " " + right.text + ")", Sort::truth,
              [=](const Row& row) { return compare(op, left.value(row), right.value(row)); }};
    }
  }
}

}  // namespace

bool is_null(const Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

std::string cell_text(const Cell& cell) {
  if (is_null(cell)) return "null";
  if (const auto* text = std::get_if<std::string>(&cell)) return "\"" + *text + "\"";
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "true" : "false";
  return std::to_string(std::get<std::int64_t>(cell));
}

std::string cell_literal(const Cell& cell, Sort sort) {
  if (is_null(cell)) return sort == Sort::truth ? "bool(null)" : "long(null)";
  const auto* number = std::get_if<std::int64_t>(&cell);
  return number != nullptr && *number < 0 ? "(" + cell_text(cell) + ")" : cell_text(cell);
}

RandomExpression random_expression(Dice& dice, const Columns& columns, Sort sort, int depth, const RandomTable* other) {
  if (depth <= 0 || dice.chance(4)) return leaf(dice, columns, sort);
  switch (sort) {
    case Sort::whole:
      return whole(dice, columns, depth);
    case Sort::text:
      return random_text(dice, columns, depth);
    case Sort::truth:
      return truth(dice, columns, depth, other);
  }
  return leaf(dice, columns, sort);
}

}  // namespace picket::kql::testing
