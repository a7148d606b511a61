// Functions whose binding is more than a table of types.
#include <algorithm>
#include <array>
#include <limits>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max();

std::unexpected<Diagnostic> wrong_type(const ast::Expression& call, std::size_t argument, Type type,
                                       std::string_view wanted) {
  return diagnose(code::kType, call.arguments[argument].value->span,
                  "argument " + std::to_string(argument + 1) + " of " + call.text + "() must be " +
                      std::string(wanted) + ", this is " + std::string(to_string(type)));
}

bool is_whole(Type type) { return type == Type::int32 || type == Type::int64; }
bool is_number(Type type) { return is_whole(type) || type == Type::real; }

/// Splits "$.a.b[0]['x y']" into steps; nullopt: not a path of keys and positions.
std::optional<std::vector<PathStep>> json_path_steps(std::string_view text) {
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  std::vector<PathStep> out;
  while (!text.empty()) {
    if (text.front() == '.') {
      text.remove_prefix(1);
      const auto key = text.substr(0, text.find_first_of(".["));
      if (key.empty() || key.contains('*')) return std::nullopt;
      out.emplace_back(std::string(key));
      text.remove_prefix(key.size());
      continue;
    }
    const auto close = text.find(']');
    if (text.front() != '[' || close == std::string_view::npos) return std::nullopt;
    auto inner = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"') && inner.back() == inner.front()) {
      out.emplace_back(std::string(inner.substr(1, inner.size() - 2)));
    } else if (const auto position = parse_long(inner); position && *position >= 0) {
      out.emplace_back(*position);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

/// Parts that datetime_diff and datetime_add know; nullopt: not one.
std::optional<std::string_view> datetime_part(std::string_view text) {
  constexpr std::array<std::string_view, 9> kParts = {"year", "quarter", "month",  "week",       "day",
                                                      "hour", "minute",  "second", "millisecond"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* const found = std::ranges::find(kParts, lower);
  if (found != kParts.end()) return *found;
  return lower == "microsecond" ? std::optional<std::string_view>("microsecond") : std::nullopt;
}

}  // namespace

std::span<const Binder::CodedFunction> Binder::coded_functions() {
  using enum NameRule;
  static constexpr CodedFunction kFunctions[] = {
      {"now", none, "", 0, 1, &Binder::bind_now},
      {"ago", none, "", 1, 1, &Binder::bind_ago},
      {"bin", first_argument, "", 2, 2, &Binder::bind_bin},
      {"floor", first_argument, "", 2, 2, &Binder::bind_bin},
      {"tostring", first_argument, "", 1, 1, &Binder::bind_conversion<Type::string>},
      {"toint", first_argument, "", 1, 1, &Binder::bind_conversion<Type::int32>},
      {"tolong", first_argument, "", 1, 1, &Binder::bind_conversion<Type::int64>},
      {"todecimal", first_argument, "", 1, 1, &Binder::bind_conversion<Type::decimal>},
      {"todouble", first_argument, "", 1, 1, &Binder::bind_conversion<Type::real>},
      {"toreal", first_argument, "", 1, 1, &Binder::bind_conversion<Type::real>},
      {"tobool", first_argument, "", 1, 1, &Binder::bind_conversion<Type::boolean>},
      {"toboolean", first_argument, "", 1, 1, &Binder::bind_conversion<Type::boolean>},
      {"todatetime", first_argument, "", 1, 1, &Binder::bind_conversion<Type::datetime>},
      {"totimespan", first_argument, "", 1, 1, &Binder::bind_conversion<Type::timespan>},
      {"totime", first_argument, "", 1, 1, &Binder::bind_conversion<Type::timespan>},
      {"toguid", first_argument, "", 1, 1, &Binder::bind_conversion<Type::guid>},
      {"isempty", none, "", 1, 1, &Binder::bind_is_empty<false>},
      {"isnotempty", none, "", 1, 1, &Binder::bind_is_empty<true>},
      {"notempty", none, "", 1, 1, &Binder::bind_is_empty<true>},
      {"isnull", none, "", 1, 1, &Binder::bind_is_null<false>},
      {"isnotnull", none, "", 1, 1, &Binder::bind_is_null<true>},
      {"notnull", none, "", 1, 1, &Binder::bind_is_null<true>},
      {"iff", none, "", 3, 3, &Binder::bind_iff},
      {"iif", none, "", 3, 3, &Binder::bind_iff},
      {"case", none, "", 3, kMany, &Binder::bind_case},
      {"coalesce", none, "", 1, kMany, &Binder::bind_coalesce},
      {"min_of", none, "", 1, kMany, &Binder::bind_extreme<true>},
      {"max_of", none, "", 1, kMany, &Binder::bind_extreme<false>},
      {"parse_json", first_argument, "", 1, 1, &Binder::bind_parse_json},
      {"parsejson", first_argument, "", 1, 1, &Binder::bind_parse_json},
      {"todynamic", first_argument, "", 1, 1, &Binder::bind_parse_json},
      {"toobject", first_argument, "", 1, 1, &Binder::bind_parse_json},
      {"extract_json", none, "", 2, 3, &Binder::bind_extract_json},
      {"extractjson", none, "", 2, 3, &Binder::bind_extract_json},
      {"extract", none, "", 3, 4, &Binder::bind_extract},
      {"datetime_diff", none, "", 3, 3, &Binder::bind_datetime_diff},
      {"datetime_add", none, "", 3, 3, &Binder::bind_datetime_add},
      {"toscalar", none, "", 1, 1, &Binder::bind_to_scalar},
  };
  return kFunctions;
}

const Binder::CodedFunction* Binder::find_coded(std::string_view name) {
  for (const auto all : {coded_functions(), coded_calls()}) {
    const auto found = std::ranges::find(all, name, &CodedFunction::name);
    if (found != all.end()) return &*found;
  }
  return nullptr;
}

/// Function names one slip away: the same letters in another case, or one letter more, less or other.
std::vector<std::string_view> Binder::similar_names(std::string_view name) {
  const auto close = [name](std::string_view known) {
    std::size_t front = 0;
    while (front < std::min(name.size(), known.size()) &&
           std::tolower(static_cast<unsigned char>(name[front])) == known[front]) {
      ++front;
    }
    std::size_t back = 0;
    while (back < std::min(name.size(), known.size()) - front &&
           name[name.size() - 1 - back] == known[known.size() - 1 - back]) {
      ++back;
    }
    return std::max(name.size(), known.size()) - front - back <= 1;
  };
  std::vector<std::string_view> out;
  for (const auto all : {coded_functions(), coded_calls()}) {
    for (const auto& function : all) {
      if (close(function.name)) out.push_back(function.name);
    }
  }
  for (const auto all : {scalar_functions(), family_functions()}) {
    for (const auto& function : all) {
      if (close(function.name)) out.push_back(function.name);
    }
  }
  return out;
}

Checked<std::string> Binder::constant_text(const ast::Expression& argument, const ExprPtr& bound) const {
  const auto* text = bound != nullptr && is_literal(bound) ? std::get_if<std::string>(&bound->value.data) : nullptr;
  if (text == nullptr || bound->type != Type::string) {
    return diagnose(code::kArguments, argument.span, "a string literal is expected here");
  }
  return *text;
}

Checked<ExprPtr> Binder::bind_now(const ast::Expression& call, std::vector<ExprPtr>& args) {
  auto now = literal({Type::datetime, options_.now.us});
  if (args.empty()) return now;
  if (args[0] == nullptr || args[0]->type != Type::timespan) {
    return wrong_type(call, 0, args[0] == nullptr ? Type::dynamic : args[0]->type, "a timespan");
  }
  return arithmetic("+", call.span, std::move(now), args[0]);
}

Checked<ExprPtr> Binder::bind_ago(const ast::Expression& call, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr || args[0]->type != Type::timespan) {
    return wrong_type(call, 0, args[0] == nullptr ? Type::dynamic : args[0]->type, "a timespan such as 1h");
  }
  return arithmetic("-", call.span, literal({Type::datetime, options_.now.us}), args[0]);
}

Checked<ExprPtr> Binder::bind_bin(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr || args[1] == nullptr)
    return diagnose(code::kArguments, expression.span, "two values are expected");
  const Type value = args[0]->type;
  const Type width = args[1]->type;
  if (is_literal(args[1])) {
    const auto* whole = std::get_if<std::int64_t>(&args[1]->value.data);
    const auto* real = std::get_if<double>(&args[1]->value.data);
    if ((whole != nullptr && *whole <= 0) || (real != nullptr && !(*real > 0))) {
      return diagnose(code::kArguments, expression.arguments[1].value->span, "the width of a bin must be positive");
    }
    if (value == Type::datetime && whole != nullptr && *whole % kTicksPerMicrosecond != 0) {
      return diagnose(code::kUnsupported, expression.arguments[1].value->span,
                      "a bin of datetimes narrower than a microsecond");
    }
  }
  if ((value == Type::decimal && (is_number(width) || width == Type::decimal)) ||
      (is_number(value) && width == Type::decimal)) {
    return call("decimal_bin", Type::decimal, {convert(args[0], Type::decimal), convert(args[1], Type::decimal)});
  }
  if (value == Type::datetime && width == Type::timespan) return call("bin_time", Type::datetime, std::move(args));
  if (value == Type::timespan && width == Type::timespan) return call("bin_long", Type::timespan, std::move(args));
  if (is_number(value) && is_number(width)) {
    const bool real = value == Type::real || width == Type::real;
    const Type common = real ? Type::real : Type::int64;
    return call(real ? "bin_real" : "bin_long", common, {convert(args[0], common), convert(args[1], common)});
  }
  return wrong_type(expression, is_number(value) || value == Type::datetime || value == Type::timespan ? 1 : 0,
                    is_number(value) || value == Type::datetime || value == Type::timespan ? width : value,
                    value == Type::datetime || value == Type::timespan ? "a timespan" : "a number");
}

template <Type target>
Checked<ExprPtr> Binder::bind_conversion(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr) return diagnose(code::kArguments, expression.span, "a value is expected");
  const Type from = args[0]->type;
  const bool anything = target == Type::string || from == target || from == Type::string || from == Type::dynamic;
  const bool numeric = (is_number(target) || target == Type::decimal) && from != Type::guid;
  const bool from_number = (is_number(from) || from == Type::decimal) && target != Type::guid;
  if (!anything && !numeric && !from_number) {
    return wrong_type(expression, 0, from, "something that has a " + std::string(to_string(target)) + " form");
  }
  // A real as a point or length of time has no meaning that the reference states; nor a time as a decimal.
  const bool moment = from == Type::datetime || from == Type::timespan;
  if (target == Type::decimal && moment) {
    return diagnose(code::kUnsupported, expression.span, expression.text + "() of a time");
  }
  if ((from == Type::real || from == Type::decimal) && (target == Type::datetime || target == Type::timespan)) {
    return diagnose(code::kUnsupported, expression.span, expression.text + "() of a real");
  }
  return convert(args[0], target);
}

template <bool negate>
Checked<ExprPtr> Binder::bind_is_empty(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr) return diagnose(code::kArguments, expression.span, "a value is expected");
  const Type type = args[0]->type;
  const bool textual = type == Type::string || type == Type::dynamic;
  auto arg = type == Type::dynamic ? convert(args[0], Type::string) : args[0];
  const std::string_view op = textual ? (negate ? "is_not_empty" : "is_empty") : (negate ? "is_not_null" : "is_null");
  return call(op, Type::boolean, {std::move(arg)}, false);
}

template <bool negate>
Checked<ExprPtr> Binder::bind_is_null(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr) return diagnose(code::kArguments, expression.span, "a value is expected");
  if (args[0]->type == Type::string) return literal({Type::boolean, negate});  // a string is never null
  return call(negate ? "is_not_null" : "is_null", Type::boolean, std::move(args), false);
}

Checked<ExprPtr> Binder::bind_iff(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  return bind_case(expression, args);
}

Checked<ExprPtr> Binder::bind_case(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args.size() % 2 == 0) {
    return diagnose(code::kArguments, expression.span,
                    expression.text + "() takes pairs of condition and value, then the value of else");
  }
  std::vector<ExprPtr> values;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == nullptr)
      return diagnose(code::kArguments, expression.arguments[i].value->span, "a value is expected");
    const bool condition = i % 2 == 0 && i + 1 < args.size();
    if (condition && args[i]->type != Type::boolean)
      return wrong_type(expression, i, args[i]->type, "a condition (bool)");
    if (!condition) values.push_back(args[i]);
  }
  const auto type = common_type(values);
  if (!type) {
    return diagnose(
        code::kUnsupported, expression.span,
        "values of different types in " + expression.text + "(); convert them, for instance with tostring()");
  }
  bool nullable = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i % 2 == 0 && i + 1 < args.size()) continue;
    args[i] = convert(args[i], *type);
    nullable = nullable || args[i]->nullable;
  }
  return call("case", *type, std::move(args), nullable);
}

Checked<ExprPtr> Binder::bind_coalesce(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr)) return diagnose(code::kArguments, expression.span, "values are expected");
  const auto type = common_type(args);
  if (!type) return diagnose(code::kType, expression.span, "the values of coalesce() have no common type");
  for (auto& arg : args) arg = convert(arg, *type);
  const bool nullable = std::ranges::all_of(args, &Expr::nullable);
  return call(*type == Type::string ? "coalesce_text" : "coalesce", *type, std::move(args), nullable);
}

template <bool least>
Checked<ExprPtr> Binder::bind_extreme(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr)) return diagnose(code::kArguments, expression.span, "values are expected");
  const auto type = common_type(args);
  const bool ordered =
      type && (is_number(*type) || *type == Type::decimal || *type == Type::datetime || *type == Type::timespan);
  if (!ordered)
    return diagnose(code::kType, expression.span, expression.text + "() compares numbers or times of one type");
  for (auto& arg : args) arg = convert(arg, *type);
  return call(least ? "least" : "greatest", *type, std::move(args));
}

Checked<ExprPtr> Binder::bind_parse_json(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr) return diagnose(code::kArguments, expression.span, "a value is expected");
  if (args[0]->type == Type::dynamic) return args[0];
  if (args[0]->type != Type::string) return call("to_dynamic", Type::dynamic, std::move(args));
  return call("parse_json", Type::dynamic, std::move(args));
}

Checked<ExprPtr> Binder::bind_extract_json(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto text, constant_text(*expression.arguments[0].value, args[0]));
  const auto steps = json_path_steps(text);
  if (!steps) {
    return diagnose(code::kUnsupported, expression.arguments[0].value->span,
                    "this JSON path; keys and positions work, such as \"$.a.b[0]\"");
  }
  if (args[1] == nullptr || (args[1]->type != Type::string && args[1]->type != Type::dynamic)) {
    return wrong_type(expression, 1, args[1] == nullptr ? Type::dynamic : args[1]->type, "a string of JSON");
  }
  Type target = Type::string;
  if (args.size() == 3) {
    const auto& type = *expression.arguments[2].value;
    if (type.kind != ast::Expression::Kind::type_of)
      return diagnose(code::kArguments, type.span, "typeof(...) is expected");
    target = type.type;
  }
  auto out = args[1]->type == Type::dynamic ? args[1] : call("parse_json", Type::dynamic, {args[1]});
  for (const auto& step : *steps) out = path(std::move(out), step);
  return convert(out, target);
}

Checked<ExprPtr> Binder::bind_extract(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  const auto* group =
      args[1] != nullptr && is_literal(args[1]) ? std::get_if<std::int64_t>(&args[1]->value.data) : nullptr;
  constexpr std::int64_t kGroupMax = 16;
  if (group == nullptr || *group < 0 || *group > kGroupMax) {
    return diagnose(code::kArguments, expression.arguments[1].value->span,
                    "the capture group must be a literal from 0 to 16");
  }
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    if (args[i] == nullptr || (args[i]->type != Type::string && args[i]->type != Type::dynamic)) {
      return wrong_type(expression, i, args[i] == nullptr ? Type::dynamic : args[i]->type, "a string");
    }
    args[i] = convert(args[i], Type::string);
  }
  auto out = call("extract", Type::string, {args[0], args[1], args[2]});
  if (args.size() < 4) return out;
  const auto& type = *expression.arguments[3].value;
  if (type.kind != ast::Expression::Kind::type_of)
    return diagnose(code::kArguments, type.span, "typeof(...) is expected");
  return type.type == Type::dynamic ? call("parse_json", Type::dynamic, {std::move(out)}) : convert(out, type.type);
}

Checked<ExprPtr> Binder::bind_datetime_diff(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto text, constant_text(*expression.arguments[0].value, args[0]));
  const auto part = datetime_part(text);
  if (!part) return diagnose(code::kArguments, expression.arguments[0].value->span, "there is no part '" + text + "'");
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (args[i] == nullptr || args[i]->type != Type::datetime) {
      return wrong_type(expression, i, args[i] == nullptr ? Type::dynamic : args[i]->type, "a datetime");
    }
  }
  return call("datetime_diff", Type::int64, {literal({Type::string, std::string(*part)}), args[1], args[2]});
}

Checked<ExprPtr> Binder::bind_datetime_add(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto text, constant_text(*expression.arguments[0].value, args[0]));
  const auto part = datetime_part(text);
  if (!part) return diagnose(code::kArguments, expression.arguments[0].value->span, "there is no part '" + text + "'");
  if (args[1] == nullptr || !is_whole(args[1]->type)) {
    return wrong_type(expression, 1, args[1] == nullptr ? Type::dynamic : args[1]->type, "a long");
  }
  if (args[2] == nullptr || args[2]->type != Type::datetime) {
    return wrong_type(expression, 2, args[2] == nullptr ? Type::dynamic : args[2]->type, "a datetime");
  }
  return call("datetime_add", Type::datetime,
              {literal({Type::string, std::string(*part)}), convert(args[1], Type::int64), args[2]});
}

/// Whether an argument is a table: a query, the name of a table or a function that gives one.
Checked<bool> Binder::gives_rows(const ast::Expression& argument) {
  if (argument.kind == Kind::sub_query) return true;
  if (argument.kind == Kind::call && argument.text == "table") return true;
  if (argument.kind != Kind::name && argument.kind != Kind::call) return false;
  if (argument.kind == Kind::name) {
    if (scope_ != nullptr && find_column(*scope_, argument.text) != nullptr) return false;
    if (is_table(argument.text)) return true;
  }
  TRY(const auto* function, find_function(argument.text, argument.span));
  return function != nullptr && gives_table(*function);
}

Checked<ExprPtr> Binder::bind_to_scalar(const ast::Expression& expression, std::vector<ExprPtr>& /*args*/) {
  const auto& argument = *expression.arguments[0].value;
  TRY(const bool rows, gives_rows(argument));
  if (!rows) return bind_expression(argument);  // a scalar already
  TRY(auto table, argument.kind == Kind::sub_query ? bind_pipeline(*argument.table)
                  : argument.kind == Kind::name    ? bind_table({argument.text, argument.span})
                                                   : bind_table_call(argument));
  TRY_VOID(check_table(table, argument.span));
  const auto& column = table.columns.front();
  if (!table.order.empty()) {
    TRY(table.node, make_node(Take{std::move(table.node), 1, table.order}, argument.span));
  }
  Expr out{.kind = Expr::Kind::scalar_table, .type = column.type, .nullable = column.type != Type::string};
  out.column = column.id;
  out.table = std::move(table.node);
  return finish(std::move(out));
}

}  // namespace picket::kql
