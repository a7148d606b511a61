// Kusto's REST API (docs/workspace.md): queries in v1 and v2, management commands that read.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "../gzip.h"
#include "../json_body.h"
#include "../kusto_answer.h"
#include "../kusto_command_pipe.h"
#include "../query_heads.h"
#include "../request_limits.h"
#include "api/errors.h"
#include "base/core/encoding.h"
#include "base/core/random.h"

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

/// Options as the text could `set` them. What steers the shape of the answer only is left out.
std::vector<kql::RequestProperty> properties_of(const json::object& options) {
  std::vector<kql::RequestProperty> out;
  for (const auto& [name, value] : options) {
    if (name.starts_with("results_") || name == "query_results_apply_getschema" || value.is_structured()) continue;
    if (value.is_null()) continue;
    out.push_back({std::string(name), value.is_string() ? std::string(value.get_string()) : json::serialize(value)});
  }
  return out;
}

KustoStyle style_of(const json::object& options) {
  const std::string errors = text_of(options, "results_error_reporting_placement");
  return {.progressive = is_set(options, "results_progressive_enabled"),
          .fragmented = is_set(options, "results_v2_fragment_primary_tables"),
          .newlines = is_set(options, "results_v2_newlines_between_frames"),
          .errors = errors == "end_of_table"     ? ErrorPlacement::end_of_table
                    : errors == "end_of_dataset" ? ErrorPlacement::end_of_dataset
                                                 : ErrorPlacement::in_data,
          .errors_deferred = is_set(options, "deferpartialqueryfailures")};
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

bool is_command(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] == '.';
}

/// What a result's columns are, in place of its rows.
KqlTable schema_of(const KqlTable& table) {
  using workspace::ColumnType;
  KqlTable out;
  out.elapsed = table.elapsed;
  for (const char* name : {"ColumnName", "ColumnOrdinal", "DataType", "ColumnType"}) {
    const bool number = std::string_view(name) == "ColumnOrdinal";
    out.columns.push_back({name, number ? kql::Type::int64 : kql::Type::string});
    out.result.columns.emplace_back(name, number ? ColumnType::int64 : ColumnType::text);
  }
  for (const kql::ResultColumn& column : table.columns) {
    out.result.columns[0].push_text(column.name);
    out.result.columns[1].push_integer(static_cast<std::int64_t>(out.result.rows++));
    out.result.columns[2].push_text("System." + std::string(dotnet_type(column.type)));
    out.result.columns[3].push_text(to_string(column.type));
  }
  return out;
}

std::expected<QueryOrder, ApiError> order_of(const Call& call, const Asked& asked, const KustoContext& context) {
  if (const std::string language = text_of(asked.options, "query_language");
      !language.empty() && language != "csl" && language != "kql")
    return std::unexpected(ApiError{.code = "query_unsupported",
                                    .message = "The query language '" + language + "' is not supported.",
                                    .target = "query"});
  std::vector<kql::RequestProperty> properties = properties_of(asked.options);
  QueryOrder out{.text = asked.csl,
                 .options = {.now = call.now(), .properties = properties},
                 .limits = with_properties({kRowsMax, kResultBytesMax, kTimeoutDefault}, properties),
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
    // Tools ask for commands at the place of v1 queries too.
    if (kind == KustoCall::management || (kind == KustoCall::query_v1 && is_command(asked.csl))) {
      const PipedCommand piped = split_command(asked.csl);
      API_TRY(const CommandTable table, run_command(call, piped.command));
      if (piped.query.empty()) return Response::json(kusto_v1(table));
      asked.csl = datatable_text(table) + std::string(piped.query);
    }
    if (kind == KustoCall::query_v2 && is_command(asked.csl))
      return std::unexpected(
          ApiError{.code = "query_unsupported", .message = "Commands go to /v1/rest/mgmt.", .target = "query"});
    API_TRY(QueryOrder order, order_of(call, asked, context));
    const bool schema = is_set(asked.options, "query_results_apply_getschema");
    if (schema) order.options.properties.push_back({"query_take_max_records", "1"});
    API_TRY(auto tables, run_order(call, order));
    if (schema) std::ranges::transform(tables, tables.begin(), schema_of);
    const KustoStyle style = style_of(asked.options);
    if (kind != KustoCall::query_v2)
      return Response::json(kusto_v1(tables, context, order.limits, style.errors_deferred));
    return Response::json(kusto_v2(tables, context, order.limits, style));
  };
  auto response = run();
  return response ? compressed(finish(*std::move(response), context), call.request) : refuse(context, response.error());
}

}  // namespace picket::api
