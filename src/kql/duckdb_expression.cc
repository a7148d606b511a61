#include <algorithm>
#include <charconv>
#include <cmath>

#include "duckdb_templates.h"
#include "duckdb_writer.h"
#include "kql/compile.h"

namespace picket::kql {

namespace {

std::string_view sql_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::int32:
      return "INTEGER";
    case Type::int64:
    case Type::timespan:
      return "BIGINT";
    case Type::real:
      return "DOUBLE";
    case Type::string:
    case Type::dynamic:
    case Type::decimal:
      return "VARCHAR";
    case Type::datetime:
      return "TIMESTAMP";
    case Type::guid:
      return "UUID";
  }
  return "VARCHAR";
}

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

/// A JSON path is a name, not a value: it stands in the text, quoted twice (JSON path, then SQL).
std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

bool fits_json_path(std::string_view key) {
  return !key.empty() && key.find_first_of("\"\\") == std::string_view::npos &&
         key.find('\0') == std::string_view::npos;
}

/// JSON pointer of one key, for keys that a JSON path cannot quote.
std::string pointer(std::string_view key) {
  std::string out = "/";
  for (const char c : key) out += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return out;
}

/// Splits steps into the fewest json_extract paths: one, but for keys that need a pointer of their own.
std::vector<std::string> json_paths(const std::vector<PathStep>& steps) {
  std::vector<std::string> out;
  bool open = false;
  for (const auto& step : steps) {
    const auto* key = std::get_if<std::string>(&step);
    if (key != nullptr && !fits_json_path(*key)) {
      out.push_back(pointer(*key));
      open = false;
      continue;
    }
    if (!open) out.emplace_back("$");
    open = true;
    if (key != nullptr) {
      out.back() += ".\"" + *key + "\"";
    } else {
      const auto position = std::get<std::int64_t>(step);
      out.back() += position < 0 ? "[#" + std::to_string(position) + "]" : "[" + std::to_string(position) + "]";
    }
  }
  return out;
}

constexpr std::string_view kTicksFromYearOne = "62135596800000000";

}  // namespace

std::string DuckdbWriter::expand(std::string_view sql, const std::vector<ExprPtr>& args) {
  std::string out;
  const auto append_from = [&](std::size_t first) {
    for (std::size_t i = first; i < args.size(); ++i) out += (i > first ? ", " : "") + value(*args[i]);
  };
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '{') {
      out += sql[i];
      continue;
    }
    const auto close = sql.find('}', i);
    auto index = sql.substr(i + 1, close - i - 1);
    const bool rest = index.ends_with('*');
    if (rest) index.remove_suffix(1);
    std::size_t n = 0;
    std::from_chars(index.data(), index.data() + index.size(), n);
    if (rest) {
      append_from(n);
    } else if (n < args.size()) {
      out += value(*args[n]);
    }
    i = close;
    if (out.size() > kSqlBytesMax) {
      too_large_ = true;
      return "NULL";
    }
  }
  return out;
}

std::string DuckdbWriter::literal(const Value& value) {
  const auto type = std::string(sql_type(value.type));
  if (value.is_null()) return "CAST(NULL AS " + type + ")";
  if (const auto* boolean = std::get_if<bool>(&value.data)) return *boolean ? "TRUE" : "FALSE";
  // A value that occurs again is the same parameter: the text stays short, and equal expressions stay equal for the
  // engine.
  const auto found = std::ranges::find(binds_, value);
  const auto index = static_cast<std::size_t>(found - binds_.begin());
  if (found == binds_.end()) binds_.push_back(value);
  return "CAST($" + std::to_string(index + 1) + " AS " + type + ")";
}

std::string DuckdbWriter::value(const Expr& expr) {
  if (too_large_) return "NULL";
  switch (expr.kind) {
    case Expr::Kind::literal:
      return literal(expr.value);
    case Expr::Kind::column:
      if (inline_ != nullptr) return inline_->at(expr.column);
      return named_column(expr.column);
    case Expr::Kind::call:
      if (const auto* key = computed(expr)) return named_column(key->column);
      return call(expr);
    case Expr::Kind::path:
      return path(expr);
    case Expr::Kind::in_table:
      return in_table(expr, false);
    case Expr::Kind::scalar_table: {
      const auto select = "(SELECT " + column_name(expr.column) + " FROM " + sub_query(expr) + " LIMIT 1)";
      return expr.type == Type::string ? "coalesce(" + select + ", '')" : select;
    }
  }
  return "NULL";
}

std::string DuckdbWriter::named_column(ColumnId column) const {
  return (read_stored_ && stored_.contains(column) ? "r" : "c") + std::to_string(column);
}

std::string DuckdbWriter::condition(const Expr& expr) {
  if (too_large_) return "FALSE";
  if (expr.kind == Expr::Kind::in_table) return in_table(expr, true);
  if (expr.kind != Expr::Kind::call) return value(expr);
  if (!read_stored_ && !stored_.empty() && false_for_empty(expr)) {
    read_stored_ = true;
    auto out = condition(expr);
    read_stored_ = false;
    return out;
  }
  if (expr.op == "and" || expr.op == "or") {
    std::string out = "(";
    for (const auto& arg : expr.args) {
      if (out.size() > 1) out += expr.op == "and" ? " AND " : " OR ";
      out += condition(*arg);
    }
    return out + ")";
  }
  if (expr.op == "is_true") return condition(*expr.args[0]);
  if (expr.op == "in") return expand("({0} IN ({1*}))", expr.args);
  if (expr.op == "eq" || expr.op == "ne" || expr.op == "lt" || expr.op == "le" || expr.op == "gt" || expr.op == "ge") {
    return comparison(expr, true);
  }
  return value(expr);
}

bool DuckdbWriter::false_for_empty(const Expr& expr) {
  static constexpr std::string_view kSearches[] = {"has",        "has_cs",        "hasprefix", "hasprefix_cs",
                                                   "hassuffix",  "hassuffix_cs",  "contains",  "contains_cs",
                                                   "startswith", "startswith_cs", "endswith",  "endswith_cs"};
  const bool in = expr.op == "in";
  if (!in && expr.op != "eq" && std::ranges::find(kSearches, expr.op) == std::end(kSearches)) return false;
  if (expr.args.size() < 2 || (!in && expr.args.size() != 2)) return false;
  if (expr.args[0]->kind != Expr::Kind::column && computed(*expr.args[0]) == nullptr) return false;
  return std::ranges::all_of(expr.args.begin() + 1, expr.args.end(), [](const ExprPtr& arg) {
    const auto* text = arg->kind == Expr::Kind::literal ? std::get_if<std::string>(&arg->value.data) : nullptr;
    return text != nullptr && !text->empty();
  });
}

/// kql.md section 3: null == null is null, null == v is false, null != v is true; order with null is null. A NaN equals
/// and precedes nothing, while DuckDB takes it for the largest number.
std::string DuckdbWriter::comparison(const Expr& expr, bool null_is_false) {
  const auto& left = *expr.args[0];
  const auto& right = *expr.args[1];
  const auto a = value(left);
  const auto b = value(right);
  const auto may_be_nan = [](const Expr& side) {
    const auto* known = side.kind == Expr::Kind::literal ? std::get_if<double>(&side.value.data) : nullptr;
    return side.kind != Expr::Kind::literal || (known != nullptr && std::isnan(*known));
  };
  const bool left_computed = may_be_nan(left);
  const bool right_computed = may_be_nan(right);
  const bool real = left.type == Type::real;
  const auto not_nan = [](const std::string& side) { return " AND NOT isnan(" + side + ")"; };
  if (expr.op == "eq" || expr.op == "ne") {
    const bool nullable = left.nullable || right.nullable;
    const bool both = left.nullable && right.nullable;
    const bool equal = expr.op == "eq";
    const bool watch_nan = real && left_computed && right_computed;  // a number equals no NaN in any engine
    std::string test;
    if (equal) {
      test = a + " = " + b + (watch_nan ? not_nan(a) : "");
      if (nullable && !null_is_false) test = "coalesce(" + test + ", FALSE)";
    } else {
      test = a + (nullable ? " IS DISTINCT FROM " : " <> ") + b +
             (watch_nan ? " OR coalesce(isnan(" + a + "), FALSE)" : "");
    }
    if (both && !null_is_false)
      return "CASE WHEN " + a + " IS NULL AND " + b + " IS NULL THEN NULL ELSE (" + test + ") END";
    return "(" + test + ")";
  }
  const bool greater = expr.op.starts_with('g');
  const std::string op = std::string(greater ? ">" : "<") + (expr.op.ends_with('e') ? "=" : "");
  std::string test = a + " " + op + " " + b;
  if (real && greater && left_computed) test += not_nan(a);
  if (real && (!greater || expr.op.ends_with('e')) && right_computed) test += not_nan(b);
  return "(" + test + ")";
}

std::string DuckdbWriter::sub_query(const Expr& expr) {
  // The same table expression serves every place that asks for it.
  const auto found = sub_queries_.find(expr.table.get());
  if (found != sub_queries_.end()) return found->second;
  const auto outer = std::exchange(times_, {});  // a `let` table may stand here and outside, with the same columns
  auto name = node(expr.table, {expr.column});
  times_ = outer;
  sub_queries_.emplace(expr.table.get(), name);
  return name;
}

std::string DuckdbWriter::in_table(const Expr& expr, bool null_is_false) {
  const bool folded = expr.op == "in_folded";
  const auto fold = [folded](std::string text) { return folded ? "lower(" + std::move(text) + ")" : text; };
  const auto test = "(" + fold(value(*expr.args[0])) + " IN (SELECT " + fold(column_name(expr.column)) + " FROM " +
                    sub_query(expr) + "))";
  return null_is_false ? test : "coalesce(" + test + ", FALSE)";
}

std::string DuckdbWriter::call(const Expr& expr) {
  const auto op = expr.op;
  if (op == "eq" || op == "ne" || op == "lt" || op == "le" || op == "gt" || op == "ge") return comparison(expr, false);
  if (op == "and" || op == "or") {
    std::string out = "(";
    for (const auto& arg : expr.args) {
      if (out.size() > 1) out += op == "and" ? " AND " : " OR ";
      out += value(*arg);
    }
    return out + ")";
  }
  if (op == "in") return expand("coalesce({0} IN ({1*}), FALSE)", expr.args);
  if (op == "convert") return convert(expr);
  if (op == "json_of") {  // an element of an array: null has a text there
    const auto& inner = *expr.args[0];
    const auto text = json_text(inner.type, value(inner));
    return inner.nullable ? "coalesce(" + text + ", 'null')" : text;
  }
  if (op == "pack_array") {
    std::string out = "concat('['";
    for (std::size_t i = 0; i < expr.args.size(); ++i) out += (i > 0 ? ", ',', " : ", ") + value(*expr.args[i]);
    return out + ", ']')";
  }
  if (op == "extract_all") return extract_all(expr);
  if (op == "to_dynamic") return json_text(expr.args[0]->type, value(*expr.args[0]));
  if (op == "dynamic_text_or_null") {
    const auto& inner = *expr.args[0];
    return inner.kind == Expr::Kind::path ? path_text(inner) : "kql_dynamic_text(" + value(inner) + ")";
  }
  if (op == "case") {
    std::string out = "CASE";
    for (std::size_t i = 0; i + 1 < expr.args.size(); i += 2) {
      out += " WHEN " + condition(*expr.args[i]) + " THEN " + value(*expr.args[i + 1]);
    }
    return out + " ELSE " + value(*expr.args.back()) + " END";
  }
  if (op == "coalesce_text") {
    std::string out = "coalesce(";
    for (const auto& arg : expr.args) out += "nullif(" + value(*arg) + ", ''), ";
    return out + "'')";
  }
  if (op == "extract") {
    // The group number is structure: DuckDB wants a constant there.
    return "coalesce(regexp_extract(" + value(*expr.args[2]) + ", " + value(*expr.args[0]) + ", " +
           std::to_string(std::get<std::int64_t>(expr.args[1]->value.data)) + "), '')";
  }
  if (op == "datetime_diff" || op == "datetime_add") return datetime_part_call(expr);
  const auto* const known = find_template(op);
  return known == nullptr ? "error('unknown operation')" : expand(known->sql, expr.args);
}

/// Matches as an array: of texts for one group, of arrays for several. An expression's matches are the same for each of
/// its groups, so their lists are equally long.
std::string DuckdbWriter::extract_all(const Expr& expr) {
  const auto text = value(*expr.args[0]);
  const auto regex = value(*expr.args[1]);
  const auto group = [&](std::size_t i) {
    return "regexp_extract_all(" + text + ", " + regex + ", " +
           std::to_string(std::get<std::int64_t>(expr.args[i]->value.data)) + ")";
  };
  if (expr.args.size() == 3) return "CAST(to_json(" + group(2) + ") AS VARCHAR)";
  std::string lists;
  for (std::size_t i = 2; i < expr.args.size(); ++i)
    lists += (i > 2 ? ", CAST(to_json(" : "CAST(to_json(") + group(i) + ") AS VARCHAR)";
  return "kql_zip_arrays(concat_ws(',', concat('[', concat_ws(',', " + lists + "), ']')))";
}

std::string DuckdbWriter::datetime_part_call(const Expr& expr) {
  const auto& part = std::get<std::string>(expr.args[0]->value.data);  // one of the binder's fixed names
  if (expr.op == "datetime_add") {
    const auto count = value(*expr.args[1]);
    const auto base = value(*expr.args[2]);
    if (part == "quarter") return "(" + base + " + to_months(CAST(3 * " + count + " AS INTEGER)))";
    const bool wide =
        part == "hour" || part == "minute" || part == "second" || part == "millisecond" || part == "microsecond";
    return "(" + base + " + to_" + part + "s(" + (wide ? count : "CAST(" + count + " AS INTEGER)") + "))";
  }
  const auto later = value(*expr.args[1]);
  const auto earlier = value(*expr.args[2]);
  if (part == "week") {  // weeks begin on Sunday
    const auto week = [](const std::string& time) { return "date_trunc('week', " + time + " + INTERVAL 1 DAY)"; };
    return "(date_diff('day', " + week(earlier) + ", " + week(later) + ") // 7)";
  }
  return "date_diff('" + part + "', " + earlier + ", " + later + ")";
}

std::string DuckdbWriter::path(const Expr& expr) {
  const auto& base = *expr.args[0];
  const auto paths = json_paths(expr.steps);
  // A path into text that is no JSON is null; going through parse_json() would first wrap the text as a JSON string.
  const bool parsed = base.kind == Expr::Kind::call && base.op == "parse_json";
  const auto source = value(parsed ? *base.args[0] : base);
  auto out = source;
  for (const auto& one : paths) out = "json_extract(" + out + ", " + sql_text(one) + ")";
  if (parsed) out = "TRY(" + out + ")";  // asking json_valid() first would read the text twice
  return "nullif(CAST(" + out + " AS VARCHAR), 'null')";
}

/// As tostring(path), but null where the path leads nowhere.
std::string DuckdbWriter::path_text(const Expr& expr) {
  const auto& base = *expr.args[0];
  const auto paths = json_paths(expr.steps);
  const bool parsed = base.kind == Expr::Kind::call && base.op == "parse_json";
  const auto source = value(parsed ? *base.args[0] : base);
  auto out = source;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    out = (i + 1 < paths.size() ? "json_extract(" : "json_extract_string(") + out + ", " + sql_text(paths[i]) + ")";
  }
  return parsed ? "TRY(" + out + ")" : out;
}

std::optional<std::string> DuckdbWriter::path_elements(const Expr& expr) {
  if (expr.kind != Expr::Kind::path) return std::nullopt;
  const auto& base = *expr.args[0];
  const auto paths = json_paths(expr.steps);
  if (paths.size() != 1 || !paths[0].starts_with('$')) return std::nullopt;
  const bool parsed = base.kind == Expr::Kind::call && base.op == "parse_json";
  const auto out = "json_extract(" + value(parsed ? *base.args[0] : base) + ", " + sql_text(paths[0] + "[*]") + ")";
  return parsed ? "TRY(" + out + ")" : out;
}

std::string DuckdbWriter::json_text(Type type, const std::string& text) {
  switch (type) {
    case Type::dynamic:
      return text;
    case Type::boolean:
    case Type::int32:
    case Type::int64:
      return "CAST(" + text + " AS VARCHAR)";
    case Type::real:
      return "CASE WHEN isfinite(" + text + ") THEN kql_real_text(" + text + ") ELSE CAST(to_json(kql_real_text(" +
             text + ")) AS VARCHAR) END";
    case Type::datetime:
      return "CAST(to_json(kql_datetime_text(" + text + ")) AS VARCHAR)";
    case Type::timespan:
      return "CAST(to_json(kql_timespan_text(" + text + ")) AS VARCHAR)";
    case Type::decimal:
      return "CAST(to_json(kql_decimal_text(" + text + ")) AS VARCHAR)";
    case Type::guid:
      return "CAST(to_json(CAST(" + text + " AS VARCHAR)) AS VARCHAR)";
    case Type::string:
      return "CAST(to_json(" + text + ") AS VARCHAR)";
  }
  return text;
}

std::string DuckdbWriter::convert(const Expr& expr) {
  const auto& from = *expr.args[0];
  const auto type = std::string(sql_type(expr.type));
  if (expr.type == Type::string) {
    if (from.kind == Expr::Kind::path) return "coalesce(" + path_text(from) + ", '')";
    const auto text = value(from);
    switch (from.type) {
      case Type::real:
        return "coalesce(kql_real_text(" + text + "), '')";
      case Type::datetime:
        return "coalesce(kql_datetime_text(" + text + "), '')";
      case Type::timespan:
        return "coalesce(kql_timespan_text(" + text + "), '')";
      case Type::decimal:
        return "coalesce(kql_decimal_text(" + text + "), '')";
      case Type::dynamic:
        return "coalesce(kql_dynamic_text(" + text + "), '')";
      default:
        return "coalesce(CAST(" + text + " AS VARCHAR), '')";
    }
  }
  const auto text = value(from);
  const auto wrapped = [&](std::string_view function) { return std::string(function) + "(" + text + ")"; };
  if (from.type == Type::string || from.type == Type::dynamic) {
    const bool dynamic = from.type == Type::dynamic;
    switch (expr.type) {
      case Type::boolean:
        return wrapped(dynamic ? "kql_dynamic_bool" : "kql_parse_bool");
      case Type::int64:
        return wrapped(dynamic ? "kql_dynamic_long" : "kql_parse_long");
      case Type::int32:
        return "TRY_CAST(" + wrapped(dynamic ? "kql_dynamic_long" : "kql_parse_long") + " AS INTEGER)";
      case Type::real:
        return wrapped(dynamic ? "kql_dynamic_real" : "kql_parse_real");
      case Type::datetime:
        return wrapped(dynamic ? "kql_dynamic_datetime" : "kql_parse_datetime");
      case Type::timespan:
        return wrapped(dynamic ? "kql_dynamic_timespan" : "kql_parse_timespan");
      case Type::decimal:
        return "kql_decimal_parse(" + (dynamic ? wrapped("kql_dynamic_text") : text) + ")";
      case Type::guid:
        return "CAST(kql_parse_guid(" + (dynamic ? wrapped("kql_dynamic_text") : text) + ") AS UUID)";
      default:
        return text;
    }
  }
  if (from.type == Type::decimal) {
    if (expr.type == Type::boolean) return "(" + text + " <> '5')";
    if (expr.type == Type::real) return wrapped("kql_decimal_real");
    return "TRY_CAST(" + wrapped("kql_decimal_long") + " AS " + type + ")";
  }
  if (expr.type == Type::decimal) {
    return from.type == Type::real ? wrapped("kql_decimal_of_real")
                                   : "kql_decimal_of_long(CAST(" + text + " AS BIGINT))";
  }
  if (expr.type == Type::boolean) return "(" + text + " <> 0)";
  if (from.type == Type::datetime) {
    const auto ticks = "((epoch_us(" + text + ") + " + std::string(kTicksFromYearOne) + ") * 10)";
    return expr.type == Type::int32 ? "TRY_CAST(" + ticks + " AS INTEGER)" : "CAST(" + ticks + " AS " + type + ")";
  }
  if (expr.type == Type::datetime) {  // ticks since year one; what no calendar holds is null
    return "CASE WHEN " + text + " BETWEEN 0 AND 3155378975999999999 THEN make_timestamp(" + text + " // 10 - " +
           std::string(kTicksFromYearOne) + ") END";
  }
  if (from.type == Type::real && expr.type != Type::real) return "TRY_CAST(trunc(" + text + ") AS " + type + ")";
  if (expr.type == Type::int32) return "TRY_CAST(" + text + " AS INTEGER)";
  return "CAST(" + text + " AS " + type + ")";
}

void DuckdbWriter::collect(const Expr& expr, Needed& out) {
  if (expr.kind == Expr::Kind::column) out.insert(expr.column);
  if (const auto* key = computed(expr)) {
    out.insert(key->column);
    return;
  }
  for (const auto& arg : expr.args) collect(*arg, out);
}

}  // namespace picket::kql
