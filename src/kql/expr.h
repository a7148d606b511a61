// Making expressions. Sizes and depths add up here; the binder checks them against the bounds.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "kql/plan.h"

namespace picket::kql {

inline ExprPtr finish(Expr expr) {
  std::uint64_t size = 1;
  std::uint32_t depth = 0;
  for (const auto& arg : expr.args) {
    size += arg->size;
    depth = std::max(depth, arg->depth);
  }
  expr.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, UINT32_MAX));
  expr.depth = depth + 1;
  return std::make_shared<const Expr>(std::move(expr));
}

inline ExprPtr literal(Value value) {
  Expr out{.kind = Expr::Kind::literal, .type = value.type, .nullable = value.is_null()};
  out.value = std::move(value);
  return finish(std::move(out));
}

inline ExprPtr column_ref(ColumnId column, Type type, bool nullable) {
  return finish({.kind = Expr::Kind::column, .type = type, .nullable = nullable, .column = column});
}

/// `op` must have static storage. A string is never null; others may be unless `nullable` says no.
inline ExprPtr call(std::string_view op, Type type, std::vector<ExprPtr> args, bool nullable) {
  return finish({.kind = Expr::Kind::call, .type = type, .nullable = nullable, .op = op, .args = std::move(args)});
}
inline ExprPtr call(std::string_view op, Type type, std::vector<ExprPtr> args) {
  return call(op, type, std::move(args), type != Type::string);
}
/// Null only if an argument is.
inline ExprPtr strict_call(std::string_view op, Type type, std::vector<ExprPtr> args) {
  const bool nullable = std::ranges::any_of(args, [](const auto& arg) { return arg->nullable; });
  return call(op, type, std::move(args), nullable);
}

inline ExprPtr path(ExprPtr base, PathStep step) {
  Expr out{.kind = Expr::Kind::path, .type = Type::dynamic};
  if (base->kind == Expr::Kind::path) {  // d.a.b is one path of two steps
    out.args = base->args;
    out.steps = base->steps;
  } else {
    out.args = {std::move(base)};
  }
  out.steps.push_back(std::move(step));
  return finish(std::move(out));
}

inline bool is_literal(const ExprPtr& expr) { return expr->kind == Expr::Kind::literal; }

}  // namespace picket::kql
