#include "kql/compile.h"

#include <algorithm>

#include "binder.h"
#include "kql/emitter.h"
#include "parser.h"
#include "request_properties.h"

namespace picket::kql {

namespace {

Checked<CompiledQuery> emit(Plan plan, const Options& options) {
  TRY(auto sql, duckdb_emitter().emit(plan, options.computed));
  CompiledQuery out{.sql = std::move(sql.text),
                    .binds = std::move(sql.binds),
                    .computed = std::move(sql.computed),
                    .time_from = sql.time_from,
                    .time_to = sql.time_to};
  for (const auto& column : plan.columns) out.columns.push_back({column.name, column.type});
  out.plan = std::make_shared<const Plan>(std::move(plan));
  return out;
}

Checked<std::vector<CompiledQuery>> compile_checked(std::string_view text, const Schema& schema, const Options& asked) {
  TRY(const auto query, parse(text));
  TRY(const Applied applied, apply_properties(query, schema, asked));
  const Options& options = applied.options;
  Discover discover;
  if (options.discover) {
    discover = [&options](Plan plan) -> Checked<std::vector<std::string>> {
      TRY(const auto probe, emit(std::move(plan), options));
      auto rows = options.discover(probe);
      if (!rows) return diagnose(code::kUnsupported, {0, 0}, "the columns could not be found out: " + rows.error());
      return *std::move(rows);
    };
  }
  TRY(auto plans, kql::bind(query, schema, options, discover));
  std::vector<CompiledQuery> out;
  for (auto& plan : plans) {
    if (applied.rows_max)
      plan.root = std::make_shared<const Node>(Node{Take{std::move(plan.root), *applied.rows_max, plan.order}});
    TRY(auto compiled, emit(std::move(plan), options));
    out.push_back(std::move(compiled));
  }
  return out;
}

Diagnostics located(Diagnostic diagnostic, std::string_view text) {
  locate(diagnostic, text);
  return {std::move(diagnostic)};
}

/// Some value of the type, for a parameter without default. Not null: `take n` wants a number.
std::string_view sample_of(Type type) {
  switch (type) {
    case Type::boolean:
      return "true";
    case Type::int32:
      return "int(1)";
    case Type::int64:
      return "1";
    case Type::real:
      return "1.0";
    case Type::string:
      return "'x'";
    case Type::datetime:
      return "datetime(2026-01-01)";
    case Type::timespan:
      return "1h";
    case Type::guid:
      return "guid(00000000-0000-0000-0000-000000000001)";
    case Type::dynamic:
      return "dynamic(null)";
    case Type::decimal:
      return "decimal(1)";
  }
  return "''";
}

/// The arguments of a call that type-checks; nullopt: only a real call can tell.
std::optional<std::string> sample_arguments(const ast::Function& function) {
  std::string out;
  for (const auto& parameter : function.parameters) {
    if (parameter.tabular && parameter.columns.empty()) return std::nullopt;
    if (parameter.fallback != nullptr) break;  // those behind it have defaults too
    if (!out.empty()) out += ", ";
    if (!parameter.tabular) {
      out += sample_of(parameter.type);
      continue;
    }
    std::string columns;
    for (const auto& [name, type] : parameter.columns)
      columns += (columns.empty() ? "['" : ", ['") + name.text + "']:" + std::string(to_string(type));
    out += "datatable(" + columns + ")[]";
  }
  return out;
}

/// Declares the function in a query of its own, so that diagnostics point into it.
std::expected<void, Diagnostics> check_call(std::string_view text, std::string_view call, const Schema& schema,
                                            const Options& options) {
  constexpr std::string_view kBefore = "let picket_checked = ";
  const std::string query = std::string(kBefore) + std::string(text) + "\n;\n" + std::string(call);
  const auto compiled = compile_all(query, schema, options);
  if (compiled) return {};
  Diagnostics out = compiled.error();
  for (Diagnostic& diagnostic : out) {
    Span& span = diagnostic.span;
    const bool inside = span.start >= kBefore.size() && span.end() <= kBefore.size() + text.size();
    span = inside ? Span{span.start - kBefore.size(), span.length} : Span{0, text.size()};
    locate(diagnostic, text);
  }
  return std::unexpected(std::move(out));
}

}  // namespace

std::expected<std::vector<CompiledQuery>, Diagnostics> compile_all(std::string_view text, const Schema& schema,
                                                                   const Options& options) {
  auto out = compile_checked(text, schema, options);
  if (out) return *std::move(out);
  return std::unexpected(located(std::move(out).error(), text));
}

std::expected<CompiledQuery, Diagnostics> compile(std::string_view text, const Schema& schema, const Options& options) {
  auto out = compile_all(text, schema, options);
  if (!out) return std::unexpected(std::move(out).error());
  if (out->size() == 1) return std::move(out->front());
  return std::unexpected(located(
      Diagnostic{code::kUnsupported, "several results of one request are not supported here", {0, text.size()}}, text));
}

std::expected<void, Diagnostics> check_function(std::string_view text) {
  auto out = parse_function(text);
  if (out) return {};
  return std::unexpected(located(std::move(out).error(), text));
}

std::expected<void, Diagnostics> check_function(std::string_view name, std::string_view text, const Schema& schema,
                                                const Options& options) {
  const auto parsed = parse_function(text);
  if (!parsed) return std::unexpected(located(parsed.error(), text));
  const auto arguments = sample_arguments(**parsed);
  if (!arguments) return {};
  Schema others = schema;
  std::erase_if(others.functions, [&](const StoredFunction& one) { return one.name == name; });
  bool asked = false;
  Options quiet = options;
  quiet.discover = [&asked](const CompiledQuery&) -> std::expected<std::vector<std::string>, std::string> {
    asked = true;
    return std::unexpected("only a call can tell");
  };
  const std::string call = "picket_checked(" + *arguments + ")";
  auto checked = check_call(text, call, others, quiet);
  const bool expression = std::holds_alternative<ast::ExpressionPtr>((*parsed)->body);
  if (!checked && expression) checked = check_call(text, "print " + call, others, quiet);
  // A part of a date or a pattern may be handed over, which our sample is not.
  const bool by_value = !checked && checked.error().front().code == code::kArguments && !arguments->empty();
  return checked || asked || by_value ? std::expected<void, Diagnostics>{} : checked;
}

std::expected<FunctionText, Diagnostics> read_function(std::string_view text) {
  const auto parsed = parse_function(text);
  if (!parsed) return std::unexpected(located(parsed.error(), text));
  FunctionText out;
  std::size_t behind = 0;  // the last parameter: what follows up to the brace is the closing bracket
  for (const auto& parameter : (*parsed)->parameters) {
    FunctionParameter& one = out.parameters.emplace_back();
    one.name = parameter.name.text;
    one.type = parameter.type;
    one.tabular = parameter.tabular;
    for (const auto& [name, type] : parameter.columns) one.columns.emplace_back(name.text, type);
    behind = parameter.name.span.end();
    if (parameter.fallback == nullptr) continue;
    const Span span = parameter.fallback->span;
    one.fallback = text.substr(span.start, span.length);
    behind = span.end();
  }
  const std::size_t brace = std::min(text.find('{', behind), text.size());
  out.head = text.substr(0, brace);
  out.head.erase(out.head.find_last_not_of(" \t\r\n") + 1);
  out.body = text.substr(brace);
  return out;
}

}  // namespace picket::kql
