// make-series: rows into arrays along an axis.
#include <algorithm>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

bool is_whole(Type type) { return type == Type::int32 || type == Type::int64; }
bool is_number(Type type) { return is_whole(type) || type == Type::real; }

}  // namespace

/// Two steps: the measures of each key and bin, then for each key the bins in a row. A bin is a number: counted from
/// `from`, or from the origin of bin() where there is no `from`, and then each series begins at its first bin.
Checked<> Binder::apply(Relation& relation, const ast::MakeSeries& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'make-series' inside of a sub-query");
  TRY(auto axis, bind_in(relation.columns, *op.axis));
  const auto axis_name = implicit_name(*op.axis);
  const Type type = axis->type == Type::int32 ? Type::int64 : axis->type;
  if (!is_number(type) && type != Type::datetime && type != Type::timespan) {
    return diagnose(code::kType, op.axis->span, "the axis must be a number, a datetime or a timespan");
  }
  axis = convert(axis, type);
  const Scope nothing;
  const auto constant = [&](const ast::ExpressionPtr& text, Type wanted) -> Checked<ExprPtr> {
    if (text == nullptr) return ExprPtr();
    TRY(auto value, bind_in(nothing, *text));
    if (value->type != wanted && !(is_number(value->type) && is_number(wanted))) {
      return diagnose(
          code::kType, text->span,
          "this must be " + std::string(to_string(wanted)) + ", it is " + std::string(to_string(value->type)));
    }
    return convert(value, wanted);
  };
  TRY(auto from, constant(op.from, type));
  TRY(auto to, constant(op.to, type));
  TRY(auto step, constant(op.step, type == Type::datetime ? Type::timespan : type));
  if (is_literal(step)) {
    const auto* whole = std::get_if<std::int64_t>(&step->value.data);
    const auto* real = std::get_if<double>(&step->value.data);
    const std::int64_t least = type == Type::datetime ? kTicksPerMicrosecond : 1;
    if ((whole != nullptr && *whole < least) || (real != nullptr && !(*real > 0)) || step->value.is_null()) {
      return diagnose(code::kArguments, op.step->span, "the step must be positive");
    }
  }
  const auto range_from = op.in_range ? from : nullptr;
  const auto range_to = op.in_range ? to : nullptr;
  if (op.in_range) {
    if (type == Type::real) return diagnose(code::kUnsupported, op.axis->span, "'in range(...)' over reals");
    from = nullptr;
    to = nullptr;
  }
  const bool from_given = from != nullptr;
  if (!from_given) {
    from = type == Type::datetime ? literal({Type::datetime, std::int64_t{-62'135'596'800'000'000}})
           : type == Type::real   ? literal({Type::real, 0.0})
                                  : literal({type, std::int64_t{0}});
  }
  const std::string_view index_op = type == Type::datetime ? "series_bin_time"
                                    : type == Type::real   ? "series_bin_real"
                                                           : "series_bin_long";
  const auto bin = new_column();
  auto inside = call("is_not_null", Type::boolean, {axis}, false);
  const auto and_also = [&](std::string_view compare_op, const ExprPtr& bound) {
    inside = strict_call("and", Type::boolean, {inside, strict_call(compare_op, Type::boolean, {axis, bound})});
  };
  if (from_given) and_also("ge", from);
  if (to != nullptr) and_also("lt", to);

  ExprPtr range_first;
  ExprPtr range_last;
  if (op.in_range) {
    const auto unit =
        type == Type::datetime ? literal({Type::timespan, kTicksPerMicrosecond}) : literal({type, std::int64_t{1}});
    TRY(auto before, arithmetic("-", op.axis->span, range_from, unit));
    range_first = call(
        "add", Type::int64,
        {call(index_op, Type::int64, {std::move(before), from, step}, false), literal({Type::int64, std::int64_t{1}})},
        false);
    range_last = call(index_op, Type::int64, {range_to, from, step}, false);
    const auto at = call(index_op, Type::int64, {axis, from, step}, false);
    inside = strict_call("and", Type::boolean,
                         {inside, strict_call("ge", Type::boolean, {at, range_first}),
                          strict_call("le", Type::boolean, {at, range_last})});
  }

  Scope keys;
  TRY(auto bound_keys, bind_keys(relation.columns, op.keys, keys));
  Measures measures{.found = {}, .input = &relation.columns};
  Scope out;
  std::vector<NamedExpr> computed;
  std::vector<ExprPtr> fallbacks;
  for (const auto& measure : op.measures) {
    auto done = bind_measure(measures, measure.value, out, computed, keys);
    measures_ = nullptr;
    scope_ = nullptr;
    if (!done) return done;
    const Type value = out.back().type;
    if (!is_number(value) && value != Type::timespan) {
      return diagnose(code::kType, measure.value.value->span, "the values of a series must be numbers");
    }
    ExprPtr fallback = value == Type::real ? literal({Type::real, 0.0}) : literal({value, std::int64_t{0}});
    if (measure.fallback != nullptr) {
      TRY(fallback, bind_in(nothing, *measure.fallback));
      const bool null = is_literal(fallback) && fallback->value.is_null();
      if (!null && !is_number(fallback->type) && fallback->type != value) {
        return diagnose(code::kType, measure.fallback->span, "the default of a series must be a number");
      }
    }
    fallbacks.push_back(json_of(fallback));
  }
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(inside)}, span));
  TRY(relation.node,
      make_node(Extend{std::move(relation.node), {{bin, call(index_op, Type::int64, {axis, from, step}, false)}}},
                span));
  const auto group = new_column();
  auto first_keys = bound_keys;
  first_keys.push_back({group, column_ref(bin, Type::int64, false)});
  TRY(relation.node,
      make_node(Aggregate{std::move(relation.node), std::move(first_keys), std::move(measures.found), {}}, span));
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }

  Aggregate series{std::move(relation.node), {}, {}, {}};
  Scope result;
  for (const auto& key : keys) {
    const auto id = new_column();
    series.keys.push_back({id, column_ref(key.id, key.type, key.nullable)});
    result.push_back({key.name, key.type, id, key.nullable});
  }
  const auto number = column_ref(group, Type::int64, false);
  const auto none = literal({Type::int64, std::monostate{}});
  const auto first = op.in_range ? range_first : from_given ? literal({Type::int64, std::int64_t{0}}) : none;
  const std::string_view last_op = type == Type::datetime ? "series_last_time"
                                   : type == Type::real   ? "series_last_real"
                                                          : "series_last_long";
  const auto last = op.in_range     ? range_last
                    : to == nullptr ? none
                                    : call(last_op, Type::int64, {to, from, step}, false);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto id = new_column();
    series.measures.push_back(
        {.columns = {{id, Type::dynamic}},
         .op = "series",
         .args = {number, json_of(column_ref(out[i].id, out[i].type, out[i].nullable)), first, last, fallbacks[i]}});
    result.push_back({out[i].name, Type::dynamic, id, false});
  }
  const std::string_view axis_op = type == Type::datetime   ? "axis_time"
                                   : type == Type::timespan ? "axis_span"
                                   : type == Type::real     ? "axis_real"
                                                            : "axis_long";
  const auto id = new_column();
  series.measures.push_back(
      {.columns = {{id, Type::dynamic}}, .op = axis_op, .args = {number, first, last, from, step}});
  const auto rows = new_column();
  series.measures.push_back({.columns = {{rows, Type::int64}}, .op = "count"});
  TRY_VOID(add_column(result, {axis_name.empty() ? "Column1" : axis_name, Type::dynamic, id, false}, op.axis->span));
  TRY(relation.node, make_node(std::move(series), span));
  // Without keys there is one group even when there are no rows: the operator gives none then.
  auto some =
      strict_call("gt", Type::boolean, {column_ref(rows, Type::int64, false), literal({Type::int64, std::int64_t{0}})});
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(some)}, span));
  relation.columns = std::move(result);
  relation.order.clear();
  relation.serialized = false;
  relation.ordinal.reset();
  return {};
}

}  // namespace picket::kql
