// scan: rows in their order go through steps, each of which remembers the row that matched it last.
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

ExprPtr nothing_of(Type type) {
  Value value{type, std::monostate{}};
  if (type == Type::string) value.data = std::string();
  return literal(std::move(value));
}

}  // namespace

/// What `name.column` of a step means where a step is being looked at; nullopt: it is no step of these.
std::optional<ExprPtr> Binder::step_column(const ast::Expression& expression) const {
  if (step_columns_ == nullptr || expression.kind != ast::Expression::Kind::member) return std::nullopt;
  const auto& base = *expression.children[0];
  if (base.kind != ast::Expression::Kind::name) return std::nullopt;
  const auto step = step_columns_->find(base.text);
  if (step == step_columns_->end()) return std::nullopt;
  const auto column = step->second.find(expression.text);
  return column == step->second.end() ? std::nullopt : std::optional(column->second);
}

Checked<Steps::Try> Binder::bind_try(const Relation& relation, const ast::Steps::Step& step,
                                     const std::vector<ScopeColumn>& declared, const std::vector<ExprPtr>& fallbacks,
                                     const StepColumns& seen) {
  const auto* const outer_steps = std::exchange(step_columns_, &seen);
  const Scope* const outer = std::exchange(scope_, &relation.columns);
  auto out = [&]() -> Checked<Steps::Try> {
    Steps::Try made;
    TRY(made.condition, bind_predicate(*step.condition));
    made.values = fallbacks;
    for (const auto& assignment : step.assignments) {
      if (assignment.names.size() != 1) {
        return diagnose(code::kArguments, assignment.value->span, "a column is given a value by its name");
      }
      const auto& name = assignment.names[0];
      const auto place = std::ranges::find(declared, name.text, &ScopeColumn::name);
      if (place == declared.end()) {
        return diagnose(code::kUnknownName, name.span, "'declare' of this scan has no column '" + name.text + "'");
      }
      TRY(auto value, bind_expression(*assignment.value));
      if (value->type != place->type) {
        const bool number = value->type == Type::int64 && (place->type == Type::real || place->type == Type::int32);
        const bool null = is_literal(value) && value->value.is_null();
        if (!number && !null && !(value->type == Type::int32 && place->type == Type::int64)) {
          return diagnose(code::kType, assignment.value->span,
                          "the column is " + std::string(to_string(place->type)) + ", the value " +
                              std::string(to_string(value->type)));
        }
        value = convert(value, place->type);
      }
      made.values[static_cast<std::size_t>(place - declared.begin())] = std::move(value);
    }
    return made;
  }();
  step_columns_ = outer_steps;
  scope_ = outer;
  return out;
}

Checked<> Binder::apply(Relation& relation, const ast::Steps& op, Span span) {
  if (!relation.serialized) {
    return diagnose(code::kArguments, {span.start, 4}, "'scan' needs rows in an order; sort or serialize them first");
  }
  if (!relation.carried.empty()) return diagnose(code::kUnsupported, {span.start, 4}, "'scan' inside of 'mv-apply'");
  TRY(const auto ordinal, number_rows(relation, span));
  Steps out{.ordinal = ordinal, .partition = relation.partition};
  std::vector<ScopeColumn> declared;
  std::vector<ExprPtr> fallbacks;
  const Scope nothing;
  for (const auto& column : op.columns) {
    auto fallback = nothing_of(column.type);
    if (column.fallback != nullptr) {
      TRY(fallback, bind_in(nothing, *column.fallback));
      fallback = convert(fallback, column.type);
    }
    declared.push_back({column.name.text, column.type, new_column(), true});
    out.columns.emplace_back(declared.back().id, column.type);
    fallbacks.push_back(std::move(fallback));
  }
  // What each step remembers: of itself and of those before it, the row's columns and the declared ones.
  Scope remembered = relation.columns;
  remembered.insert(remembered.end(), declared.begin(), declared.end());
  for (std::size_t k = 0; k < op.steps.size(); ++k) {
    const auto same = [&](const auto& other) { return other.name.text == op.steps[k].name.text; };
    if (std::ranges::count_if(op.steps, same) > 1) {
      return diagnose(code::kDuplicate, op.steps[k].name.span, "two steps have this name");
    }
    Steps::Step step{.shown = op.steps[k].shown};
    for (std::size_t j = 0; j <= k; ++j) {
      std::vector<Steps::Kept> row;
      for (std::size_t c = 0; c < remembered.size(); ++c) {
        const bool own = c < relation.columns.size();
        row.push_back({new_column(), own ? remembered[c].id : declared[c - relation.columns.size()].id,
                       remembered[c].type,
                       own ? nothing_of(remembered[c].type) : fallbacks[c - relation.columns.size()]});
      }
      step.kept.push_back(std::move(row));
    }
    const auto seen = [&](const std::vector<std::vector<Steps::Kept>>& kept, bool itself) {
      StepColumns columns;
      for (std::size_t j = 0; j < kept.size(); ++j) {
        for (std::size_t c = 0; c < remembered.size(); ++c) {
          columns[op.steps[j].name.text].emplace(remembered[c].name, column_ref(kept[j][c].column, remembered[c].type,
                                                                                remembered[c].type != Type::string));
        }
      }
      if (!itself) {  // the step's own memory is empty then
        for (std::size_t c = 0; c < remembered.size(); ++c) {
          columns[op.steps[k].name.text].emplace(remembered[c].name, step.kept[k][c].nothing);
        }
      }
      return columns;
    };
    if (k > 0) {
      TRY(step.onward, bind_try(relation, op.steps[k], declared, fallbacks, seen(out.steps[k - 1].kept, false)));
    }
    TRY(step.again, bind_try(relation, op.steps[k], declared, fallbacks, seen(step.kept, true)));
    out.steps.push_back(std::move(step));
  }
  Scope columns;
  for (const auto& column : relation.columns) {
    const auto id = new_column();
    out.passed.push_back({id, column.id, column.type});
    columns.push_back({column.name, column.type, id, column.nullable});
  }
  for (const auto& column : declared) TRY_VOID(add_column(columns, column, span));
  if (op.match_id) {
    out.match_id = new_column();
    TRY_VOID(add_column(columns, {op.match_id->text, Type::int64, *out.match_id, false}, op.match_id->span));
  }
  std::vector<ColumnId> partition;
  for (const auto column : relation.partition) {
    const auto id = new_column();
    out.parted.emplace_back(id, column);
    partition.push_back(id);
  }
  out.position = new_column();
  const auto position = out.position;
  out.input = std::move(relation.node);
  TRY(relation.node, make_node(std::move(out), span));
  relation.columns = std::move(columns);
  relation.partition = std::move(partition);
  relation.order = {{position, false, false}};
  relation.ordinal.reset();
  return {};
}

}  // namespace picket::kql
