#include "kql_run.h"

#include <fmt/format.h>

#include "api/kql_request.h"
#include "base/server/log.h"
#include "query_parameters.h"
#include "request_limits.h"
#include "router.h"

namespace picket::api {
namespace {

ApiError from_engine(const workspace::QueryError& error, const RunLimits& limits) {
  using Kind = workspace::QueryError::Kind;
  switch (error.kind) {
    case Kind::invalid:
      return {.code = "query_failed", .message = error.text, .target = "query"};
    case Kind::timeout:
      return {
          .code = "query_limit",
          .message = fmt::format("The query ran out of its {} seconds; narrow it to a shorter time or fewer devices.",
                                 limits.timeout.whole_seconds()),
          .target = "query"};
    case Kind::memory:
      return {.code = "query_limit",
              .message = "The query ran out of its memory; summarize or filter earlier.",
              .target = "query"};
    case Kind::cancelled:
      return {.code = "query_cancelled"};
    case Kind::busy:
      return {.code = "busy", .retry_after_s = 1};
    case Kind::internal:
      log::error("api", "query failed: {}", error.text);
      return {.code = "internal"};
  }
  return {.code = "internal"};
}

struct Watched {
  std::stop_token end;
  std::shared_ptr<workspace::QueryProgress> progress;
  /// Of all statements of one text, and of what the compiler asks for them.
  std::shared_ptr<workspace::SharedView> view = std::make_shared<workspace::SharedView>();
};

/// `compiled` outlives the request.
workspace::QueryRequest limited_request(const kql::CompiledQuery& compiled, const RunLimits& limits,
                                        const Watched& watched) {
  workspace::QueryRequest request = request_of(compiled);
  request.rows_max = limits.rows_max;
  request.bytes_max = limits.bytes_max;
  request.timeout = limits.timeout;
  request.cancellation = watched.end;
  request.progress = watched.progress;
  request.view = watched.view;
  return request;
}

/// What bag_unpack and pivot make depends on the rows: the compiler asks for the names before it knows the columns.
kql::Options with_discovery(const Services& services, kql::Options options, const RunLimits& limits,
                            const Watched& watched) {
  options.computed = kql::ComputedColumns::allowed;
  options.discover = [&services, limits, &watched](
                         const kql::CompiledQuery& asked) -> std::expected<std::vector<std::string>, std::string> {
    RunLimits few = limits;
    few.rows_max = kql::kColumnsMax + 1;
    const auto found = services.workspace.query(limited_request(asked, few, watched));
    if (!found) return std::unexpected(from_engine(found.error(), limits).message);
    std::vector<std::string> names;
    for (std::size_t row = 0; row < found->rows; ++row) names.emplace_back(found->at(row, 0).as_text());
    return names;
  };
  return options;
}

enum class Results { one, any };

std::expected<std::vector<KqlTable>, ApiError> run(const Services& services, std::string_view query,
                                                   const kql::Options& options, const RunLimits& limits,
                                                   const Watched& watched, Results wanted) {
  const Duration begin = services.clock.monotonic();
  const auto compiled =
      kql::compile_all(query, current_schema(services), with_discovery(services, options, limits, watched));
  if (!compiled) return std::unexpected(from_diagnostic(compiled.error().front(), query));
  if (wanted == Results::one && compiled->size() != 1)
    return std::unexpected(ApiError{.code = "query_unsupported",
                                    .message = "The query gives several results; here is place for one.",
                                    .target = "query"});
  std::vector<KqlTable> out;
  RunLimits left = limits;
  for (const kql::CompiledQuery& one : *compiled) {
    const Duration started = out.empty() ? begin : services.clock.monotonic();
    left.timeout = limits.timeout - (started - begin);
    workspace::QueryOutcome outcome = std::unexpected(workspace::QueryError{workspace::QueryError::Kind::timeout, ""});
    if (left.timeout.us > 0) outcome = services.workspace.query(limited_request(one, left, watched));
    if (!outcome) return std::unexpected(from_engine(outcome.error(), limits));
    std::size_t bytes = 0;
    for (const auto& column : outcome->columns) bytes += column.bytes();
    left.bytes_max -= std::min(bytes, left.bytes_max);
    out.push_back({.columns = one.columns,
                   .result = *std::move(outcome),
                   .plan = one.plan,
                   .elapsed = services.clock.monotonic() - started});
  }
  return out;
}

std::expected<std::vector<KqlTable>, ApiError> run_order(const Call& call, const QueryOrder& order, Results wanted) {
  const Services& services = call.parts.services;
  const RunLimits limits = with_properties(order.limits, kql::set_statements(order.text));
  auto ticket = call.parts.running.begin({.user = call.caller.user,
                                          .text = order.text,
                                          .api = order.api,
                                          .client_request_id = order.client_request_id,
                                          .application = order.application},
                                         call.parts.stopping, call.request.gone, limits.timeout);
  if (!ticket) return std::unexpected(ticket.error());
  kql::Options options = order.options;
  API_TRY(options.parameters, query_parameters(order.text, order.parameters));
  return run(services, order.text, options, limits, {(*ticket)->token(), (*ticket)->progress()}, wanted);
}

}  // namespace

ApiError from_diagnostic(const kql::Diagnostic& diagnostic, std::string_view text, std::string_view target) {
  return {.code = "query_" + std::string(diagnostic.code),
          .message = diagnostic.message,
          .target = std::string(target),
          .span = to_utf16(diagnostic.span, text)};
}

std::string KqlTable::cut_message(const RunLimits& limits) const {
  if (!result.truncated) return {};
  std::string damage;
  for (const workspace::DamagedFile& file : result.missing)
    damage += (damage.empty() ? "" : " ") + workspace::sentence(file);
  if (result.cut == workspace::Cut::damage) return damage;
  return cut_limit(limits) + (damage.empty() ? "" : " " + damage);
}

std::string KqlTable::cut_limit(const RunLimits& limits) const {
  if (result.cut == workspace::Cut::bytes)
    return fmt::format("There were more rows than fit {} bytes: these are the first {}.", limits.bytes_max,
                       result.rows);
  return fmt::format("There were more than {0} rows: these are the first {0}.", result.rows);
}

std::vector<state::SavedQuery> stored_functions(const Services& services) {
  if (services.saved_queries == nullptr) return {};
  auto found = services.saved_queries->list(state::SavedKind::function);
  if (found) return *std::move(found);
  log::error("api", "stored functions: {}", describe(found.error()));
  return {};
}

kql::Schema current_schema(const Services& services) {
  kql::Schema schema = services.kql_schema;
  schema.database = services.hub;
  schema.locations = services.has_locations && services.has_locations();
  for (state::SavedQuery& function : stored_functions(services))
    schema.functions.push_back({std::move(function.name), std::move(function.text)});
  return schema;
}

std::expected<KqlTable, ApiError> run_kql(const Services& services, std::string_view query, const kql::Options& options,
                                          std::size_t rows_max, const std::stop_token& stopping) {
  API_TRY(auto tables, run(services, query, options, {.rows_max = rows_max},
                           {.end = stopping, .progress = nullptr, .view = {}}, Results::one));
  return std::move(tables.front());
}

std::expected<std::vector<KqlTable>, ApiError> run_order(const Call& call, const QueryOrder& order) {
  return run_order(call, order, Results::any);
}

std::expected<KqlTable, ApiError> run_single(const Call& call, const QueryOrder& order) {
  API_TRY(auto tables, run_order(call, order, Results::one));
  return std::move(tables.front());
}

}  // namespace picket::api
