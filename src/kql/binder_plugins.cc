// evaluate: bag_unpack, pivot, narrow, ipv4_lookup.
#include <algorithm>
#include <array>
#include <map>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

const std::string* text_argument(const ast::Evaluate& op, std::size_t at) {
  if (at >= op.arguments.size() || op.arguments[at].value->kind != Kind::literal) return nullptr;
  return std::get_if<std::string>(&op.arguments[at].value->literal.data);
}

/// Names that the text of an expression mentions.
void collect_names(const ast::Expression& expression, std::vector<std::string>& out) {
  if (expression.kind == Kind::name) out.push_back(expression.text);
  for (const auto& child : expression.children) collect_names(*child, out);
  for (const auto& argument : expression.arguments) collect_names(*argument.value, out);
}

}  // namespace

Checked<> Binder::apply(Relation& relation, const ast::Evaluate& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'evaluate' inside of a sub-query");
  if (op.plugin.text == "bag_unpack") return bag_unpack(relation, op, span);
  if (op.plugin.text == "pivot") return pivot(relation, op, span);
  if (op.plugin.text == "narrow") return narrow(relation, op, span);
  if (op.plugin.text == "basket") return basket(relation, op, span);
  if (op.plugin.text == "ipv4_lookup") return ip_lookup(relation, op, span);
  return diagnose(code::kUnsupported, op.plugin.span, "the plugin '" + op.plugin.text + "' is not supported");
}

/// The distinct texts that an expression has over a relation: asked now, since columns depend on them.
Checked<std::vector<std::string>> Binder::discover_texts(const Relation& relation, const ExprPtr& text, Span span,
                                                         std::string_view what) {
  if (!discover_) {
    return diagnose(code::kUnsupported, span,
                    "the columns of '" + std::string(what) + "' depend on the data; name them: evaluate " +
                        std::string(what) + "(...) : (a:string, b:long)");
  }
  const auto id = new_column();
  Aggregate distinct{relation.node, {{id, text}}, {}, {}};
  Plan plan;
  TRY(plan.root, make_node(std::move(distinct), span));
  TRY(plan.root, make_node(Take{std::move(plan.root), static_cast<std::int64_t>(kColumnsMax) + 1, {}}, span));
  plan.columns = {{"text", Type::string, id}};
  plan.order = {{id, false, false}};
  auto rows = discover_(std::move(plan));
  if (!rows) return diagnose(rows.error().code, span, rows.error().message);
  if (rows->size() > kColumnsMax) {
    return diagnose(code::kLimit, span,
                    "'" + std::string(what) + "' would give more than " + std::to_string(kColumnsMax) + " columns");
  }
  std::ranges::sort(*rows);
  return rows;
}

Checked<> Binder::bag_unpack(Relation& relation, const ast::Evaluate& op, Span span) {
  if (op.arguments.empty()) return diagnose(code::kArguments, span, "bag_unpack() wants a dynamic column");
  const auto& argument = *op.arguments[0].value;
  TRY(const auto bag, bind_in(relation.columns, argument));
  if (bag->type != Type::dynamic || argument.kind != Kind::name) {
    return diagnose(code::kType, argument.span, "bag_unpack() wants a dynamic column");
  }
  std::string prefix;
  std::string conflict = "error";
  std::vector<std::string> ignored;
  for (std::size_t i = 1; i < op.arguments.size(); ++i) {
    constexpr std::array<std::string_view, 3> kPlaces = {"OutputColumnPrefix", "columnsConflict", "ignoredProperties"};
    const auto& option = op.arguments[i];
    const auto name = !option.names.empty() ? std::string_view(option.names[0].text)
                      : i <= kPlaces.size() ? kPlaces[i - 1]
                                            : std::string_view();
    const auto* text = text_argument(op, i);
    if (text == nullptr) return diagnose(code::kArguments, option.value->span, "a literal is expected");
    if (name == "OutputColumnPrefix") {
      prefix = *text;
    } else if (name == "columnsConflict" && (*text == "error" || *text == "replace_source" || *text == "keep_source")) {
      conflict = *text;
    } else if (name == "ignoredProperties" && text_elements(*text)) {
      ignored = *text_elements(*text);
    } else {
      return diagnose(code::kArguments, option.value->span, "bag_unpack() has no such option");
    }
  }
  std::vector<std::pair<std::string, Type>> keys;
  if (op.has_schema) {
    for (const auto& [name, type] : op.schema) keys.emplace_back(name.text, type);
  } else {
    Relation elements{.node = relation.node};
    const auto id = new_column();
    kql::Expand expand{relation.node, {{id, call("bag_schema", Type::dynamic, {bag}, true)}}, {}, false, {}};
    TRY(elements.node, make_node(std::move(expand), span));
    auto text = convert(column_ref(id, Type::dynamic, true), Type::string);
    TRY(const auto found, discover_texts(elements, text, argument.span, "bag_unpack"));
    std::map<std::string, Type> types;  // in alphabetical order, as the columns come
    for (const auto& one : found) {
      const auto colon = one.find(':');
      if (colon == std::string::npos) continue;
      const auto type = type_from_name(one.substr(0, colon));
      const auto [at, fresh] = types.emplace(one.substr(colon + 1), type);
      if (!fresh && at->second != type) at->second = Type::dynamic;
    }
    keys.assign(types.begin(), types.end());
  }
  Scope out;
  for (const auto& column : relation.columns) {
    if (column.name == argument.text) continue;
    const bool named = std::ranges::any_of(op.schema, [&](const auto& one) { return one.first.text == column.name; });
    if (!op.has_schema || (op.schema_star && !named)) out.push_back(column);
  }
  std::vector<NamedExpr> computed;
  for (const auto& [key, type] : keys) {
    if (!op.has_schema && contains(ignored, key)) continue;
    const auto taken = std::ranges::find(out, prefix + key, &ScopeColumn::name);
    if (!op.has_schema && taken != out.end() && conflict != "error") {
      if (conflict == "replace_source") *taken = define(prefix + key, convert(path(bag, key), type), computed);
      continue;
    }
    if (op.has_schema) {  // the schema may name columns of the input too
      const auto* column = key == argument.text ? nullptr : find_column(relation.columns, key);
      if (column != nullptr) {
        if (column->type != type)
          return diagnose(code::kType, argument.span, "the column '" + key + "' has another type");
        TRY_VOID(add_column(out, *column, argument.span));
        continue;
      }
    }
    const auto inner = op.has_schema && key.starts_with(prefix) ? key.substr(prefix.size()) : key;
    auto value = path(bag, inner);
    TRY_VOID(
        add_column(out, define(op.has_schema ? key : prefix + key, convert(value, type), computed), argument.span));
  }
  if (out.empty()) return diagnose(code::kArguments, span, "no column would be left");
  relation.columns = std::move(out);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
}

Checked<> Binder::pivot(Relation& relation, const ast::Evaluate& op, Span span) {
  if (op.arguments.empty()) return diagnose(code::kArguments, span, "pivot() wants a column");
  const auto& argument = *op.arguments[0].value;
  TRY(const auto value, bind_in(relation.columns, argument));
  if (argument.kind != Kind::name || value->type == Type::dynamic) {
    return diagnose(code::kType, argument.span, "pivot() wants a column that is not dynamic");
  }
  ast::Expression count{.kind = Kind::call, .span = argument.span, .text = "count", .text_span = argument.span};
  const auto& measure = op.arguments.size() > 1 ? *op.arguments[1].value : count;
  const auto* function = measure.kind == Kind::call ? find_aggregate(measure.text) : nullptr;
  constexpr std::array kSimple = {"count", "sum", "min", "max", "avg", "dcount", "countif", "sumif"};
  if (function == nullptr || !contains(kSimple, function->name)) {
    return diagnose(code::kUnsupported, measure.span,
                    "pivot() takes count, sum, min, max, avg, dcount, countif or sumif");
  }
  Aggregate aggregate{relation.node, {}, {}, {}};
  Scope out;
  const auto add_key = [&](const ScopeColumn& column, Span place) -> Checked<> {
    if (column.type == Type::dynamic) {
      return diagnose(code::kType, place, "rows cannot be grouped by the dynamic column '" + column.name + "'");
    }
    const auto id = new_column();
    aggregate.keys.push_back({id, column_ref(column.id, column.type, column.nullable)});
    return add_column(out, {column.name, column.type, id, column.nullable}, place);
  };
  if (op.arguments.size() > 2) {
    for (const auto& key : std::span(op.arguments).subspan(2)) {
      const auto* column = key.value->kind == Kind::name ? find_column(relation.columns, key.value->text) : nullptr;
      if (column == nullptr) return diagnose(code::kUnknownName, key.value->span, "a column is expected");
      TRY_VOID(add_key(*column, key.value->span));
    }
  } else {
    std::vector<std::string> used = {argument.text};
    collect_names(measure, used);
    for (const auto& column : relation.columns) {
      if (!contains(used, column.name)) TRY_VOID(add_key(column, argument.span));
    }
  }
  std::vector<std::string> names;
  const auto text = convert(value, Type::string);
  if (op.has_schema) {
    for (const auto& [name, type] : op.schema) {
      if (find_column(out, name.text) == nullptr) names.push_back(name.text);
    }
  } else {
    TRY(names, discover_texts(relation, text, argument.span, "pivot"));
  }
  Measures measures{.found = {}, .input = &relation.columns};
  measures_ = &measures;
  for (const auto& name : names) {
    const Scope nothing;
    auto bound = bind_in(nothing, measure);
    if (!bound) {
      measures_ = nullptr;
      return std::unexpected(std::move(bound).error());
    }
    auto& made = measures.found.back();
    auto here = strict_call("eq", Type::boolean, {text, literal({Type::string, name})});
    made.condition = made.condition == nullptr ? std::move(here)
                                               : strict_call("and", Type::boolean, {std::move(here), made.condition});
    const ScopeColumn column{name, (*bound)->type, (*bound)->column, (*bound)->nullable};
    if (auto added = add_column(out, column, argument.span); !added) {
      measures_ = nullptr;
      return added;
    }
  }
  measures_ = nullptr;
  if (out.empty()) return diagnose(code::kArguments, span, "no column would be left");
  aggregate.measures = std::move(measures.found);
  relation = Relation{};
  TRY(relation.node, make_node(std::move(aggregate), span));
  relation.columns = std::move(out);
  return {};
}

/// Each cell a row: its row's number, its column's name, its text.
Checked<> Binder::narrow(Relation& relation, const ast::Evaluate& /*op*/, Span span) {
  Window window{.op = "row_number"};
  window.order = relation.order;
  TRY(const auto number, add_window(relation, std::move(window), Type::int64, false, span));
  std::vector<ExprPtr> cells;
  for (const auto& column : relation.columns) {
    const auto value = column_ref(column.id, column.type, column.nullable);
    cells.push_back(call("pack_array", Type::dynamic,
                         {json_of(literal({Type::string, column.name})), json_of(convert(value, Type::string))},
                         false));
  }
  const auto cell = new_column();
  kql::Expand expand{
      std::move(relation.node), {{cell, call("pack_array", Type::dynamic, std::move(cells), false)}}, {}, false, {}};
  TRY(relation.node, make_node(std::move(expand), span));
  const auto pair = column_ref(cell, Type::dynamic, true);
  const auto row = new_column();
  const auto name = new_column();
  const auto value = new_column();
  std::vector<NamedExpr> computed = {
      {row, call("subtract", Type::int64, {number, literal({Type::int64, std::int64_t{1}})}, false)},
      {name, convert(path(pair, std::int64_t{0}), Type::string)},
      {value, convert(path(pair, std::int64_t{1}), Type::string)}};
  TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  relation = Relation{.node = std::move(relation.node),
                      .columns = {{"Row", Type::int64, row, false},
                                  {"Column", Type::string, name, false},
                                  {"Value", Type::string, value, false}}};
  return {};
}

Checked<> Binder::ip_lookup(Relation& relation, const ast::Evaluate& op, Span span) {
  bool unmatched = false;
  std::vector<const ast::Expression*> arguments;
  for (const auto& argument : op.arguments) {
    if (argument.names.empty()) {
      arguments.push_back(argument.value.get());
    } else if (argument.names[0].text == "return_unmatched" && argument.value->literal.type == Type::boolean &&
               argument.value->kind == Kind::literal) {
      unmatched = argument.value->literal == Value{Type::boolean, true};
    } else {
      return diagnose(code::kArguments, argument.names[0].span, "ipv4_lookup() has no such option");
    }
  }
  if (arguments.size() < 3) return diagnose(code::kArguments, span, "ipv4_lookup() wants a table and two keys");
  if (arguments.size() > 3) {
    return diagnose(code::kUnsupported, arguments[3]->span, "further keys of ipv4_lookup()");
  }
  const auto& table = *arguments[0];
  TRY(auto right, table.kind == Kind::sub_query ? bind_pipeline(*table.table) : bind_table({table.text, table.span}));
  TRY(const auto source, bind_in(relation.columns, *arguments[1]));
  TRY(const auto network, bind_in(right.columns, *arguments[2]));
  if (source->type != Type::string) return diagnose(code::kType, arguments[1]->span, "a string is expected");
  if (network->type != Type::string) return diagnose(code::kType, arguments[2]->span, "a string is expected");
  Join join{.left = relation.node,
            .right = right.node,
            .kind = unmatched ? JoinKind::left_outer : JoinKind::inner,
            .condition = call("ipv4_is_in_range", Type::boolean, {source, network}, true)};
  Scope out;
  const auto take_side = [&](const Scope& side, std::vector<Join::Padded>& columns, bool padded) -> Checked<> {
    for (const auto& column : side) {
      const auto id = new_column();
      columns.push_back({id, column.id, column.type});
      TRY_VOID(add_column(out,
                          {joined_name(out, side, column.name), column.type, id,
                           column.type != Type::string && (column.nullable || padded)},
                          span));
    }
    return {};
  };
  TRY_VOID(take_side(relation.columns, join.left_columns, false));
  TRY_VOID(take_side(right.columns, join.right_columns, unmatched));
  relation = Relation{};
  TRY(relation.node, make_node(std::move(join), span));
  relation.columns = std::move(out);
  return {};
}

}  // namespace picket::kql
