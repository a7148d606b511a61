#include "kusto_commands.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "base/core/json_writer.h"
#include "kql_run.h"
#include "kusto_answer.h"
#include "kusto_command_parts.h"
#include "kusto_retention.h"

namespace picket::api {
namespace {

constexpr std::size_t kWordsMax = 64;

void write_column(JsonWriter& out, std::string_view name, Type type) {
  out.begin_object().key("Name").value(name).key("Type").value("System." + std::string(dotnet_type(type)));
  out.key("CslType").value(to_string(type)).end_object();
}

void write_columns(JsonWriter& out, const kql::Table& table) {
  out.key("OrderedColumns").begin_array();
  for (const kql::Column& column : table.columns) write_column(out, column.name, column.type);
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
    for (const auto& [name, type] : parameter.columns) write_column(out, name, type);
    out.end_array();
  } else {
    out.key("Type").value("System." + std::string(dotnet_type(parameter.type)));
    out.key("CslType").value(to_string(parameter.type));
    if (!parameter.fallback.empty()) out.key("CslDefaultValue").value(parameter.fallback);
  }
  out.end_object();
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

Answered show_table(const Call& call, const AskedCommand& asked) {
  API_TRY(const kql::Table* table, find_command_table(call, asked.words[2]));
  CommandTable out{texts({"AttributeName", "AttributeType"}), {}};
  for (const kql::Column& column : table->columns)
    out.rows.push_back({text(column.name), text(to_string(column.type))});
  return out;
}

Answered show_table_schema(const Call& call, const AskedCommand& asked) {
  API_TRY(const kql::Table* table, find_command_table(call, asked.words[2]));
  JsonWriter schema;
  schema.begin_object().key("Name").value(table->name);
  write_columns(schema, *table);
  schema.end_object();
  const bool json = equal_ignoring_case(asked.words.back(), "json");
  return CommandTable{texts({"TableName", "Schema", "DatabaseName", "Folder", "DocString"}),
                      {{text(table->name), text(json ? schema.take() : csl_schema(*table)), text(database_of(call)),
                        text(""), text("")}}};
}

Answered show_tables(const Call& call, const AskedCommand& asked) {
  CommandTable out{texts({"TableName", "DatabaseName", "Folder", "DocString"}), {}};
  for (const kql::Table* table : asked_tables(call, asked))
    out.rows.push_back({text(table->name), text(database_of(call)), text(""), text("")});
  return out;
}

Answered show_databases(const Call& call, const AskedCommand&) {
  CommandTable out{texts({"DatabaseName", "PersistentStorage", "Version"}), {}};
  out.columns.emplace_back("IsCurrent", Type::boolean);
  for (const char* name : {"DatabaseAccessMode", "PrettyName"}) out.columns.emplace_back(name, Type::string);
  out.columns.emplace_back("DatabaseId", Type::guid);
  out.rows.push_back({text(database_of(call)), text(""), text("v1.0"), "true", text("ReadOnly"), text(""),
                      text(call.parts.services.installation_id)});
  return out;
}

Answered show_schema(const Call& call, const AskedCommand&) {
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

Answered show_schema_json(const Call& call, const AskedCommand&) {
  return CommandTable{texts({"DatabaseSchema"}), {{text(database_json(call))}}};
}

Answered show_functions(const Call& call, const AskedCommand& asked) {
  CommandTable out{texts({"Name", "Parameters", "Body", "Folder", "DocString"}), {}};
  const bool one = asked.words.size() > 2 && asked.words[1] == "function";
  for (const state::SavedQuery& function : stored_functions(call.parts.services)) {
    if (one && function.name != asked.words[2]) continue;
    const kql::FunctionText parts = parts_of(function.text);
    out.rows.push_back(
        {text(function.name), text(parts.head), text(parts.body), text(function.category), text(function.description)});
  }
  if (one && out.rows.empty())
    return std::unexpected(
        ApiError{.code = "query_unknown_name", .message = "There is no such function.", .target = "query"});
  return out;
}

/// Its columns are known where a call without arguments compiles.
Answered show_function_schema(const Call& call, const AskedCommand& asked) {
  const auto all = stored_functions(call.parts.services);
  const auto found = std::ranges::find(all, asked.words[2], &state::SavedQuery::name);
  if (found == all.end())
    return std::unexpected(
        ApiError{.code = "query_unknown_name", .message = "There is no such function.", .target = "query"});
  const auto compiled =
      kql::compile("['" + found->name + "']()", current_schema(call.parts.services), {.now = call.now()});
  JsonWriter schema;
  schema.begin_object().key("Name").value(found->name).key("InputParameters").begin_array();
  for (const kql::FunctionParameter& parameter : parts_of(found->text).parameters) write_parameter(schema, parameter);
  schema.end_array().key("OutputColumns").begin_array();
  if (compiled) {
    for (const kql::ResultColumn& column : compiled->columns) write_column(schema, column.name, column.type);
  }
  schema.end_array().key("FunctionKind").value("ViewFunction").key("Folder").value(found->category);
  schema.key("DocString").value(found->description).end_object();
  return CommandTable{texts({"Name", "Schema", "DatabaseName", "Folder", "DocString"}),
                      {{text(found->name), text(schema.take()), text(database_of(call)), text(found->category),
                        text(found->description)}}};
}

Answered show_version(const Call& call, const AskedCommand&) {
  CommandTable out{texts({"BuildVersion"}), {}};
  out.columns.emplace_back("BuildTime", Type::datetime);
  for (const char* name : {"ServiceType", "ProductVersion"}) out.columns.emplace_back(name, Type::string);
  out.rows.push_back({text(call.parts.services.version), text(format_rfc3339(call.parts.started_at)), text("Engine"),
                      text("Picket " + call.parts.services.version)});
  return out;
}

Answered show_cluster(const Call& call, const AskedCommand&) {
  CommandTable out{texts({"NodeId", "Address", "Name"}), {}};
  out.columns.emplace_back("StartTime", Type::datetime);
  out.columns.emplace_back("IsAdmin", Type::boolean);
  out.rows.push_back({text(call.parts.services.installation_id), text(call.parts.services.host_name),
                      text(call.parts.services.hub), text(format_rfc3339(call.parts.started_at)), "true"});
  return out;
}

/// What one may do here: the same for every table.
Answered show_roles(const Call& call, const AskedCommand&) {
  CommandTable out{texts({"Scope", "DisplayName", "AADObjectID", "Role"}), {}};
  const bool admin = call.caller.role == state::Role::admin;
  out.rows.push_back({text("Database " + database_of(call)), text(call.caller.user), text(""),
                      text(admin ? "Database Monitor" : "Database Viewer")});
  return out;
}

Answered show_entities(const Call& call, const AskedCommand&) {
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

std::string visible_user(const Call& call) { return call.caller.role == state::Role::admin ? "" : call.caller.user; }

Answered show_queries(const Call& call, const AskedCommand&) {
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

Answered cancel(const Call& call, const AskedCommand& asked) {
  if (asked.words.size() < 3)
    return std::unexpected(
        ApiError{.code = "query_syntax", .message = "Name the query: its client request id.", .target = "query"});
  CommandTable out{texts({"ClientRequestId", "State"}), {}};
  const std::size_t ended = call.parts.running.cancel(asked.words[2], visible_user(call));
  if (ended > 0) out.rows.push_back({text(asked.words[2]), text("Cancelled")});
  return out;
}

struct Command {
  std::vector<std::string_view> words;  ///< "*" stands for one name.
  bool more;                            ///< Others may follow.
  Answered (*answer)(const Call&, const AskedCommand&);
};

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {{".show", "tables"}, false, show_tables},
      {{".show", "tables", "details"}, false, show_table_details},
      {{".show", "table", "*"}, false, show_table},
      {{".show", "table", "*", "details"}, false, show_table_details},
      {{".show", "table", "*", "cslschema"}, false, show_table_schema},
      {{".show", "table", "*", "schema", "as", "json"}, false, show_table_schema},
      {{".show", "table", "*", "schema", "as", "csl"}, false, show_table_schema},
      {{".show", "table", "*", "policy", "*"}, false, show_table_policy},
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
      {{".show", "databases", "schema"}, false, show_schema},
      {{".show", "database", "cslschema"}, false, show_csl_schema},
      {{".show", "database", "*", "cslschema"}, false, show_csl_schema},
      {{".show", "database", "cslschema", "script"}, false, show_csl_script},
      {{".show", "database", "*", "cslschema", "script"}, false, show_csl_script},
      {{".show", "database", "schema", "as", "csl", "script"}, true, show_csl_script},
      {{".show", "database", "*", "schema", "as", "csl", "script"}, true, show_csl_script},
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
      {{".show", "function", "*", "schema", "as", "json"}, false, show_function_schema},
      {{".show", "version"}, false, show_version},
      {{".show", "cluster"}, false, show_cluster},
      {{".show", "cluster", "details"}, false, show_cluster},
      {{".show", "principal", "roles"}, true, show_roles},
      {{".show", "principal", "access"}, true, show_roles},
      {{".show", "queries"}, false, show_queries},
      {{".show", "running", "queries"}, false, show_queries},
      {{".show", "commands-and-queries"}, false, show_queries},
      {{".cancel", "query", "*"}, false, cancel},
  };
  return all;
}

bool fits(const Command& command, const std::vector<std::string>& words) {
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
  std::vector<std::string> out;
  constexpr std::string_view kBlank = " \t\r\n;";
  constexpr std::string_view kSigns = "(),";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return out;
    if (out.size() == kWordsMax) return {};
    text.remove_prefix(begin);
    if (std::string_view("['\"").find(text.front()) != std::string_view::npos) {
      out.push_back(quoted(text));
    } else if (kSigns.find(text.front()) != std::string_view::npos) {
      out.emplace_back(text.substr(0, 1));
      text.remove_prefix(1);
    } else {
      const std::size_t end = std::min(text.find_first_of(" \t\r\n;(),"), text.size());
      out.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }
}

namespace {

/// Takes the names of `.show tables (A, B) …` and `.show databases (A) …` out of the words.
AskedCommand asked_command(std::vector<std::string> words) {
  AskedCommand out{std::move(words), {}};
  if (out.words.size() < 4 || out.words[2] != "(") return out;
  const auto begin = out.words.begin() + 2;
  const auto end = std::find(begin, out.words.end(), ")");
  if (end == out.words.end()) return out;
  std::copy_if(begin + 1, end, std::back_inserter(out.names), [](const std::string& word) { return word != ","; });
  out.words.erase(begin, end + 1);
  return out;
}

}  // namespace

std::expected<CommandTable, ApiError> run_command(const Call& call, std::string_view text) {
  const AskedCommand asked = asked_command(command_words(text));
  const std::vector<std::string>& words = asked.words;
  if (words.empty() || !words[0].starts_with('.'))
    return std::unexpected(
        ApiError{.code = "query_syntax", .message = "A command begins with a dot.", .target = "query"});
  if (auto done = run_retention_command(call, words, text)) return *std::move(done);
  if (!equal_ignoring_case(words[0], ".show") && !equal_ignoring_case(words[0], ".cancel")) {
    return std::unexpected(ApiError{.code = "denied",
                                    .message = "The workspace is read-only: " + words[0] +
                                               " is not for clients. Functions are kept through /api/v1/functions.",
                                    .target = "query"});
  }
  for (const std::string& name : asked.names) {
    if (!equal_ignoring_case(words[1], "tables")) continue;
    if (const auto known = find_command_table(call, name); !known) return std::unexpected(known.error());
  }
  const auto found = std::ranges::find_if(commands(), [&](const Command& one) { return fits(one, words); });
  if (found != commands().end()) return found->answer(call, asked);
  if (auto nothing = empty_command(words)) return *std::move(nothing);
  return std::unexpected(
      ApiError{.code = "query_unsupported", .message = "Picket does not know this command.", .target = "query"});
}

}  // namespace picket::api
