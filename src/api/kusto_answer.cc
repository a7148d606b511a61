#include "kusto_answer.h"

#include "api/errors.h"
#include "kusto_shared.h"
#include "render_json.h"

namespace picket::api {
namespace {

// --- v1

void write_v1_column(JsonWriter& out, std::string_view name, kql::Type type) {
  out.begin_object().key("ColumnName").value(name).key("DataType").value(dotnet_type(type));
  out.key("ColumnType").value(to_string(type)).end_object();
}

void begin_v1_table(JsonWriter& out, std::string_view name,
                    std::initializer_list<std::pair<std::string_view, kql::Type>> columns) {
  out.begin_object().key("TableName").value(name).key("Columns").begin_array();
  for (const auto& [column, type] : columns) write_v1_column(out, column, type);
  out.end_array().key("Rows").begin_array();
}

}  // namespace

std::string kusto_statistics(std::span<const KqlTable> tables) {
  Duration elapsed{};
  for (const KqlTable& table : tables) elapsed = elapsed + table.elapsed;
  JsonWriter out;
  out.begin_object().key("ExecutionTime").value(static_cast<double>(elapsed.us) / 1e6);
  out.key("dataset_statistics").begin_array();
  for (const KqlTable& table : tables)
    out.begin_object().key("table_row_count").value(std::uint64_t{table.result.rows}).end_object();
  return out.end_array().end_object().take();
}

std::string kusto_cut(std::span<const KqlTable> tables, const RunLimits& limits) {
  for (const KqlTable& table : tables) {
    if (table.result.truncated) return table.cut_message(limits);
  }
  return {};
}

void write_kusto_row(JsonWriter& out, const KqlTable& table, std::size_t row, Dialect dialect) {
  out.begin_array();
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    write_value(out, table.columns[i].type, table.result.at(row, i), dialect);
  out.end_array();
}

std::string_view dotnet_type(kql::Type type) {
  switch (type) {
    case kql::Type::boolean:
      return "SByte";
    case kql::Type::int32:
      return "Int32";
    case kql::Type::int64:
      return "Int64";
    case kql::Type::real:
      return "Double";
    case kql::Type::datetime:
      return "DateTime";
    case kql::Type::timespan:
      return "TimeSpan";
    case kql::Type::guid:
      return "Guid";
    case kql::Type::dynamic:
      return "Object";
    case kql::Type::decimal:
      return "SqlDecimal";
    default:
      return "String";
  }
}

std::string kusto_error_json(const KustoContext& context, const ApiError& error, bool permanent) {
  struct Kind {
    std::string_view code, type, prefix;
  };
  const Kind kind =
      error.code == "query_syntax" || error.code == "query_literal"
          ? Kind{"BadRequest_SyntaxError", "Kusto.Data.Exceptions.SyntaxException", "Syntax error: "}
      : error.code == kKustoCutCode || error.code == "query_limit"
          ? Kind{"LimitsExceeded", "Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException", ""}
      : error.code == "query_cancelled"
          ? Kind{"RequestAborted", "Kusto.DataNode.Exceptions.KustoRequestAbortedException", ""}
      : error.code == "query_throttled"
          ? Kind{"TooManyRequests", "Kusto.DataNode.Exceptions.ControlCommandThrottledException", ""}
      : error.code == "denied" ? Kind{"Forbidden", "Kusto.Common.Svc.Exceptions.UnauthorizedOperationException", ""}
      : error.code.starts_with("query_")
          ? Kind{"General_BadRequest", "Kusto.Data.Exceptions.SemanticException", "Semantic error: "}
          : Kind{"General_BadRequest", "Kusto.Data.Exceptions.KustoBadRequestException", ""};
  const ErrorInfo* known = find_error(error.code);
  std::string text(kind.prefix);
  text += !error.message.empty() ? error.message : known != nullptr ? std::string(known->text) : error.code;
  if (error.span)
    text += " [line:position=" + std::to_string(error.span->line) + ":" + std::to_string(error.span->column) + "]";
  JsonWriter out;
  out.begin_object().key("error").begin_object().key("code").value(kind.code).key("message").value(text);
  out.key("@type").value(kind.type).key("@message").value(text).key("@context").begin_object();
  out.key("timestamp").value(context.now).key("clientRequestId").value(context.client_request_id);
  out.key("activityId").value(context.activity_id).key("database").value(context.database).end_object();
  out.key("picketCode").value(error.code);
  return out.key("@permanent").value(permanent).end_object().end_object().take();
}

namespace {

void write_v1_result(JsonWriter& out, const KqlTable& table, std::size_t number, const std::string& cut) {
  out.begin_object().key("TableName").value("Table_" + std::to_string(number)).key("Columns").begin_array();
  for (const kql::ResultColumn& column : table.columns) write_v1_column(out, column.name, column.type);
  out.end_array().key("Rows").begin_array();
  for (std::size_t row = 0; row < table.result.rows; ++row) write_kusto_row(out, table, row, Dialect::kusto_v1);
  if (!cut.empty()) {
    out.begin_object().key("Exceptions").begin_array().value(std::string(kKustoCutCode) + ": " + cut);
    out.end_array().end_object();
  }
  out.end_array().end_object();
}

void write_v1_status(JsonWriter& out, const std::string& name, const KustoContext& context, const std::string& cut) {
  using Type = kql::Type;
  begin_v1_table(out, name,
                 {{"Timestamp", Type::datetime},
                  {"Severity", Type::int32},
                  {"SeverityName", Type::string},
                  {"StatusCode", Type::int32},
                  {"StatusDescription", Type::string},
                  {"Count", Type::int32},
                  {"RequestId", Type::guid},
                  {"ActivityId", Type::guid},
                  {"SubActivityId", Type::guid},
                  {"ClientActivityId", Type::string}});
  out.begin_array().value(context.now).value(cut.empty() ? 4 : 2).value(cut.empty() ? "Info" : "Error").value(0);
  out.value(cut.empty() ? std::string("Query completed successfully") : cut).value(1);
  out.value(context.activity_id).value(context.activity_id).value(context.activity_id).value(context.client_request_id);
  out.end_array().end_array().end_object();
}

/// The table of contents, which clients read last.
void write_v1_contents(JsonWriter& out, std::size_t results, const KustoContext& context) {
  using Type = kql::Type;
  begin_v1_table(out, "Table_" + std::to_string(results + 2),
                 {{"Ordinal", Type::int64},
                  {"Kind", Type::string},
                  {"Name", Type::string},
                  {"Id", Type::string},
                  {"PrettyName", Type::string}});
  const auto content = [&](std::size_t ordinal, const char* kind, const char* name) {
    out.begin_array().value(std::uint64_t{ordinal}).value(kind).value(name).value(context.activity_id).value("");
    out.end_array();
  };
  for (std::size_t i = 0; i < results; ++i) content(i, "QueryResult", "PrimaryResult");
  content(results, "QueryProperties", "@ExtendedProperties");
  content(results + 1, "QueryStatus", "QueryStatus");
  out.end_array().end_object();
}

}  // namespace

std::string kusto_v1(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits,
                     bool errors_deferred) {
  const std::string cut = kusto_cut(tables, limits);
  JsonWriter out;
  out.begin_object().key("Tables").begin_array();
  for (std::size_t i = 0; i < tables.size(); ++i)
    write_v1_result(out, tables[i], i, errors_deferred ? std::string() : tables[i].cut_message(limits));
  begin_v1_table(out, "Table_" + std::to_string(tables.size()), {{"Value", kql::Type::string}});
  for (const KqlTable& table : tables)
    out.begin_array().value(render_json(table.plan.get(), RenderNames::kusto, "null")).end_array();
  out.end_array().end_object();
  write_v1_status(out, "Table_" + std::to_string(tables.size() + 1), context, cut);
  write_v1_contents(out, tables.size(), context);
  out.end_array();
  if (!cut.empty() && !errors_deferred)
    out.key("Exceptions").begin_array().value(std::string(kKustoCutCode) + ": " + cut).end_array();
  return out.end_object().take();
}

std::string kusto_v1(const CommandTable& table) {
  JsonWriter out;
  out.begin_object().key("Tables").begin_array().begin_object().key("TableName").value("Table_0");
  out.key("Columns").begin_array();
  for (const auto& [name, type] : table.columns) write_v1_column(out, name, type);
  out.end_array().key("Rows").begin_array();
  for (const auto& row : table.rows) {
    out.begin_array();
    for (const std::string& cell : row) out.raw(cell);
    out.end_array();
  }
  return out.end_array().end_object().end_array().end_object().take();
}

}  // namespace picket::api
