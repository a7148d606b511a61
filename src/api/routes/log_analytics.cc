// Log Analytics' query API (docs/workspace.md): rows by tables, timespan, Prefer, partial results, batches.
#include <algorithm>
#include <charconv>
#include <span>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "../gzip.h"
#include "../json_body.h"
#include "../kql_run.h"
#include "../query_heads.h"
#include "../render_json.h"
#include "api/errors.h"
#include "base/core/json_writer.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr Duration kTimeoutDefault = Duration::minutes(3);
constexpr std::size_t kBatchMax = 100;

/// What the header Prefer asks for: "wait=600, include-statistics=true, include-render=true".
struct Preferences {
  Duration wait = kTimeoutDefault;
  bool statistics = false;
  bool render = false;
};

Preferences preferences_of(std::string_view header) {
  Preferences out;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view one = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string_view name = one.substr(0, equals);
    const std::string_view value = one.substr(std::min(equals + 1, one.size()));
    if (name == "include-statistics") out.statistics = value == "true";
    if (name == "include-render") out.render = value == "true";
    std::int64_t seconds = 0;
    if (name == "wait" && std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc{} &&
        seconds > 0)
      out.wait = std::min(Duration::seconds(std::min<std::int64_t>(seconds, 3600)), kTimeoutMax);
  }
  return out;
}

std::string_view outer_code(const ApiError& error, int status) {
  if (error.code == "query_limit") return "GatewayTimeout";
  if (error.code == "query_throttled") return "ThrottledError";
  if (status == 401) return "InvalidTokenError";
  if (status == 403) return "InsufficientAccessError";
  if (status == 404) return "PathNotFoundError";
  return status < 500 ? "BadArgumentError" : "InternalServerError";
}

void write_error(JsonWriter& out, const ApiError& error, std::string_view outer) {
  const ErrorInfo* known = find_error(error.code);
  const std::string_view text = !error.message.empty() ? std::string_view(error.message)
                                : known != nullptr     ? known->text
                                                       : std::string_view();
  out.begin_object().key("code").value(outer).key("message").value(text);
  out.key("innererror")
      .begin_object()
      .key("code")
      .value(error.code == "query_syntax" ? "SyntaxError" : "SemanticError");
  out.key("message").value(text);
  if (error.span) {
    out.key("line").value(std::uint64_t{error.span->line}).key("pos").value(std::uint64_t{error.span->column});
    out.key("start").value(std::uint64_t{error.span->start}).key("length").value(std::uint64_t{error.span->length});
  }
  out.key("picketCode").value(error.code).end_object().end_object();
}

void write_table(JsonWriter& out, const KqlTable& table, std::string_view name) {
  out.begin_object().key("name").value(name).key("columns").begin_array();
  for (const kql::ResultColumn& column : table.columns)
    out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
  out.end_array().key("rows").begin_array();
  for (std::size_t row = 0; row < table.result.rows; ++row) {
    out.begin_array();
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      write_value(out, table.columns[i].type, table.result.at(row, i), Dialect::log_analytics);
    out.end_array();
  }
  out.end_array().end_object();
}

void write_statistics(JsonWriter& out, std::span<const KqlTable> tables) {
  Duration elapsed{};
  for (const KqlTable& table : tables) elapsed = elapsed + table.elapsed;
  out.key("statistics").begin_object().key("query").begin_object();
  out.key("executionTime").value(static_cast<double>(elapsed.us) / 1e6);
  out.key("datasetStatistics").begin_array();
  for (const KqlTable& table : tables)
    out.begin_object().key("tableRowCount").value(std::uint64_t{table.result.rows}).end_object();
  out.end_array().end_object().end_object();
}

struct Asked {
  std::string query;
  std::string timespan;
};

/// One query with what its headers say; the body of the answer, or what was wrong.
std::expected<std::string, ApiError> answer_one(const Call& call, std::string_view workspace, const Asked& asked,
                                                std::string_view prefer) {
  if (!is_our_workspace(call.parts.services, workspace))
    return std::unexpected(
        ApiError{.code = "not_found", .message = "There is no such workspace.", .target = "workspace"});
  if (asked.query.empty()) return std::unexpected(invalid("query", "There is no query."));
  const Preferences preferences = preferences_of(prefer);
  QueryOrder order{.text = asked.query,
                   .options = {.now = call.now()},
                   .limits = {kRowsMax, kResultBytesMax, preferences.wait},
                   .api = "log-analytics",
                   .client_request_id = std::string(call.request.header("x-ms-client-request-id")),
                   .application = std::string(call.request.header("user-agent"))};
  if (!asked.timespan.empty()) {
    order.options.time_range = parse_timespan(asked.timespan, call.now());
    if (!order.options.time_range)
      return std::unexpected(invalid("timespan", "This is neither a duration nor an interval."));
  }
  API_TRY(const auto tables, run_order(call, order));
  JsonWriter out;
  out.begin_object().key("tables").begin_array();
  for (std::size_t i = 0; i < tables.size(); ++i)
    write_table(out, tables[i], i == 0 ? "PrimaryResult" : "PrimaryResult_" + std::to_string(i));
  out.end_array();
  if (preferences.statistics) write_statistics(out, tables);
  if (preferences.render)
    out.key("render").raw(render_json(tables.front().plan.get(), RenderNames::log_analytics, "\"table\""));
  const auto cut = std::ranges::find_if(tables, [](const KqlTable& table) { return table.result.truncated; });
  if (cut != tables.end()) {
    out.key("error");
    write_error(out, {.code = "query_limit", .message = cut->cut_message(order.limits)}, "PartialError");
  }
  return out.end_object().take();
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The body of a POST, which another site's page cannot send: it must be application/json.
std::expected<json::object, ApiError> object_of(const Request& request) {
  if (!std::string_view(request.header("content-type")).starts_with("application/json"))
    return std::unexpected(ApiError{.code = "unsupported_media_type"});
  boost::system::error_code failed;
  json::value value = json::parse(request.body, failed);
  if (failed) return std::unexpected(ApiError{.code = "invalid_json"});
  if (!value.is_object()) return std::unexpected(invalid("", "The body must be a JSON object."));
  return std::move(value.get_object());
}

std::expected<Asked, ApiError> asked_of(const Call& call, const json::object& body) {
  // Other workspaces would be other data: to leave them out without a word would be a wrong answer.
  if (const json::value* others = body.if_contains("workspaces"); others != nullptr && others->is_array()) {
    for (const json::value& other : others->get_array()) {
      if (!other.is_string() || !is_our_workspace(call.parts.services, std::string_view(other.get_string())))
        return std::unexpected(invalid("workspaces", "There is one workspace here."));
    }
  }
  return Asked{text_of(body, "query"), text_of(body, "timespan")};
}

}  // namespace

Response log_analytics_error(const ApiError& error) {
  const ErrorInfo* known = find_error(error.code);
  const int status = error.code == "query_limit" ? 504 : known != nullptr ? known->status : 500;
  JsonWriter out;
  out.begin_object().key("error");
  write_error(out, error, outer_code(error, status));
  Response response = Response::json(out.end_object().take(), status);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"picket\"");
  if (error.retry_after_s > 0) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  return response;
}

Response log_analytics_query(Call& call, std::string_view workspace) {
  const auto run = [&]() -> std::expected<std::string, ApiError> {
    Asked asked{call.parameter("query").value_or(""), call.parameter("timespan").value_or("")};
    if (call.request.method == "POST") {
      API_TRY(const json::object body, object_of(call.request));
      API_TRY(asked, asked_of(call, body));
    }
    return answer_one(call, workspace, asked, call.request.header("prefer"));
  };
  const auto answer = run();
  return answer ? compressed(Response::json(*answer), call.request) : log_analytics_error(answer.error());
}

// Requests one after the other, each with its own status.
Response log_analytics_batch(Call& call) {
  const auto body = object_of(call.request);
  if (!body) return log_analytics_error(body.error());
  const json::value* requests = body->if_contains("requests");
  if (requests == nullptr || !requests->is_array() || requests->get_array().size() > kBatchMax)
    return log_analytics_error(invalid("requests", "This must be a list of at most 100 requests."));
  JsonWriter out;
  out.begin_object().key("responses").begin_array();
  for (const json::value& one : requests->get_array()) {
    const auto run = [&]() -> std::expected<std::string, ApiError> {
      if (!one.is_object()) return std::unexpected(invalid("requests", "Each must be an object."));
      const json::value* inner = one.get_object().if_contains("body");
      if (inner == nullptr || !inner->is_object()) return std::unexpected(invalid("body", "There is no body."));
      const json::value* headers = one.get_object().if_contains("headers");
      const bool has = headers != nullptr && headers->is_object();
      const std::string prefer =
          has ? text_of(headers->get_object(), "Prefer") + text_of(headers->get_object(), "prefer") : "";
      API_TRY(const Asked asked, asked_of(call, inner->get_object()));
      return answer_one(call, text_of(one.get_object(), "workspace"), asked, prefer);
    };
    const auto answer = run();
    const Response response = answer ? Response::json(*answer) : log_analytics_error(answer.error());
    out.begin_object().key("id").value(one.is_object() ? text_of(one.get_object(), "id") : "");
    out.key("status").value(response.status).key("body").raw(response.body).end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Response log_analytics_metadata(Call& call, std::string_view workspace) {
  const Services& services = call.parts.services;
  if (!is_our_workspace(services, workspace))
    return log_analytics_error({.code = "not_found", .message = "There is no such workspace.", .target = "workspace"});
  const kql::Schema& schema = services.kql_schema;
  JsonWriter out;
  out.begin_object().key("workspaces").begin_array().begin_object();
  out.key("id").value(services.installation_id).key("name").value(services.hub).end_object().end_array();
  out.key("tables").begin_array();
  for (const kql::Table& table : schema.tables) {
    out.begin_object().key("id").value("t/" + table.name).key("name").value(table.name);
    if (!table.time_column.empty()) out.key("timespanColumn").value(table.time_column);
    out.key("columns").begin_array();
    for (const kql::Column& column : table.columns)
      out.begin_object().key("name").value(column.name).key("type").value(to_string(column.type)).end_object();
    out.end_array().end_object();
  }
  out.end_array().key("functions").begin_array();
  for (const state::SavedQuery& function : stored_functions(services)) {
    out.begin_object().key("id").value("f/" + function.name).key("name").value(function.name);
    out.key("body").value(function.text).end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

}  // namespace picket::api
