// Serialized rows and the functions that look at their neighbours.
#include <array>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

bool is_whole(Type type) { return type == Type::int32 || type == Type::int64; }
bool is_number(Type type) { return is_whole(type) || type == Type::real; }

}  // namespace

Checked<ExprPtr> Binder::add_window(Relation& relation, Window window, Type type, bool nullable, Span span) {
  const auto id = new_column();
  window.input = std::move(relation.node);
  window.column = id;
  window.type = type;
  TRY(relation.node, make_node(std::move(window), span));
  return column_ref(id, type, nullable);
}

/// A column that numbers the rows. Rows that compare equal keep one order from here on, whoever asks.
Checked<ColumnId> Binder::number_rows(Relation& relation, Span span) {
  if (relation.ordinal) return *relation.ordinal;
  Window window{.op = "row_number"};
  window.order = relation.order;
  TRY(const auto number, add_window(relation, std::move(window), Type::int64, false, span));
  relation.ordinal = number->column;
  relation.order = {{number->column, false, false}};
  relation.serialized = true;
  return number->column;
}

Checked<ExprPtr> Binder::bind_window(const ast::Expression& call, std::string_view name) {
  if (window_ == nullptr || scope_ != &window_->columns) {
    return diagnose(code::kArguments, call.text_span,
                    std::string(name) + "() has its place in extend, project, where and serialize");
  }
  auto& relation = *window_;
  if (!relation.serialized) {
    return diagnose(code::kArguments, call.text_span,
                    std::string(name) + "() needs rows in an order; sort or serialize them first");
  }
  std::vector<ExprPtr> args;
  for (const auto& argument : call.arguments) {
    TRY(auto arg, bind_expression(*argument.value));
    args.push_back(std::move(arg));
  }
  const auto wrong = [&](std::size_t i, std::string_view wanted) {
    return diagnose(code::kType, i < call.arguments.size() ? call.arguments[i].value->span : call.span,
                    "argument " + std::to_string(i + 1) + " of " + call.text + "() must be " + std::string(wanted));
  };
  const auto literal_whole = [&](std::size_t i) -> std::optional<std::int64_t> {
    if (i >= args.size() || !is_literal(args[i]) || !is_whole(args[i]->type)) return std::nullopt;
    const auto* whole = std::get_if<std::int64_t>(&args[i]->value.data);
    return whole == nullptr ? std::nullopt : std::optional(*whole);
  };
  const auto many = [&](std::size_t least, std::size_t most) -> Checked<> {
    if (args.size() >= least && args.size() <= most) return {};
    return diagnose(code::kArguments, call.span,
                    call.text + "() does not take " + std::to_string(args.size()) + " arguments");
  };
  TRY(const auto ordinal, number_rows(relation, call.span));
  Window window;
  window.partition = relation.partition;
  window.order = {{ordinal, false, false}};
  // A restart splits the rows: the number of restarts so far is one more thing they are apart by.
  const auto restart_at = [&](std::size_t i) -> Checked<> {
    if (i >= args.size()) return {};
    if (args[i]->type != Type::boolean) return wrong(i, "a condition (bool)");
    Window changes{.op = "count_true"};
    changes.args = {args[i]};
    changes.partition = relation.partition;
    changes.order = window.order;
    TRY(const auto group, add_window(relation, std::move(changes), Type::int64, false, call.span));
    window.partition.push_back(group->column);
    return {};
  };
  if (name == "row_number") {
    TRY_VOID(many(0, 2));
    const auto start = args.empty() ? std::optional<std::int64_t>(1) : literal_whole(0);
    if (!start) return wrong(0, "a literal long");
    TRY_VOID(restart_at(1));
    window.op = "row_number";
    TRY(auto out, add_window(relation, std::move(window), Type::int64, false, call.span));
    if (*start == 1) return out;
    return arithmetic("+", call.span, std::move(out), literal({Type::int64, *start - 1}));
  }
  if (name == "prev" || name == "next") {
    TRY_VOID(many(1, 3));
    const auto offset = args.size() < 2 ? std::optional<std::int64_t>(1) : literal_whole(1);
    if (!offset || *offset < 1 || *offset > INT32_MAX) return wrong(1, "a positive literal long");
    const Type type = args[0]->type;
    ExprPtr fallback =
        type == Type::string ? literal({Type::string, std::string()}) : literal({type, std::monostate{}});
    if (args.size() == 3) {
      const bool fits = args[2]->type == type || (is_number(type) && is_number(args[2]->type)) ||
                        (is_literal(args[2]) && args[2]->value.is_null());
      if (!fits || !is_literal(args[2])) return wrong(2, "a literal of the column's type");
      fallback = convert(args[2], type);
    }
    window.op = name == "prev" ? "lag" : "lead";
    window.args = {args[0], literal({Type::int64, *offset}), std::move(fallback)};
    return add_window(relation, std::move(window), type, type != Type::string, call.span);
  }
  if (name == "row_cumsum") {
    TRY_VOID(many(1, 2));
    const Type type = args[0]->type;
    if (!is_number(type) && type != Type::timespan) return wrong(0, "a number or a timespan");
    TRY_VOID(restart_at(1));
    window.op = "sum";
    window.args = {type == Type::int32 ? convert(args[0], Type::int64) : args[0]};
    const Type sum = type == Type::int32 ? Type::int64 : type;
    TRY(auto out, add_window(relation, std::move(window), sum, true, call.span));
    return convert(out, type);
  }
  if (name == "row_window_session") {
    TRY_VOID(many(3, 4));
    if (args[0]->type != Type::datetime) return wrong(0, "a datetime");
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      if (args[i]->type != Type::timespan || !is_literal(args[i]) || args[i]->value.is_null()) {
        return wrong(i, "a literal timespan");
      }
    }
    if (args.size() > 3 && args[3]->type != Type::boolean) return wrong(3, "a condition (bool)");
    window.op = "session";
    window.args = std::move(args);
    return add_window(relation, std::move(window), Type::datetime, true, call.span);
  }
  if (name == "row_rank_dense" || name == "row_rank_min" || name == "row_rank") {
    TRY_VOID(many(1, 2));
    if (args[0]->type == Type::dynamic) return wrong(0, "a scalar");
    TRY_VOID(restart_at(1));
    // The rank counts changes of the value, as the rows come.
    Window before{.op = "lag"};
    const auto type = args[0]->type;
    before.args = {args[0], literal({Type::int64, std::int64_t{1}}), literal({type, std::monostate{}})};
    if (type == Type::string) before.args[2] = literal({Type::string, std::string()});
    before.partition = window.partition;
    before.order = window.order;
    TRY(auto previous, add_window(relation, std::move(before), type, true, call.span));
    Window first{.op = "row_number"};
    first.partition = window.partition;
    first.order = window.order;
    TRY(auto number, add_window(relation, std::move(first), Type::int64, false, call.span));
    auto differs = kql::call("differs", Type::boolean, {args[0], previous}, false);
    auto starts = strict_call("eq", Type::boolean, {number, literal({Type::int64, std::int64_t{1}})});
    auto changes = strict_call("or", Type::boolean, {std::move(starts), std::move(differs)});
    if (name == "row_rank_min") {
      auto at_change =
          kql::call("case", Type::int64, {std::move(changes), number, literal({Type::int64, std::monostate{}})}, true);
      window.op = "running_max";
      window.args = {std::move(at_change)};
    } else {
      window.op = "count_true";
      window.args = {std::move(changes)};
    }
    return add_window(relation, std::move(window), Type::int64, false, call.span);
  }
  return diagnose(code::kUnsupported, call.text_span, "the function " + call.text + "() is not supported");
}

}  // namespace picket::kql
