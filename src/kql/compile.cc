#include "kql/compile.h"

#include "binder.h"
#include "kql/emitter.h"
#include "parser.h"

namespace picket::kql {

namespace {

Checked<CompiledQuery> emit(Plan plan) {
  TRY(auto sql, duckdb_emitter().emit(plan));
  CompiledQuery out{.sql = std::move(sql.text), .binds = std::move(sql.binds)};
  for (const auto& column : plan.columns) out.columns.push_back({column.name, column.type});
  out.plan = std::make_shared<const Plan>(std::move(plan));
  return out;
}

Checked<std::vector<CompiledQuery>> compile_checked(std::string_view text, const Schema& schema,
                                                    const Options& options) {
  TRY(const auto query, parse(text));
  Discover discover;
  if (options.discover) {
    discover = [&options](Plan plan) -> Checked<std::vector<std::string>> {
      TRY(const auto probe, emit(std::move(plan)));
      auto rows = options.discover(probe);
      if (!rows) return diagnose(code::kUnsupported, {0, 0}, "the columns could not be found out: " + rows.error());
      return *std::move(rows);
    };
  }
  TRY(auto plans, kql::bind(query, schema, options, discover));
  std::vector<CompiledQuery> out;
  for (auto& plan : plans) {
    TRY(auto compiled, emit(std::move(plan)));
    out.push_back(std::move(compiled));
  }
  return out;
}

Diagnostics located(Diagnostic diagnostic, std::string_view text) {
  locate(diagnostic, text);
  return {std::move(diagnostic)};
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

}  // namespace picket::kql
