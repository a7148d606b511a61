#include "workspace_commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "commands.h"
#include "output.h"
#include "table_commands.h"

namespace picket::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kFileBytesMax = 8U << 20;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

Outcome<std::string> read(const std::string& path) {
  auto text = read_file(path == "-" ? "/dev/stdin" : path, kFileBytesMax);
  if (!text) return std::unexpected(Failure{Exit::usage, fmt::format("{}: {}", path, describe(text.error()))});
  return *text;
}

/// Lists what `path` answers: all of it as JSON, else these members as columns.
Outcome<void> list(const Client& client, const std::string& path,
                   const std::vector<std::pair<const char*, const char*>>& columns, bool as_json) {
  const auto answer = parse(client.get(path));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  std::vector<std::string> header;
  for (const auto& [title, name] : columns) header.emplace_back(title);
  Table table(std::move(header), 80);
  for (const json::value& item : items_of(*answer)) {
    std::vector<std::string> cells;
    for (const auto& [title, name] : columns) cells.push_back(member(item, name));
    table.add(std::move(cells));
  }
  print(table.text());
  return {};
}

Outcome<void> done(const Outcome<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

// --- saved queries and functions

struct SavedOptions {
  std::string name, text, category, description;
};

Outcome<void> save(const Client& client, const std::string& base, const SavedOptions& options) {
  std::string text = options.text;
  if (text == "-") {
    auto input = read("-");
    if (!input) return std::unexpected(input.error());
    text = *std::move(input);
  }
  json::object body{{"text", text}};
  if (!options.category.empty()) body["category"] = options.category;
  if (!options.description.empty()) body["description"] = options.description;
  return done(client.put(base + "/" + percent_encode(options.name), json::serialize(body)));
}

Outcome<void> show(const Client& client, const std::string& base, const std::string& name, bool as_json) {
  const auto answer = parse(client.get(base + "/" + percent_encode(name)));
  if (!answer) return std::unexpected(answer.error());
  print(as_json ? pretty(*answer) : printable_lines(member(*answer, "text")) + "\n");
  return {};
}

Outcome<void> run_saved(const Client& client, const std::string& name, const std::string& timespan, bool as_json) {
  const auto answer = parse(client.get("/saved-queries/" + percent_encode(name)));
  if (!answer) return std::unexpected(answer.error());
  return query(client, {.text = member(*answer, "text"), .timespan = timespan}, as_json);
}

void add_saved(CLI::App& app, const OnClient& on_client, const bool& as_json, bool functions) {
  static SavedOptions query_options, function_options;
  static std::string timespan;
  SavedOptions& options = functions ? function_options : query_options;
  const std::string base = functions ? "/functions" : "/saved-queries";
  auto* group = functions ? app.add_subcommand("function", "functions that every query can call")
                          : app.add_subcommand("saved-query", "queries that are kept for later");
  group->require_subcommand(1);
  on_client(group->add_subcommand("list", "list them"), [base, &as_json](const Client& client) {
    return list(client, base,
                {{"NAME", "name"},
                 {"CATEGORY", "category"},
                 {"BY", "user"},
                 {"CHANGED", "changed"},
                 {"DESCRIPTION", "description"}},
                as_json);
  });
  auto* one = group->add_subcommand("show", "print its text");
  one->add_option("NAME", options.name)->required();
  on_client(one,
            [base, &options, &as_json](const Client& client) { return show(client, base, options.name, as_json); });
  auto* put = group->add_subcommand("save", "add it, or replace the one of that name");
  put->add_option("NAME", options.name)->required();
  put->add_option("TEXT", options.text,
                  functions ? "\"(a:long, b:string='x') { body }\"; - reads it from standard input"
                            : "KQL text; - reads it from standard input")
      ->required();
  put->add_option("--category", options.category);
  put->add_option("--description", options.description);
  on_client(put, [base, &options](const Client& client) { return save(client, base, options); });
  auto* remove = group->add_subcommand("remove", "take it away");
  remove->add_option("NAME", options.name)->required();
  on_client(remove, [base, &options](const Client& client) {
    return done(client.remove(base + "/" + percent_encode(options.name)));
  });
  if (functions) return;
  auto* run = group->add_subcommand("run", "run it");
  run->add_option("NAME", options.name)->required();
  run->add_option("--timespan", timespan, "ISO 8601 duration back from now, e.g. PT1H");
  on_client(run,
            [&options, &as_json](const Client& client) { return run_saved(client, options.name, timespan, as_json); });
}

// --- analytics

bool is_rule_file(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
}

Outcome<std::vector<std::string>> files_below(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      out.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path, failed)) {
      if (entry.is_regular_file() && is_rule_file(entry.path())) out.push_back(entry.path().string());
    }
    if (failed) return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", path, failed.message())});
  }
  std::ranges::sort(out);
  return out;
}

// Files that hold no rule are told and passed over: a folder of published content holds other things too.
Outcome<void> import_rules(const Client& client, const std::vector<std::string>& paths) {
  const auto files = files_below(paths);
  if (!files) return std::unexpected(files.error());
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (const std::string& file : *files) {
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    const auto answer = parse(client.post("/analytics-rules", *text));
    if (!answer && answer.error().exit != Exit::failed) return std::unexpected(answer.error());
    if (!answer) {
      ++refused;
      print(fmt::format("{}: {}\n", file, answer.error().text));
      continue;
    }
    taken += items_of(*answer, "imported").size();
    for (const json::value& complaint : items_of(*answer, "complaints")) {
      ++refused;
      print(fmt::format("{}: {}\n", file, printable_lines(cell(complaint))));
    }
  }
  print(fmt::format("{} rules imported, {} refused.\n", taken, refused));
  if (taken == 0) return std::unexpected(Failure{Exit::failed, "no rule was imported"});
  return {};
}

Outcome<void> show_rule(const Client& client, const std::string& id, bool as_json) {
  const auto answer = parse(client.get("/analytics-rules/" + percent_encode(id)));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  for (const char* name :
       {"name", "severity", "enabled", "frequencySeconds", "periodSeconds", "trigger", "threshold", "nextRun"})
    print(fmt::format("{:<18} {}\n", name, printable(member(*answer, name))));
  print("\n" + printable_lines(member(*answer, "query")) + "\n");
  Table table({"RUN", "ROWS", "ALERTS", "OUTCOME", "MESSAGE"}, 80);
  for (const json::value& run : items_of(*answer, "runs"))
    table.add({member(run, "windowEnd"), member(run, "rows"), member(run, "alerts"), member(run, "outcome"),
               member(run, "message")});
  print("\n" + table.text());
  return {};
}

Outcome<void> try_rule(const Client& client, const std::string& rule, const std::string& timespan, bool as_json) {
  json::object body{{"timespan", timespan}};
  std::error_code failed;
  if (fs::exists(rule, failed)) {
    const auto text = read(rule);
    if (!text) return std::unexpected(text.error());
    body["rule"] = *text;
  } else {
    body["id"] = rule;
  }
  const auto answer = parse(client.post("/analytics-rules/trials", json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  Table table({"WINDOW END", "ROWS", "OUTCOME", "ALERTS"}, 100);
  for (const json::value& run : items_of(*answer, "runs")) {
    std::string names;
    for (const json::value& alert : items_of(run, "alerts"))
      names += (names.empty() ? "" : "; ") + member(alert, "name");
    table.add({member(run, "windowEnd"), member(run, "rows"), member(run, "outcome"), names + member(run, "message")});
  }
  print(table.text());
  print(fmt::format("{} runs, {} alerts.\n", items_of(*answer, "runs").size(), member(*answer, "alerts")));
  return {};
}

void add_analytics(CLI::App& app, const OnClient& on_client, const bool& as_json) {
  static std::string id;
  static std::string timespan = "P1D";
  static std::vector<std::string> paths;
  auto* group = app.add_subcommand("analytics", "scheduled rules: KQL that runs now and then and raises alerts");
  group->require_subcommand(1);
  on_client(group->add_subcommand("list", "list rules"), [&as_json](const Client& client) {
    return list(client, "/analytics-rules",
                {{"ID", "id"},
                 {"NAME", "name"},
                 {"SEVERITY", "severity"},
                 {"ENABLED", "enabled"},
                 {"EVERY s", "frequencySeconds"},
                 {"NEXT RUN", "nextRun"}},
                as_json);
  });
  auto* one = group->add_subcommand("show", "a rule and its newest runs");
  one->add_option("ID", id)->required();
  on_client(one, [&as_json](const Client& client) { return show_rule(client, id, as_json); });
  auto* import = group->add_subcommand("import", "add rules: Sentinel rule YAML or ARM templates, files or folders");
  import->add_option("PATH", paths)->required();
  on_client(import, [](const Client& client) { return import_rules(client, paths); });
  for (const bool enabled : {true, false}) {
    auto* command =
        group->add_subcommand(enabled ? "enable" : "disable", enabled ? "switch a rule on" : "switch a rule off");
    command->add_option("ID", id)->required();
    on_client(command, [enabled](const Client& client) {
      return done(client.patch("/analytics-rules/" + percent_encode(id),
                               enabled ? R"({"enabled":true})" : R"({"enabled":false})"));
    });
  }
  auto* remove = group->add_subcommand("remove", "take a rule away");
  remove->add_option("ID", id)->required();
  on_client(remove, [](const Client& client) { return done(client.remove("/analytics-rules/" + percent_encode(id))); });
  auto* trial = group->add_subcommand("try", "what a rule would have raised; nothing is");
  trial->add_option("RULE", id, "a file, or the id of a rule")->required();
  trial->add_option("--timespan", timespan, "ISO 8601 duration back from now, or an interval")->capture_default_str();
  on_client(trial, [&as_json](const Client& client) { return try_rule(client, id, timespan, as_json); });
}

void add_queries(CLI::App& app, const OnClient& on_client, const bool& as_json) {
  static std::string id;
  auto* group = app.add_subcommand("queries", "queries that run now");
  group->require_subcommand(1);
  on_client(group->add_subcommand("list", "list them"), [&as_json](const Client& client) {
    return list(client, "/queries",
                {{"ID", "id"},
                 {"USER", "user"},
                 {"STATE", "state"},
                 {"PERCENT", "percent"},
                 {"STARTED", "started"},
                 {"QUERY", "query"}},
                as_json);
  });
  auto* cancel = group->add_subcommand("cancel", "end one");
  cancel->add_option("ID", id)->required();
  on_client(cancel, [](const Client& client) { return done(client.remove("/queries/" + percent_encode(id))); });
}

}  // namespace

void add_workspace(CLI::App& app, const OnClient& on_client, const bool& json) {
  add_queries(app, on_client, json);
  add_saved(app, on_client, json, false);
  add_saved(app, on_client, json, true);
  add_analytics(app, on_client, json);
  add_tables(app, on_client, json);
}

}  // namespace picket::cli
