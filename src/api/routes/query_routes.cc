// Our own query API: rows, files of rows, what is running, and what there is to query.
#include "../json_body.h"
#include "../kql_run.h"
#include "../query_answer.h"
#include "../result_files.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "message/event_table.h"

namespace picket::api {
namespace {

constexpr std::int64_t kRowsDefault = 10'000;
constexpr std::int64_t kTimeoutDefaultS = 30;

std::expected<QueryOrder, ApiError> order_of(const Call& call, const JsonBody& body) {
  QueryOrder order{.text = {}, .options = {.now = call.now()}};
  API_TRY(order.text, body.required_text("query", kql::kQueryBytesMax));
  API_TRY(const auto timespan, body.text("timespan", 128));
  API_TRY(const auto rows_max, body.number("max_rows", 1, kRowsMax));
  API_TRY(const auto timeout, body.number("timeout_s", 1, kTimeoutMax.whole_seconds()));
  API_TRY(const auto id, body.text("client_request_id", 128));
  order.limits.rows_max = static_cast<std::size_t>(rows_max.value_or(kRowsDefault));
  order.limits.bytes_max = kResultBytesMax;
  order.limits.timeout = Duration::seconds(timeout.value_or(kTimeoutDefaultS));
  order.client_request_id = id.value_or("");
  if (timespan && !timespan->empty()) {
    order.options.time_range = parse_timespan(*timespan, call.now());
    if (!order.options.time_range)
      return std::unexpected(invalid("timespan", "This must be a duration such as PT1H or an interval of two times."));
  }
  return order;
}

}  // namespace

Answer run_query(Call& call) {
  API_TRY(const auto body,
          JsonBody::parse(call.request, {"query", "timespan", "max_rows", "timeout_s", "client_request_id"}));
  API_TRY(const auto order, order_of(call, body));
  API_TRY(const auto tables, run_order(call, order));
  return Response::json(results_json(tables, order.limits));
}

Answer export_query(Call& call) {
  API_TRY(const auto body,
          JsonBody::parse(call.request, {"query", "timespan", "max_rows", "timeout_s", "client_request_id", "format"}));
  API_TRY(auto order, order_of(call, body));
  API_TRY(const auto format, body.required_text("format", 16));
  API_TRY(const auto rows_max, body.number("max_rows", 1, kRowsMax));
  order.limits.rows_max = static_cast<std::size_t>(rows_max.value_or(kRowsMax));
  if (format != "csv" && format != "parquet") return std::unexpected(invalid("format", "This must be csv or parquet."));
  API_TRY(const auto table, run_single(call, order));
  Response out;
  out.headers = {{"Cache-Control", "no-store"}, {"X-Picket-Truncated", table.result.truncated ? "true" : "false"}};
  if (format == "csv") {
    out.headers.emplace_back("Content-Type", "text/csv; charset=utf-8; header=present");
    out.body = csv_of(table);
  } else {
    auto file = parquet_of(table);
    if (!file) return api_error(file.error(), "query");
    out.headers.emplace_back("Content-Type", "application/vnd.apache.parquet");
    out.body = *std::move(file);
  }
  out.headers.emplace_back("Content-Disposition", "attachment; filename=\"query." + format + "\"");
  return out;
}

// Everybody sees and ends what is their own; Admins, everything.
Answer list_queries(Call& call) {
  const bool admin = call.caller.role == state::Role::admin;
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const auto& query : call.parts.running.list(admin ? "" : call.caller.user)) {
    out.begin_object().key("id").value(query.id).key("user").value(query.start.user);
    out.key("query").value(query.start.text).key("api").value(query.start.api);
    out.key("clientRequestId").value(query.start.client_request_id).key("application").value(query.start.application);
    out.key("started").value(query.since).key("state").value(query.waiting ? "waiting" : "running");
    if (query.percent >= 0) out.key("percent").value(query.percent).key("rowsRead").value(query.rows_done);
    out.end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer cancel_query(Call& call) {
  const bool admin = call.caller.role == state::Role::admin;
  if (call.parts.running.cancel(call.path_values[0], admin ? "" : call.caller.user) == 0)
    return std::unexpected(ApiError{.code = "not_found", .target = "query"});
  return Response::empty();
}

Answer get_schema(Call& call) {
  JsonWriter out;
  out.begin_object().key("tables").begin_array();
  for (const kql::Table& table : call.parts.services.kql_schema.tables) {
    out.begin_object().key("name").value(table.name).key("columns").begin_array();
    for (const kql::Column& column : table.columns) {
      out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().key("functions").begin_array();
  for (const state::SavedQuery& function : stored_functions(call.parts.services)) {
    out.begin_object().key("name").value(function.name).key("text").value(function.text).end_object();
  }
  out.end_array().key("event_names").begin_array();
  for (const message::EventInfo& event : message::all_events()) {
    if (!event.name.empty()) out.value(event.name);
  }
  return Response::json(out.end_array().end_object().take());
}

}  // namespace picket::api
