#include "workbook_commands.h"

#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"

namespace picket::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kFileBytesMax = 8U << 20;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

struct Options {
  std::vector<std::string> paths;
  std::string name;
  std::string output;
};

Outcome<std::string> read(const std::string& path) {
  auto text = read_file(path == "-" ? "/dev/stdin" : path, kFileBytesMax);
  if (!text) return std::unexpected(Failure{Exit::usage, fmt::format("{}: {}", path, describe(text.error()))});
  return *text;
}

/// What of a workbook is not shown or cannot run; returns how many queries cannot.
std::size_t tell(const std::string& file, const json::value& workbook) {
  const auto& notes = items_of(workbook, "notes");
  const auto& problems = items_of(workbook, "problems");
  print(fmt::format("{}: {}: {} queries, {} cannot run, {} parts are not shown\n", file,
                    printable(member(workbook, "name")), member(workbook, "queries"), problems.size(), notes.size()));
  for (const json::value& one : problems) {
    print(fmt::format("  {} {}: {}\n", printable(member(one, "path")), printable(member(one, "title")),
                      printable(member(one, "message"))));
  }
  for (const json::value& one : notes) {
    print(fmt::format("  {} {}: {}\n", printable(member(one, "path")), printable(member(one, "construct")),
                      printable(member(one, "message"))));
  }
  return problems.size();
}

/// A notebook has no name of its own: the file's.
std::string path_of(const std::string& file, const Options& options) {
  const std::string name = options.name.empty() ? fs::path(file).stem().string() : options.name;
  return "/workbooks?name=" + percent_encode(name);
}

Outcome<void> import_files(const Client& client, const Options& options, bool as_json) {
  for (const std::string& file : options.paths) {
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    const auto answer = parse(client.post(path_of(file, options), *text));
    if (!answer) return std::unexpected(Failure{answer.error().exit, file + ": " + answer.error().text});
    if (as_json) print(pretty(*answer));
    for (const json::value& one : items_of(*answer, "imported")) {
      if (!as_json) tell(file, one);
    }
  }
  return {};
}

Outcome<void> check_files(const Client& client, const Options& options, bool as_json) {
  std::size_t wrong = 0;
  for (const std::string& file : options.paths) {
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    const auto answer = parse(client.post("/workbooks/check", *text));
    if (!answer) return std::unexpected(Failure{answer.error().exit, file + ": " + answer.error().text});
    if (as_json) print(pretty(*answer));
    for (const json::value& one : items_of(*answer, "workbooks"))
      wrong += as_json ? items_of(one, "problems").size() : tell(file, one);
  }
  if (wrong > 0) return std::unexpected(Failure{Exit::failed, fmt::format("{} queries cannot run", wrong)});
  return {};
}

Outcome<void> list(const Client& client, bool as_json) {
  const auto answer = parse(client.get("/workbooks"));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(*answer));
    return {};
  }
  Table table({"NAME", "BY", "CHANGED", "DESCRIPTION"}, 80);
  for (const json::value& one : items_of(*answer)) {
    const bool shipped = member(one, "shipped") == "true";
    table.add({member(one, "name"), shipped ? "Picket" : member(one, "user"), member(one, "changed"),
               member(one, "description")});
  }
  print(table.text());
  return {};
}

Outcome<void> export_one(const Client& client, const Options& options) {
  const auto answer = parse(client.get("/workbooks/" + percent_encode(options.name)));
  if (!answer) return std::unexpected(answer.error());
  const std::string text = pretty(answer->at("document"));
  if (options.output.empty()) {
    print(text);
    return {};
  }
  const auto written = replace_file(options.output, as_bytes(text));
  if (!written)
    return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", options.output, describe(written.error()))});
  return {};
}

Outcome<void> remove(const Client& client, const Options& options) {
  const auto answer = client.remove("/workbooks/" + percent_encode(options.name));
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

void add_workbooks(CLI::App& app, const OnClient& on_client, const bool& as_json) {
  static Options options;
  auto* group =
      app.add_subcommand("workbook", "pages of queries: Azure Workbook JSON, imported and shown in the portal");
  group->require_subcommand(1);
  on_client(group->add_subcommand("list", "list them"),
            [&as_json](const Client& client) { return list(client, as_json); });
  auto* import = group->add_subcommand("import", "add workbooks, or replace those of the same name");
  import->add_option("FILE", options.paths, "workbook JSON, a workbook resource, or an ARM template")->required();
  import->add_option("--name", options.name, "of a workbook whose file has no name; else the file's");
  on_client(import, [&as_json](const Client& client) { return import_files(client, options, as_json); });
  auto* check = group->add_subcommand("check", "tell what of a file would not run or not be shown; keeps nothing");
  check->add_option("FILE", options.paths)->required();
  on_client(check, [&as_json](const Client& client) { return check_files(client, options, as_json); });
  auto* get = group->add_subcommand("export", "print a workbook as JSON");
  get->add_option("NAME", options.name)->required();
  get->add_option("--output", options.output, "a file, in place of standard output");
  on_client(get, [](const Client& client) { return export_one(client, options); });
  auto* remove_command = group->add_subcommand("remove", "take a workbook of one's own away");
  remove_command->add_option("NAME", options.name)->required();
  on_client(remove_command, [](const Client& client) { return remove(client, options); });
}

}  // namespace picket::cli
