#include "table_commands.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "output.h"

namespace picket::cli {
namespace {

namespace json = boost::json;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string mebibytes(const json::value& table, const char* name) {
  const json::value* value = table.as_object().if_contains(name);
  if (value == nullptr || !value->is_number()) return "";
  return fmt::format("{:.1f}", value->to_number<double>() / (1U << 20));
}

bool set_by_admin(const json::value& table) {
  const json::value* retention = table.as_object().if_contains("retention");
  return retention != nullptr && retention->is_object() && member(*retention, "fromSettings") != "true";
}

/// "30 d, then 335 d of archive", "for ever".
std::string kept(const json::value& table) {
  const json::value* retention = table.as_object().if_contains("retention");
  if (retention == nullptr || !retention->is_object()) return "";
  const std::string days = member(*retention, "days");
  const std::string archive = member(*retention, "archiveDays");
  std::string out = days == "0" ? "for ever" : days + " d";
  if (archive != "0" && !archive.empty()) out += ", then " + archive + " d of archive";
  return out;
}

Outcome<void> list_tables(const Client& client, bool as_json) {
  const auto answer = parse(client.get("/workspace/tables"));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  Table table({"TABLE", "ROWS", "MiB", "ARCHIVED", "MiB OF IT", "OLDEST", "NEWEST", "KEPT"});
  bool starred = false;
  for (const json::value& one : items_of(*answer)) {
    const bool star = set_by_admin(one);
    starred = starred || star;
    table.add({member(one, "name"), member(one, "rows"), mebibytes(one, "bytes"), member(one, "archivedRows"),
               mebibytes(one, "archivedBytes"), member(one, "oldest"), member(one, "newest"),
               kept(one) + (star ? " *" : "")});
  }
  print(table.text());
  if (starred) print("* set by an Admin; picket workspace retention TABLE --settings takes it back\n");
  for (const json::value& file : items_of(*answer, "damaged")) print(printable(member(file, "text")) + "\n");
  return {};
}

struct RetentionOptions {
  std::string table;
  std::int64_t days = -1;
  std::int64_t archive_days = 0;
  bool settings = false;
};

Outcome<void> set_retention(const Client& client, const RetentionOptions& options, bool as_json) {
  const std::string path = "/workspace/tables/" + percent_encode(options.table) + "/retention";
  const json::object body{{"days", options.days}, {"archiveDays", options.archive_days}};
  const auto answer = parse(options.settings ? client.remove(path) : client.put(path, json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  print(fmt::format("{}: {}, {}\n", printable(member(*answer, "name")), kept(*answer),
                    set_by_admin(*answer) ? "set by an Admin; --settings takes it back" : "as the settings say"));
  return {};
}

}  // namespace

void add_tables(CLI::App& app, const OnClient& on_client, const bool& as_json) {
  static RetentionOptions options;
  auto* group = app.add_subcommand("workspace", "stored tables: what they hold, how long they are kept");
  group->require_subcommand(1);
  on_client(group->add_subcommand("tables", "list them, and files that are lost or damaged"),
            [&as_json](const Client& client) { return list_tables(client, as_json); });
  auto* retention = group->add_subcommand("retention", "how long a table is kept, from now on");
  retention->add_option("TABLE", options.table, "name of a stored table, from: picket workspace tables")->required();
  auto* days =
      retention->add_option("--days", options.days, "days that rows stay; 0 for ever")->check(CLI::Range(0, 36'500));
  retention->add_option("--archive-days", options.archive_days, "days in the archive (Parquet files) after that")
      ->needs(days)
      ->check(CLI::Range(0, 36'500));
  auto* settings =
      retention->add_flag("--settings", options.settings, "as the server's settings say, again")->excludes(days);
  on_client(retention, [days, settings, &as_json](const Client& client) -> Outcome<void> {
    if (days->count() + settings->count() == 0)
      return std::unexpected(Failure{Exit::usage, "say --days N or --settings"});
    return set_retention(client, options, as_json);
  });
}

}  // namespace picket::cli
