#include <charconv>
#include <cmath>

#include "expression.h"
#include "lexer.h"

namespace picket::hub {
namespace {

std::optional<std::int64_t> as_integer(const JsonNumber& number) {
  std::int64_t out = 0;
  const char* const end = number.text.data() + number.text.size();
  const auto [at, failed] = std::from_chars(number.text.data(), end, out);
  if (failed != std::errc() || at != end) return std::nullopt;
  return out;
}

int order(auto a, auto b) { return a < b ? -1 : (a > b ? 1 : 0); }

int compare_numbers(const JsonNumber& a, const JsonNumber& b) {
  const auto x = as_integer(a);
  const auto y = as_integer(b);
  if (x && y) return order(*x, *y);
  return order(a.value(), b.value());
}

bool is_primitive(const JsonValue& value) { return value.object() == nullptr && value.array() == nullptr; }

Operand truth_value(Truth truth) {
  if (truth == Truth::undefined) return {};
  return JsonValue(truth == Truth::yes);
}

// A value as a condition: what is no boolean is false.
Truth truth_of(const JsonValue* value) {
  if (value == nullptr) return Truth::undefined;
  const bool* const flag = value->boolean();
  return flag != nullptr && *flag ? Truth::yes : Truth::no;
}

// AND: `stop` no; OR: `stop` yes. The first child that decides ends it;
// undefined stays only if none decides.
Truth chain(const Expression& expression, const Resolver& resolver, Truth stop) {
  Truth out = stop == Truth::no ? Truth::yes : Truth::no;
  for (const Expression& child : expression.children) {
    const Truth truth = truth_of(evaluate(child, resolver).get());
    if (truth == stop) return stop;
    if (truth == Truth::undefined) out = Truth::undefined;
  }
  return out;
}

Truth negate(const Expression& inner, const Resolver& resolver) {
  const Operand operand = evaluate(inner, resolver);
  if (operand.get() == nullptr || operand.get()->boolean() == nullptr) return Truth::undefined;
  return *operand.get()->boolean() ? Truth::no : Truth::yes;
}

Truth equality(const JsonValue& a, const JsonValue& b) {
  if (!is_primitive(a) || !is_primitive(b)) return Truth::undefined;
  const auto compared = compare(a, b);
  return compared && *compared == 0 ? Truth::yes : Truth::no;
}

Truth comparison(const Expression& expression, const Resolver& resolver) {
  const Operand left = evaluate(expression.children[0], resolver);
  const Operand right = evaluate(expression.children[1], resolver);
  if (left.get() == nullptr || right.get() == nullptr) return Truth::undefined;
  if (expression.op == Operator::equal || expression.op == Operator::unequal) {
    const Truth equal = equality(*left.get(), *right.get());
    if (equal == Truth::undefined || expression.op == Operator::equal) return equal;
    return equal == Truth::yes ? Truth::no : Truth::yes;
  }
  const auto compared = compare(*left.get(), *right.get());
  if (!compared || left.get()->is_null() || left.get()->boolean() != nullptr) return Truth::undefined;
  const auto when = [](bool holds) { return holds ? Truth::yes : Truth::no; };
  switch (expression.op) {
    case Operator::less:
      return when(*compared < 0);
    case Operator::less_equal:
      return when(*compared <= 0);
    case Operator::greater:
      return when(*compared > 0);
    default:
      return when(*compared >= 0);
  }
}

Truth membership(const Expression& expression, const Resolver& resolver) {
  const Operand left = evaluate(expression.children[0], resolver);
  if (left.get() == nullptr || !is_primitive(*left.get())) return Truth::undefined;
  bool found = false;
  for (std::size_t i = 1; i < expression.children.size() && !found; ++i) {
    const Operand item = evaluate(expression.children[i], resolver);
    found = item.get() != nullptr && equality(*left.get(), *item.get()) == Truth::yes;
  }
  return found == (expression.op == Operator::in) ? Truth::yes : Truth::no;
}

std::optional<double> number_of(const Operand& operand) {
  if (operand.get() == nullptr || operand.get()->number() == nullptr) return std::nullopt;
  return operand.get()->number()->value();
}

Operand arithmetic(const Expression& expression, const Resolver& resolver) {
  auto sum = number_of(evaluate(expression.children[0], resolver));
  for (std::size_t i = 1; i < expression.children.size() && sum; ++i) {
    const auto next = number_of(evaluate(expression.children[i], resolver));
    if (!next) return {};
    switch (expression.signs[i - 1]) {
      case '+':
        *sum += *next;
        break;
      case '-':
        *sum -= *next;
        break;
      case '*':
        *sum *= *next;
        break;
      case '/':
        *sum /= *next;
        break;
      default:
        *sum = std::fmod(*sum, *next);
    }
  }
  if (!sum || !std::isfinite(*sum)) return {};
  return JsonValue(*sum);
}

Operand array_of(const Expression& expression, const Resolver& resolver) {
  JsonArray items;
  for (const Expression& child : expression.children) {
    const Operand item = evaluate(child, resolver);
    if (item.get() != nullptr) items.push_back(*item.get());
  }
  return JsonValue(std::move(items));
}

Operand operate(const Expression& expression, const Resolver& resolver) {
  switch (expression.op) {
    case Operator::all:
      return truth_value(chain(expression, resolver, Truth::no));
    case Operator::any:
      return truth_value(chain(expression, resolver, Truth::yes));
    case Operator::negate:
      return truth_value(negate(expression.children[0], resolver));
    case Operator::in:
    case Operator::not_in:
      return truth_value(membership(expression, resolver));
    case Operator::arithmetic:
      return arithmetic(expression, resolver);
    case Operator::minus: {
      const auto number = number_of(evaluate(expression.children[0], resolver));
      return number ? Operand(JsonValue(-*number)) : Operand();
    }
    case Operator::array:
      return array_of(expression, resolver);
    default:
      return truth_value(comparison(expression, resolver));
  }
}

}  // namespace

std::optional<int> compare(const JsonValue& a, const JsonValue& b) {
  if (a.number() != nullptr && b.number() != nullptr) return compare_numbers(*a.number(), *b.number());
  if (a.string() != nullptr && b.string() != nullptr) return order(a.string()->compare(*b.string()), 0);
  if (a.boolean() != nullptr && b.boolean() != nullptr) return order(*a.boolean(), *b.boolean());
  if (a.is_null() && b.is_null()) return 0;
  return std::nullopt;
}

Operand evaluate(const Expression& expression, const Resolver& resolver) {
  switch (expression.kind) {
    case Expression::Kind::constant:
      return &expression.constant;
    case Expression::Kind::undefined:
      return {};
    case Expression::Kind::path:
      return resolver.resolve(expression.path);
    case Expression::Kind::operation:
      return operate(expression, resolver);
    case Expression::Kind::call: {
      std::vector<Operand> arguments;
      arguments.reserve(expression.children.size());
      for (const Expression& child : expression.children) arguments.push_back(evaluate(child, resolver));
      return expression.function->call(arguments);
    }
  }
  return {};
}

}  // namespace picket::hub
