#include "kusto_commands.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "base/core/json_writer.h"
#include "kql_run.h"
#include "kusto_answer.h"

namespace picket::api {
namespace {

using Type = kql::Type;
using Words = std::vector<std::string>;

constexpr std::size_t kWordsMax = 64;

std::string text(std::string_view value) {
  std::string out;
  append_json_string(out, value);
  return out;
}

std::string database_of(const Call& call) { return call.parts.services.hub; }

std::vector<std::pair<std::string, Type>> texts(std::initializer_list<const char*> names) {
  std::vector<std::pair<std::string, Type>> out;
  for (const char* name : names) out.emplace_back(name, Type::string);
  return out;
}

void write_columns(JsonWriter& out, const kql::Table& table) {
  out.key("OrderedColumns").begin_array();
  for (const kql::Column& column : table.columns) {
    out.begin_object()
        .key("Name")
        .value(column.name)
        .key("Type")
        .value("System." + std::string(dotnet_type(column.type)));
    out.key("CslType").value(to_string(column.type)).end_object();
  }
  out.end_array();
}

/// A function that is not whole any more is shown as it is kept.
kql::FunctionText parts_of(const std::string& function) {
  auto read = kql::read_function(function);
  return read ? *std::move(read) : kql::FunctionText{.parameters = {}, .head = "()", .body = function};
}

void write_parameter(JsonWriter& out, const kql::FunctionParameter& parameter) {
  out.begin_object().key("Name").value(parameter.name);
  if (parameter.tabular) {
    out.key("Columns").begin_array();
    for (const auto& [name, type] : parameter.columns) {
      out.begin_object().key("Name").value(name).key("Type").value("System." + std::string(dotnet_type(type)));
      out.key("CslType").value(to_string(type)).end_object();
    }
    out.end_array();
  } else {
    out.key("Type").value("System." + std::string(dotnet_type(parameter.type)));
    out.key("CslType").value(to_string(parameter.type));
    if (!parameter.fallback.empty()) out.key("CslDefaultValue").value(parameter.fallback);
  }
  out.end_object();
}

std::string csl_schema(const kql::Table& table) {
  std::string out;
  for (const kql::Column& column : table.columns)
    out += (out.empty() ? "" : ",") + column.name + ":" + std::string(to_string(column.type));
  return out;
}

std::string database_json(const Call& call) {
  const kql::Schema& schema = call.parts.services.kql_schema;
  const std::string name = database_of(call);
  JsonWriter out;
  out.begin_object().key("Databases").begin_object().key(name).begin_object();
  out.key("Name").value(name).key("Tables").begin_object();
  for (const kql::Table& table : schema.tables) {
    out.key(table.name).begin_object().key("Name").value(table.name).key("Folder").value("").key("DocString").value("");
    write_columns(out, table);
    out.end_object();
  }
  out.end_object().key("MajorVersion").value(1).key("MinorVersion").value(0).key("Functions").begin_object();
  for (const state::SavedQuery& function : stored_functions(call.parts.services)) {
    const kql::FunctionText parts = parts_of(function.text);
    out.key(function.name).begin_object().key("Name").value(function.name).key("InputParameters").begin_array();
    for (const kql::FunctionParameter& parameter : parts.parameters) write_parameter(out, parameter);
    out.end_array()
        .key("Body")
        .value(parts.body)
        .key("Folder")
        .value(function.category)
        .key("DocString")
        .value(function.description);
    out.key("FunctionKind").value("Unknown").end_object();
  }
  return out.end_object().end_object().end_object().end_object().take();
}

using Answered = std::expected<CommandTable, ApiError>;

CommandTable table_details(const Call& call, std::span<const kql::Table> tables) {
  CommandTable out{texts({"TableName", "DatabaseName", "Folder", "DocString"}), {}};
  for (const kql::Table& table : tables)
    out.rows.push_back({text(table.name), text(database_of(call)), text(""), text("")});
  return out;
}

Answered show_table(const Call& call, const Words& words) {
  const kql::Table* table = words.size() > 2 ? call.parts.services.kql_schema.find(words[2]) : nullptr;
  if (table == nullptr)
    return std::unexpected(
        ApiError{.code = "query_unknown_name", .message = "There is no such table.", .target = "query"});
  if (words.size() == 4 && equal_ignoring_case(words[3], "details")) return table_details(call, {table, 1});
  if (words.size() == 3) {
    CommandTable out{texts({"AttributeName", "AttributeType"}), {}};
    for (const kql::Column& column : table->columns)
      out.rows.push_back({text(column.name), text(to_string(column.type))});
    return out;
  }
  const bool csl = words.size() == 4 && words[3] == "cslschema";
  const bool json = words.size() == 6 && words[3] == "schema" && words[4] == "as" && words[5] == "json";
  if (!csl && !json)
    return std::unexpected(ApiError{.code = "query_unsupported",
                                    .message = "Of a table: nothing, cslschema, or schema as json.",
                                    .target = "query"});
  JsonWriter schema;
  schema.begin_object().key("Name").value(table->name);
  write_columns(schema, *table);
  schema.end_object();
  return CommandTable{texts({"TableName", "Schema", "DatabaseName", "Folder", "DocString"}),
                      {{text(table->name), text(csl ? csl_schema(*table) : schema.take()), text(database_of(call)),
                        text(""), text("")}}};
}

Answered show_tables(const Call& call, const Words&) {
  return table_details(call, call.parts.services.kql_schema.tables);
}

Answered show_databases(const Call& call, const Words&) {
  CommandTable out{texts({"DatabaseName", "PersistentStorage", "Version"}), {}};
  out.columns.emplace_back("IsCurrent", Type::boolean);
  for (const char* name : {"DatabaseAccessMode", "PrettyName"}) out.columns.emplace_back(name, Type::string);
  out.columns.emplace_back("DatabaseId", Type::guid);
  out.rows.push_back({text(database_of(call)), text(""), text("v1.0"), "true", text("ReadOnly"), text(""),
                      text(call.parts.services.installation_id)});
  return out;
}

Answered show_schema(const Call& call, const Words&) {
  CommandTable out{texts({"DatabaseName", "TableName", "ColumnName", "ColumnType"}), {}};
  for (const char* name : {"IsDefaultTable", "IsDefaultColumn"}) out.columns.emplace_back(name, Type::boolean);
  for (const char* name : {"PrettyName", "Version", "Folder", "DocString"})
    out.columns.emplace_back(name, Type::string);
  const auto add = [&](std::string_view table, std::string_view column, std::string_view type) {
    out.rows.push_back({text(database_of(call)), text(table), text(column), text(type), "false", "false", text(""),
                        text("v1.0"), text(""), text("")});
  };
  add("", "", "");
  for (const kql::Table& table : call.parts.services.kql_schema.tables) {
    add(table.name, "", "");
    for (const kql::Column& column : table.columns)
      add(table.name, column.name, "System." + std::string(dotnet_type(column.type)));
  }
  return out;
}

Answered show_schema_json(const Call& call, const Words&) {
  return CommandTable{texts({"DatabaseSchema"}), {{text(database_json(call))}}};
}

Answered show_functions(const Call& call, const Words& words) {
  CommandTable out{texts({"Name", "Parameters", "Body", "Folder", "DocString"}), {}};
  const bool one = words.size() > 2 && words[1] == "function";
  for (const state::SavedQuery& function : stored_functions(call.parts.services)) {
    if (one && function.name != words[2]) continue;
    const kql::FunctionText parts = parts_of(function.text);
    out.rows.push_back(
        {text(function.name), text(parts.head), text(parts.body), text(function.category), text(function.description)});
  }
  if (one && out.rows.empty())
    return std::unexpected(
        ApiError{.code = "query_unknown_name", .message = "There is no such function.", .target = "query"});
  return out;
}

Answered show_version(const Call& call, const Words&) {
  CommandTable out{texts({"BuildVersion"}), {}};
  out.columns.emplace_back("BuildTime", Type::datetime);
  for (const char* name : {"ServiceType", "ProductVersion"}) out.columns.emplace_back(name, Type::string);
  out.rows.push_back({text(call.parts.services.version), text(format_rfc3339(call.parts.started_at)), text("Engine"),
                      text("Picket " + call.parts.services.version)});
  return out;
}

Answered show_cluster(const Call& call, const Words&) {
  CommandTable out{texts({"NodeId", "Address", "Name"}), {}};
  out.columns.emplace_back("StartTime", Type::datetime);
  out.columns.emplace_back("IsAdmin", Type::boolean);
  out.rows.push_back({text(call.parts.services.installation_id), text(call.parts.services.host_name),
                      text(call.parts.services.hub), text(format_rfc3339(call.parts.started_at)), "true"});
  return out;
}

/// What one may do here: the same for every table.
Answered show_roles(const Call& call, const Words&) {
  CommandTable out{texts({"Scope", "DisplayName", "AADObjectID", "Role"}), {}};
  const bool admin = call.caller.role == state::Role::admin;
  out.rows.push_back({text("Database " + database_of(call)), text(call.caller.user), text(""),
                      text(admin ? "Database Monitor" : "Database Viewer")});
  return out;
}

Answered show_entities(const Call& call, const Words&) {
  CommandTable out{texts({"DatabaseName", "EntityType", "EntityName", "DocString", "Folder", "CslInputSchema",
                          "Content", "CslOutputSchema", "Properties"}),
                   {}};
  const std::string database = text(database_of(call));
  for (const kql::Table& table : call.parts.services.kql_schema.tables)
    out.rows.push_back({database, text("Table"), text(table.name), text(""), text(""), text(""), text(""),
                        text(csl_schema(table)), text("")});
  for (const state::SavedQuery& function : stored_functions(call.parts.services)) {
    const kql::FunctionText parts = parts_of(function.text);
    out.rows.push_back({database, text("Function"), text(function.name), text(function.description),
                        text(function.category), text(parts.head), text(parts.body), text(""), text("")});
  }
  return out;
}

/// Kinds of entities that there are not: clients ask for them to fill their trees.
Answered show_nothing(const Call&, const Words&) {
  return CommandTable{texts({"Name", "DatabaseName", "Folder", "DocString"}), {}};
}

std::string visible_user(const Call& call) { return call.caller.role == state::Role::admin ? "" : call.caller.user; }

Answered show_queries(const Call& call, const Words&) {
  CommandTable out{texts({"ClientActivityId", "Text", "User", "Database", "State", "Application"}), {}};
  out.columns.emplace_back("StartedOn", Type::datetime);
  out.columns.emplace_back("Duration", Type::timespan);
  out.columns.emplace_back("Progress", Type::real);
  for (const auto& query : call.parts.running.list(visible_user(call))) {
    const Duration running = call.now() - query.since;
    const std::string id = query.start.client_request_id.empty() ? query.id : query.start.client_request_id;
    JsonWriter progress;
    query.percent < 0 ? progress.null() : progress.value(query.percent);
    out.rows.push_back({text(id), text(query.start.text), text(query.start.user), text(database_of(call)),
                        text(query.waiting ? "Waiting" : "InProgress"), text(query.start.application),
                        text(format_rfc3339(query.since)), text(timespan_text(running.us * kql::kTicksPerMicrosecond)),
                        progress.take()});
  }
  return out;
}

Answered cancel(const Call& call, const Words& words) {
  if (words.size() < 3)
    return std::unexpected(
        ApiError{.code = "query_syntax", .message = "Name the query: its client request id.", .target = "query"});
  CommandTable out{texts({"ClientRequestId", "State"}), {}};
  const std::size_t ended = call.parts.running.cancel(words[2], visible_user(call));
  if (ended > 0) out.rows.push_back({text(words[2]), text("Cancelled")});
  return out;
}

struct Command {
  std::vector<std::string_view> words;  ///< "*" stands for one name.
  bool more;                            ///< Others may follow.
  Answered (*answer)(const Call&, const Words&);
};

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {{".show", "tables"}, false, show_tables},
      {{".show", "tables", "details"}, false, show_tables},
      {{".show", "table", "*"}, true, show_table},
      {{".show", "databases"}, false, show_databases},
      {{".show", "databases", "details"}, false, show_databases},
      {{".show", "databases", "identity"}, false, show_databases},
      {{".show", "databases", "entities"}, true, show_entities},
      {{".show", "database", "entities"}, true, show_entities},
      {{".show", "database", "*", "entities"}, true, show_entities},
      {{".show", "cluster", "databases"}, true, show_databases},
      {{".show", "database"}, false, show_databases},
      {{".show", "database", "identity"}, false, show_databases},
      {{".show", "database", "*", "identity"}, false, show_databases},
      {{".show", "database", "details"}, false, show_databases},
      {{".show", "database", "*", "details"}, false, show_databases},
      {{".show", "databases", "schema", "as", "json"}, true, show_schema_json},
      {{".show", "database", "schema", "as", "json"}, true, show_schema_json},
      {{".show", "database", "*", "schema", "as", "json"}, true, show_schema_json},
      {{".show", "database", "schema", "if_later_than", "*", "as", "json"}, true, show_schema_json},
      {{".show", "database", "*", "schema", "if_later_than", "*", "as", "json"}, true, show_schema_json},
      {{".show", "schema", "as", "json"}, true, show_schema_json},
      {{".show", "database", "schema"}, false, show_schema},
      {{".show", "database", "*", "schema"}, false, show_schema},
      {{".show", "schema"}, false, show_schema},
      {{".show", "functions"}, false, show_functions},
      {{".show", "function", "*"}, false, show_functions},
      {{".show", "external", "tables"}, true, show_nothing},
      {{".show", "materialized-views"}, true, show_nothing},
      {{".show", "entity_groups"}, true, show_nothing},
      {{".show", "graph_models"}, true, show_nothing},
      {{".show", "version"}, false, show_version},
      {{".show", "cluster"}, false, show_cluster},
      {{".show", "principal", "roles"}, true, show_roles},
      {{".show", "principal", "access"}, true, show_roles},
      {{".show", "queries"}, false, show_queries},
      {{".show", "running", "queries"}, false, show_queries},
      {{".show", "commands-and-queries"}, false, show_queries},
      {{".cancel", "query", "*"}, false, cancel},
  };
  return all;
}

bool fits(const Command& command, const Words& words) {
  if (words.size() < command.words.size() || (!command.more && words.size() > command.words.size())) return false;
  for (std::size_t i = 0; i < command.words.size(); ++i) {
    if (command.words[i] != "*" && !equal_ignoring_case(command.words[i], words[i])) return false;
  }
  return true;
}

// Takes a name in quotes or brackets off `text`.
std::string quoted(std::string_view& text) {
  const bool bracket = text.starts_with('[');
  if (bracket) text.remove_prefix(1);
  if (text.empty()) return {};
  const char quote = text.front() == '\'' || text.front() == '"' ? text.front() : ']';
  if (quote != ']') text.remove_prefix(1);
  const std::size_t end = std::min(text.find(quote), text.size());
  std::string out(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  if (bracket && quote != ']' && text.starts_with(']')) text.remove_prefix(1);
  return out;
}

}  // namespace

std::vector<std::string> command_words(std::string_view text) {
  Words out;
  constexpr std::string_view kBlank = " \t\r\n;";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return out;
    if (out.size() == kWordsMax) return {};
    text.remove_prefix(begin);
    if (std::string_view("['\"").find(text.front()) != std::string_view::npos) {
      out.push_back(quoted(text));
    } else {
      const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
      out.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }
}

std::expected<CommandTable, ApiError> run_command(const Call& call, std::string_view text) {
  const Words words = command_words(text);
  if (words.empty() || !words[0].starts_with('.'))
    return std::unexpected(
        ApiError{.code = "query_syntax", .message = "A command begins with a dot.", .target = "query"});
  if (!equal_ignoring_case(words[0], ".show") && !equal_ignoring_case(words[0], ".cancel")) {
    return std::unexpected(ApiError{.code = "denied",
                                    .message = "The workspace is read-only: " + words[0] +
                                               " is not for clients. Functions are kept through /api/v1/functions.",
                                    .target = "query"});
  }
  const auto found = std::ranges::find_if(commands(), [&](const Command& one) { return fits(one, words); });
  if (found != commands().end()) return found->answer(call, words);
  return std::unexpected(
      ApiError{.code = "query_unsupported", .message = "Picket does not know this command.", .target = "query"});
}

}  // namespace picket::api
