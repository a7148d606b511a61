#include "kql/compile.h"

#include "binder.h"
#include "kql/emitter.h"
#include "parser.h"

namespace picket::kql {

namespace {

Checked<CompiledQuery> compile_checked(std::string_view text, const Schema& schema, const Options& options) {
  TRY(const auto query, parse(text));
  TRY(auto plan, bind(query, schema, options));
  TRY(auto sql, duckdb_emitter().emit(plan));
  CompiledQuery out{.sql = std::move(sql.text), .binds = std::move(sql.binds)};
  for (const auto& column : plan.columns) out.columns.push_back({column.name, column.type});
  out.plan = std::make_shared<const Plan>(std::move(plan));
  return out;
}

}  // namespace

std::expected<CompiledQuery, Diagnostics> compile(std::string_view text, const Schema& schema, const Options& options) {
  auto out = compile_checked(text, schema, options);
  if (out) return *std::move(out);
  auto diagnostic = std::move(out).error();
  locate(diagnostic, text);
  return std::unexpected(Diagnostics{std::move(diagnostic)});
}

}  // namespace picket::kql
