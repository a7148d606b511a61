// Kusto's REST API (docs/workspace.md): queries in v1 and v2, management commands that read.
#include <array>
#include <charconv>

#include <boost/json.hpp>

#include "../json_body.h"
#include "../kusto_answer.h"
#include "../kusto_command_pipe.h"
#include "../query_heads.h"
#include "api/errors.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "kql/native_functions.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr Duration kTimeoutDefault = Duration::minutes(4);

/// A request's body: {"db","csl","properties"}; properties may be an object, or the text of one.
struct Asked {
  std::string database;
  std::string csl;
  json::object options;
  json::object parameters;
};

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object object_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

std::expected<Asked, ApiError> asked_of(const Request& request) {
  // A page of another site can send text/plain without asking; it cannot send this.
  if (!std::string_view(request.header("content-type")).starts_with("application/json"))
    return std::unexpected(ApiError{.code = "unsupported_media_type"});
  boost::system::error_code failed;
  const json::value value = json::parse(request.body, failed);
  if (failed || !value.is_object()) return std::unexpected(ApiError{.code = "invalid_json"});
  const json::object& body = value.get_object();
  Asked out{text_of(body, "db"), text_of(body, "csl"), {}, {}};
  if (out.csl.empty()) return std::unexpected(invalid("csl", "There is no query."));
  json::object properties = object_of(body, "properties");
  if (const std::string inner = text_of(body, "properties"); !inner.empty()) {
    const json::value parsed = json::parse(inner, failed);
    if (failed || !parsed.is_object()) return std::unexpected(invalid("properties", "This must be an object."));
    properties = parsed.get_object();
  }
  out.options = object_of(properties, "Options");
  out.parameters = object_of(properties, "Parameters");
  return out;
}

bool is_set(const json::object& options, std::string_view name) {
  const json::value* value = options.if_contains(name);
  if (value == nullptr) return false;
  return value->is_bool() ? value->get_bool()
                          : value->is_string() && equal_ignoring_case(std::string_view(value->get_string()), "true");
}

std::optional<std::int64_t> number_of(const json::object& options, std::string_view name) {
  const json::value* value = options.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (!value->is_string()) return std::nullopt;
  return kql::parse_long(std::string_view(value->get_string()));
}

RunLimits limits_of(const json::object& options) {
  RunLimits out{kRowsMax, kResultBytesMax, kTimeoutDefault};
  if (const auto ticks = kql::parse_timespan(text_of(options, "servertimeout")); ticks && *ticks > 0)
    out.timeout = std::min(Duration::microseconds(*ticks / kql::kTicksPerMicrosecond), kTimeoutMax);
  const auto lower = [&](std::size_t& limit, std::string_view name) {
    if (const auto wanted = number_of(options, name); wanted && *wanted > 0)
      limit = std::min(limit, static_cast<std::size_t>(*wanted));
  };
  lower(out.rows_max, "truncationmaxrecords");
  lower(out.bytes_max, "truncationmaxsize");
  return out;
}

/// Parameters travel as texts of literals or as plain texts; the query says their types.
std::string parameter_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return json::serialize(value);
}

std::string make_guid() {
  std::array<std::byte, 16> bytes{};
  random_bytes(bytes);
  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

KustoContext context_of(const Call& call) {
  return {.client_request_id = std::string(call.request.header("x-ms-client-request-id")).substr(0, 256),
          .activity_id = make_guid(),
          .database = call.parts.services.hub,
          .now = call.now()};
}

Response finish(Response response, const KustoContext& context) {
  if (!context.client_request_id.empty())
    response.headers.emplace_back("x-ms-client-request-id", context.client_request_id);
  response.headers.emplace_back("x-ms-activity-id", context.activity_id);
  return response;
}

Response refuse(const KustoContext& context, const ApiError& error) {
  const ErrorInfo* known = find_error(error.code);
  const int status = known != nullptr ? known->status : 500;
  Response response = Response::json(kusto_error_json(context, error, status < 500 && status != 429), status);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"picket\"");
  if (error.retry_after_s > 0) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  return finish(std::move(response), context);
}

std::expected<QueryOrder, ApiError> order_of(const Call& call, const Asked& asked, const KustoContext& context) {
  QueryOrder out{.text = asked.csl,
                 .options = {.now = call.now()},
                 .limits = limits_of(asked.options),
                 .api = "kusto",
                 .client_request_id = context.client_request_id,
                 .application = std::string(call.request.header("x-ms-app"))};
  for (const auto& [name, value] : asked.parameters) out.parameters.emplace(name, parameter_text(value));
  return out;
}

}  // namespace

Response kusto_error(const Call& call, const ApiError& error) { return refuse(context_of(call), error); }

Response kusto(Call& call, KustoCall kind) {
  const KustoContext context = context_of(call);
  const auto run = [&]() -> std::expected<Response, ApiError> {
    API_TRY(Asked asked, asked_of(call.request));
    if (!asked.database.empty() && !is_our_workspace(call.parts.services, asked.database) &&
        asked.database != "NetDefaultDB")
      return std::unexpected(ApiError{
          .code = "query_unknown_name", .message = "There is no database " + asked.database + ".", .target = "db"});
    if (kind == KustoCall::management) {
      const PipedCommand piped = split_command(asked.csl);
      API_TRY(const CommandTable table, run_command(call, piped.command));
      if (piped.query.empty()) return Response::json(kusto_v1(table));
      asked.csl = datatable_text(table) + std::string(piped.query);
    }
    API_TRY(const QueryOrder order, order_of(call, asked, context));
    API_TRY(const auto tables, run_order(call, order));
    if (kind != KustoCall::query_v2) return Response::json(kusto_v1(tables, context, order.limits));
    const bool progressive = is_set(asked.options, "results_progressive_enabled");
    return Response::json(kusto_v2(tables, context, order.limits, progressive));
  };
  auto response = run();
  return response ? finish(*std::move(response), context) : refuse(context, response.error());
}

}  // namespace picket::api
