#include "kusto_answer.h"

#include "api/errors.h"
#include "base/core/json_writer.h"

namespace picket::api {
namespace {

constexpr std::size_t kFragmentRows = 10'000;
constexpr std::string_view kCutCode = "E_QUERY_RESULT_SET_TOO_LARGE";

std::string visualization(const KqlTable& table) {
  JsonWriter out;
  out.begin_object().key("Visualization");
  if (table.plan && table.plan->render) {
    out.value(table.plan->render->chart);
    for (const auto& [name, value] : table.plan->render->properties) out.key(name).value(value);
  } else {
    out.null();
  }
  return out.end_object().take();
}

std::string statistics(std::span<const KqlTable> tables) {
  Duration elapsed{};
  for (const KqlTable& table : tables) elapsed = elapsed + table.elapsed;
  JsonWriter out;
  out.begin_object().key("ExecutionTime").value(static_cast<double>(elapsed.us) / 1e6);
  out.key("dataset_statistics").begin_array();
  for (const KqlTable& table : tables)
    out.begin_object().key("table_row_count").value(std::uint64_t{table.result.rows}).end_object();
  return out.end_array().end_object().take();
}

/// Why rows are missing, of the first table that lacks some; empty: none are.
std::string cut_of(std::span<const KqlTable> tables, const RunLimits& limits) {
  for (const KqlTable& table : tables) {
    if (table.result.truncated) return table.cut_message(limits);
  }
  return {};
}

void write_row(JsonWriter& out, const KqlTable& table, std::size_t row, Dialect dialect) {
  out.begin_array();
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    write_value(out, table.columns[i].type, table.result.at(row, i), dialect);
  out.end_array();
}

// --- v2

void write_column(JsonWriter& out, std::string_view name, std::string_view type) {
  out.begin_object().key("ColumnName").value(name).key("ColumnType").value(type).end_object();
}

void write_columns(JsonWriter& out, const KqlTable& table) {
  out.key("Columns").begin_array();
  for (const kql::ResultColumn& column : table.columns) write_column(out, column.name, to_string(column.type));
  out.end_array();
}

void begin_frame(JsonWriter& out, std::string_view type) { out.begin_object().key("FrameType").value(type); }

void write_properties(JsonWriter& out, std::span<const KqlTable> tables) {
  begin_frame(out, "DataTable");
  out.key("TableId").value(0).key("TableKind").value("QueryProperties").key("TableName").value("@ExtendedProperties");
  out.key("Columns").begin_array();
  write_column(out, "TableId", "int");
  write_column(out, "Key", "string");
  write_column(out, "Value", "dynamic");
  out.end_array().key("Rows").begin_array();
  for (std::size_t i = 0; i < tables.size(); ++i)
    out.begin_array().value(std::uint64_t{i + 1}).value("Visualization").value(visualization(tables[i])).end_array();
  out.end_array().end_object();
}

void write_completion(JsonWriter& out, std::span<const KqlTable> tables, const KustoContext& context) {
  begin_frame(out, "DataTable");
  out.key("TableId").value(std::uint64_t{tables.size() + 1}).key("TableKind").value("QueryCompletionInformation");
  out.key("TableName").value("QueryCompletionInformation").key("Columns").begin_array();
  write_column(out, "Timestamp", "datetime");
  write_column(out, "ClientRequestId", "string");
  write_column(out, "ActivityId", "guid");
  write_column(out, "Level", "int");
  write_column(out, "LevelName", "string");
  write_column(out, "StatusCode", "int");
  write_column(out, "StatusCodeName", "string");
  write_column(out, "EventTypeName", "string");
  write_column(out, "Payload", "string");
  out.end_array().key("Rows").begin_array().begin_array();
  out.value(context.now).value(context.client_request_id).value(context.activity_id).value(4).value("Info").value(0);
  out.value("S_OK (0)").value("QueryResourceConsumption").value(statistics(tables));
  out.end_array().end_array().end_object();
}

std::string errors_json(const KustoContext& context, std::string_view cut) {
  const ApiError error{.code = std::string(kCutCode), .message = std::string(cut)};
  return "[" + kusto_error_json(context, error, false) + "]";
}

/// A result and its number among the frames.
struct Numbered {
  const KqlTable& table;
  std::uint64_t id;
  std::string cut;
};

void begin_result(JsonWriter& out, const Numbered& result, std::string_view frame) {
  begin_frame(out, frame);
  out.key("TableId").value(result.id).key("TableKind").value("PrimaryResult").key("TableName").value("PrimaryResult");
  write_columns(out, result.table);
}

void write_whole(JsonWriter& out, const Numbered& result, const KustoContext& context) {
  begin_result(out, result, "DataTable");
  out.key("Rows").begin_array();
  for (std::size_t row = 0; row < result.table.result.rows; ++row) write_row(out, result.table, row, Dialect::kusto_v2);
  if (!result.cut.empty()) out.begin_object().key("OneApiErrors").raw(errors_json(context, result.cut)).end_object();
  out.end_array().end_object();
}

void write_fragments(JsonWriter& out, const Numbered& result, const KustoContext& context) {
  begin_result(out, result, "TableHeader");
  out.end_object();
  const std::size_t rows = result.table.result.rows;
  for (std::size_t begin = 0; begin < rows; begin += kFragmentRows) {
    const std::size_t end = std::min(begin + kFragmentRows, rows);
    begin_frame(out, "TableFragment");
    out.key("TableId").value(result.id).key("FieldCount").value(std::uint64_t{result.table.columns.size()});
    out.key("TableFragmentType").value("DataAppend").key("Rows").begin_array();
    for (std::size_t row = begin; row < end; ++row) write_row(out, result.table, row, Dialect::kusto_v2);
    out.end_array().end_object();
    begin_frame(out, "TableProgress");
    const double percent = 100.0 * static_cast<double>(end) / static_cast<double>(rows);
    out.key("TableId").value(result.id).key("TableProgress").value(percent).end_object();
  }
  begin_frame(out, "TableCompletion");
  out.key("TableId").value(result.id).key("RowCount").value(std::uint64_t{rows});
  if (!result.cut.empty()) out.key("OneApiErrors").raw(errors_json(context, result.cut));
  out.end_object();
}

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
      : error.code == kCutCode || error.code == "query_limit"
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

std::string kusto_v2(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits,
                     bool progressive) {
  const std::string cut = cut_of(tables, limits);
  JsonWriter out;
  out.begin_array();
  begin_frame(out, "DataSetHeader");
  out.key("IsProgressive").value(progressive).key("Version").value("v2.0").end_object();
  write_properties(out, tables);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Numbered result{tables[i], i + 1, tables[i].cut_message(limits)};
    progressive ? write_fragments(out, result, context) : write_whole(out, result, context);
  }
  write_completion(out, tables, context);
  begin_frame(out, "DataSetCompletion");
  out.key("HasErrors").value(!cut.empty()).key("Cancelled").value(false);
  if (!cut.empty()) out.key("OneApiErrors").raw(errors_json(context, cut));
  return out.end_object().end_array().take();
}

namespace {

void write_v1_result(JsonWriter& out, const KqlTable& table, std::size_t number, const std::string& cut) {
  out.begin_object().key("TableName").value("Table_" + std::to_string(number)).key("Columns").begin_array();
  for (const kql::ResultColumn& column : table.columns) write_v1_column(out, column.name, column.type);
  out.end_array().key("Rows").begin_array();
  for (std::size_t row = 0; row < table.result.rows; ++row) write_row(out, table, row, Dialect::kusto_v1);
  if (!cut.empty()) {
    out.begin_object().key("Exceptions").begin_array().value(std::string(kCutCode) + ": " + cut);
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

std::string kusto_v1(std::span<const KqlTable> tables, const KustoContext& context, const RunLimits& limits) {
  const std::string cut = cut_of(tables, limits);
  JsonWriter out;
  out.begin_object().key("Tables").begin_array();
  for (std::size_t i = 0; i < tables.size(); ++i) write_v1_result(out, tables[i], i, tables[i].cut_message(limits));
  begin_v1_table(out, "Table_" + std::to_string(tables.size()), {{"Value", kql::Type::string}});
  for (const KqlTable& table : tables) out.begin_array().value(visualization(table)).end_array();
  out.end_array().end_object();
  write_v1_status(out, "Table_" + std::to_string(tables.size() + 1), context, cut);
  write_v1_contents(out, tables.size(), context);
  out.end_array();
  if (!cut.empty()) out.key("Exceptions").begin_array().value(std::string(kCutCode) + ": " + cut).end_array();
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
