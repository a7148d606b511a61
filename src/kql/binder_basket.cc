// evaluate basket(): sets of values that occur together.
#include <array>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

constexpr double kLeast = 0.015;
constexpr std::size_t kSetsMax = 1'023;  ///< Sets of columns that are looked at.

/// How many ways there are to take 1 to `most` of `columns`; more than kSetsMax is kSetsMax + 1.
std::size_t sets_of(std::size_t columns, std::size_t most) {
  std::size_t out = 0;
  std::size_t ways = 1;
  for (std::size_t k = 1; k <= std::min(most, columns); ++k) {
    ways = ways * (columns - k + 1) / k;
    out += ways;
    if (out > kSetsMax) return kSetsMax + 1;
  }
  return out;
}

bool is_default(const ast::Expression& argument) {
  const auto* text = argument.kind == Kind::literal ? std::get_if<std::string>(&argument.literal.data) : nullptr;
  return text != nullptr && argument.literal.type == Type::string && *text == "~";
}

}  // namespace

Checked<> Binder::basket(Relation& relation, const ast::Evaluate& op, Span span) {
  constexpr double kThreshold = 0.05;
  constexpr std::size_t kDimensions = 5;
  Basket out{.input = relation.node, .dimensions = {}, .threshold = kThreshold, .most = kDimensions};
  std::array<ExprPtr, static_cast<std::size_t>(Type::decimal) + 1> wildcards;
  const Scope nothing;
  for (std::size_t i = 0; i < op.arguments.size(); ++i) {
    const auto& argument = *op.arguments[i].value;
    if (is_default(argument)) continue;
    if (i == 1) return diagnose(code::kUnsupported, argument.span, "a column of weights of basket()");
    TRY(auto value, bind_in(nothing, argument));
    if (i == 0) {
      const auto share = convert(value, Type::real);
      const auto* number = is_literal(share) ? std::get_if<double>(&share->value.data) : nullptr;
      if (number == nullptr || !(*number >= kLeast && *number <= 1)) {
        return diagnose(code::kArguments, argument.span, "a literal from 0.015 to 1 is expected");
      }
      out.threshold = *number;
    } else if (i == 2) {
      const auto* number = is_literal(value) ? std::get_if<std::int64_t>(&value->value.data) : nullptr;
      if (number == nullptr || *number < 1) {
        return diagnose(code::kArguments, argument.span, "a positive literal long is expected");
      }
      out.most = static_cast<std::size_t>(*number);
    } else {
      wildcards[static_cast<std::size_t>(value->type)] = std::move(value);
    }
  }
  Scope columns;
  out.segment = new_column();
  out.count = new_column();
  out.percent = new_column();
  columns.push_back({"SegmentId", Type::int64, out.segment, false});
  columns.push_back({"Count", Type::int64, out.count, false});
  columns.push_back({"Percent", Type::real, out.percent, false});
  for (const auto& column : relation.columns) {
    if (column.type == Type::dynamic) {
      return diagnose(code::kUnsupported, op.plugin.span,
                      "basket() of the dynamic column '" + column.name + "'; convert it, for instance with tostring()");
    }
    auto wildcard = wildcards[static_cast<std::size_t>(column.type)];
    if (wildcard == nullptr) {
      Value none{column.type, std::monostate{}};
      if (column.type == Type::string) none.data = std::string();
      wildcard = literal(std::move(none));
    }
    const auto id = new_column();
    out.dimensions.push_back({id, column.id, column.type, std::move(wildcard)});
    TRY_VOID(add_column(columns, {column.name, column.type, id, column.type != Type::string}, op.plugin.span));
  }
  if (sets_of(out.dimensions.size(), out.most) > kSetsMax) {
    return diagnose(code::kLimit, span,
                    "basket() of so many columns; project fewer, or take fewer values with its third argument");
  }
  relation = Relation{.node = {}, .columns = std::move(columns)};
  TRY(relation.node, make_node(std::move(out), span));
  return {};
}

}  // namespace picket::kql
