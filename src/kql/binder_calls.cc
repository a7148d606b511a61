// More functions whose binding is more than a table of types: those over arrays, bags and series, and a few others.
#include <algorithm>
#include <array>
#include <limits>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;
constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kFoldedMax = 64;

bool is_whole(Type type) { return type == Type::int32 || type == Type::int64; }
bool is_number(Type type) { return is_whole(type) || type == Type::real; }

std::unexpected<Diagnostic> wrong_type(const ast::Expression& call, std::size_t argument, const ExprPtr& given,
                                       std::string_view wanted) {
  return diagnose(code::kType, call.arguments[argument].value->span,
                  "argument " + std::to_string(argument + 1) + " of " + call.text + "() must be " +
                      std::string(wanted) +
                      (given == nullptr ? "" : ", this is " + std::string(to_string(given->type))));
}

ExprPtr text(std::string_view value) { return literal({Type::string, std::string(value)}); }

}  // namespace

std::span<const Binder::CodedFunction> Binder::coded_calls() {
  using enum NameRule;
  static constexpr CodedFunction kFunctions[] = {
      {"bag_pack", none, "", 2, kMany, &Binder::bind_pack},
      {"pack", none, "", 2, kMany, &Binder::bind_pack},
      {"pack_dictionary", none, "", 2, kMany, &Binder::bind_pack},
      {"pack_all", none, "", 0, 1, &Binder::bind_pack_all},
      {"pack_array", none, "", 1, kMany, &Binder::bind_pack_array},
      {"bag_pack_columns", none, "", 1, kMany, &Binder::bind_pack},
      {"range", none, "", 2, 3, &Binder::bind_range},
      {"repeat", prefixed, "repeat", 2, 2, &Binder::bind_repeat},
      {"array_concat", none, "", 1, kFoldedMax, &Binder::bind_folded<0>},
      {"bag_merge", none, "", 2, kFoldedMax, &Binder::bind_folded<1>},
      {"set_union", none, "", 2, kFoldedMax, &Binder::bind_folded<2>},
      {"set_intersect", none, "", 2, kFoldedMax, &Binder::bind_folded<3>},
      {"set_difference", none, "", 2, kFoldedMax, &Binder::bind_folded<4>},
      {"zip", none, "", 2, 16, &Binder::bind_array_call},
      {"array_sort_asc", none, "", 1, kFoldedMax, &Binder::bind_array_call},
      {"array_sort_desc", none, "", 1, kFoldedMax, &Binder::bind_array_call},
      {"series_add", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_subtract", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_multiply", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_divide", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_pow", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_greater", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_greater_equals", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_less", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_less_equals", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_equals", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_not_equals", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_dot_product", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_cosine_similarity", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_pearson_correlation", none, "", 2, 2, &Binder::bind_series_pair},
      {"series_abs", none, "", 1, 1, &Binder::bind_series_one},
      {"series_ceiling", none, "", 1, 1, &Binder::bind_series_one},
      {"series_floor", none, "", 1, 1, &Binder::bind_series_one},
      {"series_sign", none, "", 1, 1, &Binder::bind_series_one},
      {"series_exp", none, "", 1, 1, &Binder::bind_series_one},
      {"series_log", none, "", 1, 1, &Binder::bind_series_one},
      {"series_sin", none, "", 1, 1, &Binder::bind_series_one},
      {"series_cos", none, "", 1, 1, &Binder::bind_series_one},
      {"series_tan", none, "", 1, 1, &Binder::bind_series_one},
      {"series_asin", none, "", 1, 1, &Binder::bind_series_one},
      {"series_acos", none, "", 1, 1, &Binder::bind_series_one},
      {"series_atan", none, "", 1, 1, &Binder::bind_series_one},
      {"series_product", none, "", 1, 1, &Binder::bind_series_one},
      {"series_magnitude", none, "", 1, 1, &Binder::bind_series_one},
      {"series_fit_line_dynamic", none, "", 1, 1, &Binder::bind_series_one},
      {"ipv4_is_in_any_range", none, "", 2, kMany, &Binder::bind_any_range},
      {"has_any_ipv4", none, "", 2, kMany, &Binder::bind_any_range},
      {"has_any_ipv4_prefix", none, "", 2, kMany, &Binder::bind_any_range},
      {"column_ifexists", none, "", 2, 2, &Binder::bind_column_if_exists},
      {"columnifexists", none, "", 2, 2, &Binder::bind_column_if_exists},
      {"iscolumnexists", none, "", 1, 1, &Binder::bind_is_column},
      {"percentile_tdigest", prefixed, "percentile_tdigest", 2, 3, &Binder::bind_digest_percentile},
      {"percentiles_array_tdigest", prefixed, "percentile_tdigest", 2, kFoldedMax, &Binder::bind_digest_percentile},
      {"gettype", prefixed, "type", 1, 1, &Binder::bind_get_type},
      {"datetime_part", none, "", 2, 2, &Binder::bind_datetime_part},
      {"datepart", none, "", 2, 2, &Binder::bind_datetime_part},
      {"bin_at", first_argument, "", 3, 3, &Binder::bind_bin_at},
      {"ingestion_time", none, "", 0, 0, &Binder::bind_ingestion_time},
      {"current_database", none, "", 0, 0, &Binder::bind_current_database},
      {"extract_all", none, "", 2, 3, &Binder::bind_extract_all},
      {"extractall", none, "", 2, 3, &Binder::bind_extract_all},
      {"round", first_argument, "", 1, 2, &Binder::bind_round},
      {"unixtime_seconds_todatetime", none, "", 1, 1, &Binder::bind_from_unix},
      {"unixtime_milliseconds_todatetime", none, "", 1, 1, &Binder::bind_from_unix},
      {"unixtime_microseconds_todatetime", none, "", 1, 1, &Binder::bind_from_unix},
      {"unixtime_nanoseconds_todatetime", none, "", 1, 1, &Binder::bind_from_unix},
  };
  return kFunctions;
}

ExprPtr Binder::json_of(const ExprPtr& value) {
  if (value->kind == Expr::Kind::call && value->op == "json_of") return value;
  return call("json_of", Type::dynamic, {value}, false);
}

Checked<ExprPtr> Binder::bind_pack(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr)) return diagnose(code::kArguments, expression.span, "values are expected");
  std::vector<ExprPtr> pairs;
  if (expression.text == "bag_pack_columns") {
    for (std::size_t i = 0; i < args.size(); ++i) {
      pairs.push_back(json_of(text(implicit_name(*expression.arguments[i].value))));
      pairs.push_back(json_of(args[i]));
    }
  } else {
    if (args.size() % 2 != 0)
      return diagnose(code::kArguments, expression.span, "pairs of a key and a value are expected");
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (i % 2 == 0 && args[i]->type != Type::string && args[i]->type != Type::dynamic) {
        return wrong_type(expression, i, args[i], "a string");
      }
      pairs.push_back(json_of(i % 2 == 0 ? convert(args[i], Type::string) : args[i]));
    }
  }
  return call("bag_of_pairs", Type::dynamic, {call("pack_array", Type::dynamic, std::move(pairs), false)}, false);
}

Checked<ExprPtr> Binder::bind_pack_all(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (scope_ == nullptr || scope_->empty()) {
    return diagnose(code::kArguments, expression.text_span, "there are no columns to pack here");
  }
  if (!args.empty() && (args[0] == nullptr || !is_literal(args[0]) || args[0]->type != Type::boolean)) {
    return wrong_type(expression, 0, args[0], "true or false");
  }
  const bool skip_empty = !args.empty() && args[0]->value == Value{Type::boolean, true};
  std::vector<ExprPtr> pairs;
  for (const auto& column : *scope_) {
    pairs.push_back(json_of(text(column.name)));
    pairs.push_back(json_of(column_ref(column.id, column.type, column.nullable)));
  }
  auto packed = call("pack_array", Type::dynamic, std::move(pairs), false);
  return call(skip_empty ? "bag_of_pairs_not_empty" : "bag_of_pairs", Type::dynamic, {std::move(packed)}, false);
}

Checked<ExprPtr> Binder::bind_pack_array(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  std::vector<ExprPtr> items;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (expression.arguments[i].value->kind == Kind::star || args[i] == nullptr) {
      return diagnose(code::kUnsupported, expression.arguments[i].value->span, "'*' of pack_array()");
    }
    items.push_back(json_of(args[i]));
  }
  return call("pack_array", Type::dynamic, std::move(items), false);
}

Checked<ExprPtr> Binder::bind_range(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr)) return diagnose(code::kArguments, expression.span, "values are expected");
  const Type type = args[0]->type;
  if (type == Type::datetime) {
    auto step = args.size() > 2 ? args[2] : literal({Type::timespan, kTicksPerHour});
    if (args[1]->type != Type::datetime) return wrong_type(expression, 1, args[1], "a datetime");
    if (step->type != Type::timespan) return wrong_type(expression, 2, step, "a timespan");
    return call("range_time", Type::dynamic, {args[0], args[1], std::move(step)});
  }
  if (type == Type::timespan) {
    auto step = args.size() > 2 ? args[2] : literal({Type::timespan, kTicksPerHour});
    if (args[1]->type != Type::timespan) return wrong_type(expression, 1, args[1], "a timespan");
    if (step->type != Type::timespan) return wrong_type(expression, 2, step, "a timespan");
    return call("range_span", Type::dynamic, {args[0], args[1], std::move(step)});
  }
  if (args.size() < 3) args.push_back(literal({Type::int64, std::int64_t{1}}));
  bool real = false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!is_number(args[i]->type))
      return wrong_type(expression, std::min(i, expression.arguments.size() - 1), args[i], "a number");
    real = real || args[i]->type == Type::real;
  }
  for (auto& arg : args) arg = convert(arg, real ? Type::real : Type::int64);
  return call(real ? "range_real" : "range_long", Type::dynamic, std::move(args));
}

Checked<ExprPtr> Binder::bind_repeat(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr) || !is_whole(args[1]->type)) return wrong_type(expression, 1, args[1], "a long");
  return call("repeat_value", Type::dynamic, {json_of(args[0]), convert(args[1], Type::int64)}, true);
}

/// Functions of many arguments that are made of one of two.
template <std::size_t which>
Checked<ExprPtr> Binder::bind_folded(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  static constexpr std::array<std::string_view, 5> kOps = {"array_concat", "bag_merge", "set_union", "set_intersect",
                                                           "set_difference"};
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == nullptr || args[i]->type != Type::dynamic) return wrong_type(expression, i, args[i], "dynamic");
  }
  auto out = args[0];
  for (std::size_t i = 1; i < args.size(); ++i) {
    auto left = out;
    auto right = args[i];
    if (kOps[which] == "bag_merge") {  // what is no bag adds nothing
      left = call("or_null_text", Type::dynamic, {left}, false);
      right = call("or_null_text", Type::dynamic, {right}, false);
    }
    out = call(kOps[which], Type::dynamic, {std::move(left), std::move(right)});
  }
  return out;
}

Checked<ExprPtr> Binder::bind_array_call(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  bool nulls_last = true;
  if (expression.text != "zip" && args.size() > 1 && args.back() != nullptr && args.back()->type == Type::boolean) {
    if (!is_literal(args.back())) return wrong_type(expression, args.size() - 1, args.back(), "true or false");
    nulls_last = args.back()->value == Value{Type::boolean, true};
    args.pop_back();
  }
  std::vector<ExprPtr> items;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == nullptr || args[i]->type != Type::dynamic) return wrong_type(expression, i, args[i], "dynamic");
    items.push_back(json_of(args[i]));
  }
  auto all = call("pack_array", Type::dynamic, std::move(items), false);
  if (expression.text == "zip") return call("zip_arrays", Type::dynamic, {std::move(all)});
  return call("array_sort", Type::dynamic,
              {std::move(all), literal({Type::boolean, expression.text == "array_sort_desc"}),
               literal({Type::boolean, nulls_last})});
}

Checked<ExprPtr> Binder::bind_series_pair(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (args[i] == nullptr || (args[i]->type != Type::dynamic && !is_number(args[i]->type))) {
      return wrong_type(expression, i, args[i], "an array or a number");
    }
    if (args[i]->type != Type::dynamic && args[1 - i] != nullptr && args[1 - i]->type != Type::dynamic) {
      return wrong_type(expression, i, args[i], "an array");
    }
    args[i] = json_of(args[i]);
  }
  const auto name = std::string_view(expression.text).substr(7);  // behind "series_"
  const bool number = name == "dot_product" || name == "cosine_similarity" || name == "pearson_correlation";
  return call(number ? "series_measure" : "series_pair", number ? Type::real : Type::dynamic,
              {text(name), args[0], args[1]});
}

Checked<ExprPtr> Binder::bind_series_one(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr || args[0]->type != Type::dynamic) return wrong_type(expression, 0, args[0], "an array");
  const auto name = std::string_view(expression.text).substr(7);
  if (name == "fit_line_dynamic") return call("series_fit_line_bag", Type::dynamic, {args[0]});
  const bool number = name == "product" || name == "magnitude";
  return call(number ? "series_fold" : "series_one", number ? Type::real : Type::dynamic, {text(name), args[0]});
}

/// ipv4_is_in_any_range and has_any_ipv4: the single test for each of the ranges.
Checked<ExprPtr> Binder::bind_any_range(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  const std::string_view op = expression.text == "ipv4_is_in_any_range" ? "ipv4_is_in_range"
                              : expression.text == "has_any_ipv4"       ? "has_ipv4"
                                                                        : "has_ipv4_prefix";
  if (args[0] == nullptr || (args[0]->type != Type::string && args[0]->type != Type::dynamic)) {
    return wrong_type(expression, 0, args[0], "a string");
  }
  const auto source = convert(args[0], Type::string);
  std::vector<ExprPtr> tests;
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i] == nullptr) return wrong_type(expression, i, args[i], "a string");
    if (args[i]->type == Type::dynamic) {
      const auto* json = is_literal(args[i]) ? std::get_if<std::string>(&args[i]->value.data) : nullptr;
      const auto items = json == nullptr ? std::nullopt : text_elements(*json);
      if (!items) {  // a list that only the row knows
        const std::string_view among = op == "ipv4_is_in_range" ? "ipv4_in_any_of"
                                       : op == "has_ipv4"       ? "has_ipv4_of"
                                                                : "has_ipv4_prefix_of";
        tests.push_back(call(among, Type::boolean, {source, args[i]}, false));
        continue;
      }
      for (const auto& item : *items) tests.push_back(call(op, Type::boolean, {source, text(item)}, true));
      continue;
    }
    if (args[i]->type != Type::string) return wrong_type(expression, i, args[i], "a string");
    tests.push_back(call(op, Type::boolean, {source, args[i]}, true));
  }
  if (tests.empty()) return literal({Type::boolean, false});
  return tests.size() == 1 ? tests[0] : strict_call("or", Type::boolean, std::move(tests));
}

Checked<ExprPtr> Binder::bind_column_if_exists(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto name, constant_text(*expression.arguments[0].value, args[0]));
  if (scope_ != nullptr) {
    if (const auto* column = find_any_column(*scope_, name))
      return column_ref(column->id, column->type, column->nullable);
  }
  if (args[1] == nullptr) return wrong_type(expression, 1, args[1], "a value");
  return args[1];
}

Checked<ExprPtr> Binder::bind_get_type(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr) return wrong_type(expression, 0, args[0], "a value");
  if (args[0]->type == Type::dynamic) return call("json_type_name", Type::string, {json_of(args[0])}, false);
  return text(to_string(args[0]->type));
}

Checked<ExprPtr> Binder::bind_datetime_part(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(auto part, constant_text(*expression.arguments[0].value, args[0]));
  if (args[1] == nullptr || args[1]->type != Type::datetime) return wrong_type(expression, 1, args[1], "a datetime");
  std::ranges::transform(part, part.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kParts = {
      std::pair("year", "year"),
      std::pair("quarter", "quarter"),
      std::pair("month", "month"),
      std::pair("weekofyear", "week_of_year"),
      std::pair("week_of_year", "week_of_year"),
      std::pair("day", "day"),
      std::pair("dayofyear", "day_of_year"),
      std::pair("hour", "hour"),
      std::pair("minute", "minute"),
      std::pair("second", "second"),
      std::pair("millisecond", "millisecond"),
      std::pair("microsecond", "microsecond")};
  const auto* const found =
      std::ranges::find(kParts, std::string_view(part), &std::pair<std::string_view, std::string_view>::first);
  if (found == kParts.end()) {
    return diagnose(code::kArguments, expression.arguments[0].value->span, "there is no part '" + part + "'");
  }
  return call(found->second, Type::int32, {args[1]});
}

/// bin() counted from a fixed point.
Checked<ExprPtr> Binder::bind_bin_at(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (contains(args, nullptr)) return diagnose(code::kArguments, expression.span, "three values are expected");
  const Type type = args[0]->type;
  const Type width = args[1]->type;
  if (args[2]->type != type && !(is_number(type) && is_number(args[2]->type))) {
    return wrong_type(expression, 2, args[2], "of the first argument's type");
  }
  if ((type == Type::datetime || type == Type::timespan) && width == Type::timespan) {
    return call(type == Type::datetime ? "bin_at_time" : "bin_at_long", type, {args[0], args[1], args[2]});
  }
  if (!is_number(type) || !is_number(width)) return wrong_type(expression, 1, args[1], "a width for this type");
  const bool real = type == Type::real || width == Type::real || args[2]->type == Type::real;
  const Type common = real ? Type::real : Type::int64;
  for (auto& arg : args) arg = convert(arg, common);
  return call(real ? "bin_at_real" : "bin_at_long", common, std::move(args));
}

Checked<ExprPtr> Binder::bind_ingestion_time(const ast::Expression& /*expression*/, std::vector<ExprPtr>& /*args*/) {
  const auto* const column = scope_ == nullptr ? nullptr : find_any_column(*scope_, kIngestionColumn);
  if (column != nullptr) return column_ref(column->id, Type::datetime, true);
  return literal({Type::datetime, std::monostate{}});
}

Checked<ExprPtr> Binder::bind_current_database(const ast::Expression& expression, std::vector<ExprPtr>& /*args*/) {
  if (schema_.database.empty()) {
    return diagnose(code::kUnsupported, expression.text_span, "the function current_database() is not supported here");
  }
  return text(schema_.database);
}

Checked<ExprPtr> Binder::bind_extract_all(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  TRY(const auto regex, constant_text(*expression.arguments[0].value, args[0]));
  const auto& source = args.back();
  if (source == nullptr || (source->type != Type::string && source->type != Type::dynamic)) {
    return wrong_type(expression, args.size() - 1, source, "a string");
  }
  std::vector<std::int64_t> groups;
  if (args.size() == 3) {
    const auto* json = is_literal(args[1]) ? std::get_if<std::string>(&args[1]->value.data) : nullptr;
    const auto items = json == nullptr || args[1]->type != Type::dynamic ? std::nullopt : text_elements(*json);
    if (!items || items->empty()) return wrong_type(expression, 1, args[1], "a dynamic([...]) literal");
    for (const auto& item : *items) {
      const bool number =
          !item.empty() && item.size() < 3 && std::ranges::all_of(item, [](char c) { return c >= '0' && c <= '9'; });
      const auto named = number ? std::optional<std::size_t>(std::stoul(item)) : regex_group(regex, item);
      if (!named) {
        return diagnose(code::kArguments, expression.arguments[1].value->span,
                        "the expression has no group '" + item + "'");
      }
      groups.push_back(static_cast<std::int64_t>(*named));
    }
  } else {
    const auto count = regex_groups(regex);
    for (std::size_t i = 1; i <= count; ++i) groups.push_back(static_cast<std::int64_t>(i));
    if (groups.empty())
      return diagnose(code::kArguments, expression.arguments[0].value->span, "a group is expected in this expression");
  }
  if (groups.size() > 16) return diagnose(code::kLimit, expression.span, "more than 16 groups");
  std::vector<ExprPtr> out = {convert(source, Type::string), args[0]};
  for (const auto group : groups) out.push_back(literal({Type::int64, group}));
  return call("extract_all", Type::dynamic, std::move(out), false);
}

Checked<ExprPtr> Binder::bind_round(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] != nullptr && args[0]->type == Type::decimal) {
    if (args.size() == 1) args.push_back(literal({Type::int64, std::int64_t{0}}));
    if (args[1] == nullptr || !is_whole(args[1]->type)) return wrong_type(expression, 1, args[1], "a long");
    return call("decimal_round", Type::decimal, {args[0], convert(args[1], Type::int64)});
  }
  if (args[0] == nullptr || !is_number(args[0]->type)) return wrong_type(expression, 0, args[0], "a number");
  if (args.size() == 1) {
    return args[0]->type == Type::real ? strict_call("round", Type::real, {args[0]}) : args[0];
  }
  if (args[1] == nullptr || !is_whole(args[1]->type)) return wrong_type(expression, 1, args[1], "a long");
  const Type type = args[0]->type;
  auto rounded = call("round_to", Type::real, {convert(args[0], Type::real), convert(args[1], Type::int64)});
  return type == Type::real ? rounded : convert(rounded, type);
}

Checked<ExprPtr> Binder::bind_from_unix(const ast::Expression& expression, std::vector<ExprPtr>& args) {
  if (args[0] == nullptr || !is_number(args[0]->type)) return wrong_type(expression, 0, args[0], "a number");
  const bool real = args[0]->type == Type::real;
  const std::string_view op =
      expression.text.contains("nanoseconds")    ? (real ? "unix_nanoseconds_real" : "unix_nanoseconds")
      : expression.text.contains("microseconds") ? (real ? "unix_microseconds_real" : "unix_microseconds")
      : expression.text.contains("milliseconds") ? (real ? "unix_milliseconds_real" : "unix_milliseconds")
                                                 : (real ? "unix_seconds_real" : "unix_seconds");
  return call(op, Type::datetime, {convert(args[0], real ? Type::real : Type::int64)});
}

}  // namespace picket::kql
