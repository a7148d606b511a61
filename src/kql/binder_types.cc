// Conversion, comparison, arithmetic; promoted keys of JSON columns.
#include <algorithm>
#include <cmath>
#include <limits>

#include "binder_state.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

bool is_whole(Type type) { return type == Type::int32 || type == Type::int64; }
bool is_number(Type type) { return is_whole(type) || type == Type::real; }
bool is_any_number(Type type) { return is_number(type) || type == Type::decimal; }

/// A literal of another numeric type; nullopt: not foldable.
std::optional<Value> fold_number(const Value& value, Type target) {
  if (value.is_null()) return Value{target, std::monostate{}};
  const auto* whole = std::get_if<std::int64_t>(&value.data);
  if (whole == nullptr || !is_whole(value.type)) return std::nullopt;
  if (target == Type::int64) return Value{target, *whole};
  if (target == Type::real) return Value{target, static_cast<double>(*whole)};
  if (target == Type::int32 && *whole >= std::numeric_limits<std::int32_t>::min() &&
      *whole <= std::numeric_limits<std::int32_t>::max()) {
    return Value{target, *whole};
  }
  return std::nullopt;
}

std::unexpected<Diagnostic> undefined(std::string_view op, Span span, Type left, Type right) {
  auto message = "the operator '" + std::string(op) + "' is not defined for " + std::string(to_string(left)) + " and " +
                 std::string(to_string(right));
  if (left == Type::dynamic || right == Type::dynamic) {
    message += "; convert the dynamic value, for instance with tolong() or tostring()";
  }
  return diagnose(code::kType, span, std::move(message));
}

std::string_view comparison_op(std::string_view op) {
  if (op == "==") return "eq";
  if (op == "!=" || op == "<>") return "ne";
  if (op == "<") return "lt";
  if (op == ">") return "gt";
  return op == "<=" ? "le" : "ge";
}

ExprPtr make_comparison(std::string_view op, ExprPtr left, ExprPtr right) {
  const bool equality = op == "eq" || op == "ne";
  // null == null is null, null == value is false: with one side never null, the answer never is.
  const bool nullable = equality ? left->nullable && right->nullable : left->nullable || right->nullable;
  return call(op, Type::boolean, {std::move(left), std::move(right)}, nullable);
}

/// Timespans of constants are computed here, so that `t > ago(1h)` compares with a constant that prunes segments.
std::optional<Value> fold_time(std::string_view op, const ExprPtr& left, const ExprPtr& right) {
  if (!is_literal(left) || !is_literal(right)) return std::nullopt;
  const auto* a = std::get_if<std::int64_t>(&left->value.data);
  const auto* b = std::get_if<std::int64_t>(&right->value.data);
  if (a == nullptr || b == nullptr) return std::nullopt;
  const bool plus = op == "+";
  const auto combine = [&](__int128 x, __int128 y) -> std::optional<std::int64_t> {
    const __int128 sum = plus ? x + y : x - y;
    if (sum < std::numeric_limits<std::int64_t>::min() || sum > std::numeric_limits<std::int64_t>::max())
      return std::nullopt;
    return static_cast<std::int64_t>(sum);
  };
  const bool left_time = left->type == Type::datetime;
  const bool right_time = right->type == Type::datetime;
  if (left_time && right_time) {
    const auto us = combine(*a, *b);
    if (!us || std::abs(*us) > std::numeric_limits<std::int64_t>::max() / kTicksPerMicrosecond) return std::nullopt;
    return Value{Type::timespan, *us * kTicksPerMicrosecond};
  }
  const std::int64_t x = !left_time && right_time ? *a / kTicksPerMicrosecond : *a;
  const std::int64_t y = left_time ? *b / kTicksPerMicrosecond : *b;
  const auto sum = combine(x, y);
  if (!sum) return std::nullopt;
  return Value{left_time || right_time ? Type::datetime : Type::timespan, *sum};
}

/// `take 2 * 5` wants a constant. What overflows is left to the engine, which refuses it.
std::optional<Value> fold_whole(std::string_view op, const ExprPtr& left, const ExprPtr& right) {
  if (!is_literal(left) || !is_literal(right) || !is_whole(left->type) || !is_whole(right->type)) return std::nullopt;
  const auto* a = std::get_if<std::int64_t>(&left->value.data);
  const auto* b = std::get_if<std::int64_t>(&right->value.data);
  if (a == nullptr || b == nullptr) return std::nullopt;
  std::int64_t out = 0;
  const bool overflow = op == "+"   ? __builtin_add_overflow(*a, *b, &out)
                        : op == "-" ? __builtin_sub_overflow(*a, *b, &out)
                        : op == "*" ? __builtin_mul_overflow(*a, *b, &out)
                                    : true;
  return overflow ? std::nullopt : std::optional(Value{Type::int64, out});
}

}  // namespace

ExprPtr Binder::convert(const ExprPtr& expr, Type target) {
  if (expr->type == target) return expr;
  if (is_literal(expr)) {
    if (auto folded = fold_number(expr->value, target); folded && (is_number(target)))
      return literal(std::move(*folded));
    if (expr->value.is_null() && target != Type::string) return literal({target, std::monostate{}});
  }
  if (expr->type == Type::dynamic) {
    const auto* const key = promoted_key(expr);
    // A real's JSON text ("1.50") is not what the number prints.
    const bool usable = key != nullptr && (key->type == Type::string || key->type == target ||
                                           (target == Type::string && key->type != Type::real) ||
                                           (is_number(key->type) && is_number(target)));
    if (usable) {
      auto column = column_ref(key->value, key->type, true);
      if (key->type == Type::string) column = call("or_empty", Type::string, {std::move(column)});
      return guarded(*key, convert(column, target), call("convert", target, {key->source}));
    }
  }
  const bool widening = (is_whole(expr->type) && is_number(target) && target != Type::int32);
  return call("convert", target, {expr}, target != Type::string && (expr->nullable || !widening));
}

ExprPtr Binder::guarded(const PromotedKey& key, ExprPtr promoted, ExprPtr fallback) const {
  if (!key.exact) return promoted;
  const auto type = promoted->type;
  const bool nullable = promoted->nullable || fallback->nullable;
  return call("if_exact", type,
              {column_ref(*key.exact, Type::boolean, false), std::move(promoted), std::move(fallback)}, nullable);
}

std::optional<std::pair<ColumnId, std::string>> Binder::json_source(const ExprPtr& dynamic, int hops) const {
  constexpr int kHopsMax = 16;
  if (hops > kHopsMax) return std::nullopt;
  if (dynamic->kind == Expr::Kind::column) {
    if (promoted_.contains(dynamic->column)) return std::pair(dynamic->column, std::string());
    const auto defined = definitions_.find(dynamic->column);
    return defined == definitions_.end() ? std::nullopt : json_source(defined->second, hops + 1);
  }
  if (dynamic->kind == Expr::Kind::call && dynamic->op == "parse_json") return json_source(dynamic->args[0], hops + 1);
  if (dynamic->kind != Expr::Kind::path) return std::nullopt;
  // A path into a string column's raw text does not type-check, so every base here is parsed JSON.
  auto base = json_source(dynamic->args[0], hops + 1);
  if (!base) return std::nullopt;
  for (const auto& step : dynamic->steps) {
    const auto* key = std::get_if<std::string>(&step);
    if (key == nullptr || key->empty() || key->contains('.')) return std::nullopt;
    base->second += (base->second.empty() ? "" : ".") + *key;
  }
  return base;
}

const Binder::PromotedKey* Binder::promoted_key(const ExprPtr& dynamic) const {
  const auto source = json_source(dynamic, 0);
  if (!source) return nullptr;
  const auto& keys = promoted_.at(source->first);
  const auto found = std::ranges::find(keys, source->second, &PromotedKey::path);
  return found == keys.end() ? nullptr : &*found;
}

ExprPtr Binder::comparable(const ExprPtr& dynamic, Type target) {
  const auto* const key = promoted_key(dynamic);
  const auto& source = key == nullptr ? dynamic : key->source;
  const auto narrow = [&](std::string_view op) { return call(op, target, {source}, true); };
  ExprPtr fallback;
  switch (target) {
    case Type::string:
      fallback = narrow("dynamic_text_or_null");
      break;
    case Type::int32:
    case Type::int64:
      fallback = call("dynamic_whole", Type::int64, {source}, true);
      break;
    case Type::real:
      fallback = narrow("dynamic_number");
      break;
    case Type::boolean:
      fallback = narrow("dynamic_boolean");
      break;
    default:
      return convert(dynamic, target);
  }
  if (key == nullptr) return fallback;
  const bool widens = is_whole(key->type) && is_number(target);
  if (key->type != target && !widens) return fallback;
  auto column = column_ref(key->value, key->type, true);
  return guarded(*key, convert(column, fallback->type), std::move(fallback));
}

Checked<ExprPtr> Binder::compare(std::string_view op, Span op_span, ExprPtr left, ExprPtr right) {
  const auto name = comparison_op(op);
  const bool equality = name == "eq" || name == "ne";
  const Type a = left->type;
  const Type b = right->type;
  if (a == Type::dynamic || b == Type::dynamic) {
    const Type other = a == Type::dynamic ? b : a;
    if (other == Type::dynamic) {
      return diagnose(code::kUnsupported, op_span,
                      "comparing two dynamic values; convert both, for instance with tostring()");
    }
    if (other == Type::decimal) {
      return make_comparison(name, convert(left, other), convert(right, other));
    }
    if (!equality && !is_number(other)) return undefined(op, op_span, a, b);
    // Order works on reals, so that 5 < 5.5; equality with a whole number stays exact.
    const Type target = equality ? other : Type::real;
    if (a == Type::dynamic) left = comparable(left, target);
    if (b == Type::dynamic) right = comparable(right, target);
    return make_comparison(name, convert(left, right->type == Type::real ? Type::real : left->type),
                           convert(right, left->type == Type::real ? Type::real : right->type));
  }
  if ((a == Type::decimal && is_any_number(b)) || (b == Type::decimal && is_number(a))) {
    return make_comparison(name, convert(left, Type::decimal), convert(right, Type::decimal));
  }
  if (is_number(a) && is_number(b)) {
    const Type common = a == Type::real || b == Type::real ? Type::real : Type::int64;
    return make_comparison(name, convert(left, common), convert(right, common));
  }
  // A truth counts as 1 or 0 beside a number.
  if (a == Type::boolean && is_number(b)) return compare(op, op_span, convert(left, Type::int64), std::move(right));
  if (b == Type::boolean && is_number(a)) return compare(op, op_span, std::move(left), convert(right, Type::int64));
  if (a != b) {
    // A text beside a value of another type is read as that type; what cannot be read equals nothing.
    const auto beside = [](Type type) { return type == Type::int32 ? Type::int64 : type; };
    if (equality && b == Type::string)
      return make_comparison(name, convert(left, beside(a)), convert(right, beside(a)));
    if (equality && a == Type::string)
      return make_comparison(name, convert(left, beside(b)), convert(right, beside(b)));
    if (!equality) return undefined(op, op_span, a, b);
    return diagnose(code::kUnsupported, op_span,
                    "comparing " + std::string(to_string(a)) + " with " + std::string(to_string(b)) + "; convert one");
  }
  if (a == Type::boolean && !equality) {
    return make_comparison(name, convert(left, Type::int64), convert(right, Type::int64));
  }
  const bool ordered = a == Type::datetime || a == Type::timespan;
  if (!equality && !ordered) return undefined(op, op_span, a, b);
  return make_comparison(name, std::move(left), std::move(right));
}

Checked<ExprPtr> Binder::arithmetic(std::string_view op, Span op_span, ExprPtr left, ExprPtr right) {
  const Type a = left->type;
  const Type b = right->type;
  const auto result = [&](std::string_view name, Type type, ExprPtr x, ExprPtr y) -> Checked<ExprPtr> {
    const bool may_be_null = name.starts_with("div") || name.starts_with("mod") || x->nullable || y->nullable;
    return call(name, type, {std::move(x), std::move(y)}, may_be_null);
  };
  if (is_number(a) && is_number(b)) {
    const Type common = a == Type::real || b == Type::real ? Type::real : Type::int64;
    const bool real = common == Type::real;
    if (auto folded = fold_whole(op, left, right)) return literal(std::move(*folded));
    const std::string_view name = op == "+"   ? "add"
                                  : op == "-" ? "subtract"
                                  : op == "*" ? "multiply"
                                  : op == "/" ? (real ? "div_real" : "div_long")
                                              : "mod";
    return result(name, common, convert(left, common), convert(right, common));
  }
  if ((a == Type::decimal && is_any_number(b)) || (b == Type::decimal && is_number(a))) {
    const std::string_view name = op == "+"   ? "decimal_add"
                                  : op == "-" ? "decimal_subtract"
                                  : op == "*" ? "decimal_multiply"
                                  : op == "/" ? "decimal_divide"
                                              : "decimal_modulo";
    return call(name, Type::decimal, {convert(left, Type::decimal), convert(right, Type::decimal)});
  }
  const bool time_a = a == Type::datetime;
  const bool time_b = b == Type::datetime;
  const bool span_a = a == Type::timespan;
  const bool span_b = b == Type::timespan;
  if (op == "+" || op == "-") {
    if (auto folded = (time_a || span_a) && (time_b || span_b) && !(op == "-" && span_a && time_b) &&
                              !(op == "+" && time_a && time_b)
                          ? fold_time(op, left, right)
                          : std::nullopt) {
      return literal(std::move(*folded));
    }
    if (span_a && span_b) return result(op == "+" ? "add" : "subtract", Type::timespan, left, right);
    if (time_a && span_b) return result(op == "+" ? "time_plus" : "time_minus", Type::datetime, left, right);
    if (op == "+" && span_a && time_b) return result("time_plus", Type::datetime, right, left);
    if (op == "-" && time_a && time_b) return result("time_between", Type::timespan, left, right);
  }
  if ((span_a && b == Type::decimal) || (span_b && a == Type::decimal)) {  // a length of time is no finer than a real
    if (a == Type::decimal) return arithmetic(op, op_span, convert(left, Type::real), std::move(right));
    return arithmetic(op, op_span, std::move(left), convert(right, Type::real));
  }
  if (op == "*" && span_a != span_b && (is_number(a) || is_number(b))) {
    if (span_b) std::swap(left, right);
    if (right->type == Type::real) return result("scale_span", Type::timespan, left, right);
    return result("multiply", Type::timespan, left, convert(right, Type::int64));
  }
  if (op == "/" && span_a && span_b) return result("div_spans", Type::real, left, right);
  if (op == "/" && span_a && b == Type::real) return result("div_span_real", Type::timespan, left, right);
  if (op == "/" && span_a && is_whole(b)) return result("div_long", Type::timespan, left, convert(right, Type::int64));
  if (op == "%" && span_a && span_b) return result("mod", Type::timespan, left, right);
  if (a == Type::dynamic || b == Type::dynamic) {
    return diagnose(code::kUnsupported, op_span,
                    "arithmetic of dynamic values; convert them, for instance with tolong()");
  }
  return undefined(op, op_span, a, b);
}

std::optional<Type> Binder::common_type(std::span<const ExprPtr> exprs) {
  std::optional<Type> out;
  for (const auto& expr : exprs) {
    const Type next = expr->type;
    if (is_literal(expr) && expr->value.is_null() && exprs.size() > 1 && next == Type::dynamic) continue;
    if (!out || *out == next) {
      out = next;
    } else if (is_any_number(*out) && is_any_number(next) && (*out == Type::decimal || next == Type::decimal)) {
      out = Type::decimal;
    } else if (is_number(*out) && is_number(next)) {
      out = *out == Type::real || next == Type::real ? Type::real : Type::int64;
    } else if ((*out == Type::dynamic && next == Type::string) || (*out == Type::string && next == Type::dynamic)) {
      out = Type::string;
    } else {
      return std::nullopt;
    }
  }
  return out ? out : std::optional(Type::dynamic);
}

}  // namespace picket::kql
