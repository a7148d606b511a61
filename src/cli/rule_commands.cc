#include "rule_commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"
#include "pipeline/rules.h"

namespace picket::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;
constexpr std::string_view kExamples = "examples.jsonl";

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool is_rule_file(const fs::path& path) { return path.extension() == ".yml" || path.extension() == ".yaml"; }

/// All files of rules at or below the paths, in order.
Outcome<std::vector<fs::path>> rule_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> out;
  for (const std::string& text : paths) {
    std::error_code failed;
    if (fs::is_directory(text, failed)) {
      for (const auto& entry : fs::recursive_directory_iterator(text, failed)) {
        if (entry.is_regular_file() && is_rule_file(entry.path())) out.push_back(entry.path());
      }
    } else if (fs::exists(text, failed)) {
      out.emplace_back(text);
    } else {
      return std::unexpected(Failure{Exit::usage, fmt::format("{} is not there", text)});
    }
    if (failed) return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", text, failed.message())});
  }
  std::ranges::sort(out);
  return out;
}

Outcome<std::string> read(const fs::path& path) {
  auto text = read_file(path.string(), kFileBytesMax);
  if (!text)
    return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", path.string(), describe(text.error()))});
  return *text;
}

/// Name under which the server keeps a file: its own, with that of its folder where all are called alike.
std::string stored_name(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == "rule.yml" ? path.parent_path().filename().string() + "/" + name : name;
}

std::string text_of(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

void print_list(std::string_view head, const boost::json::value& item, const char* name) {
  for (const auto& entry : items_of(item, name)) print(fmt::format("{}{}\n", head, printable(text_of(entry))));
}

std::int64_t load_of(const boost::json::value& rule, std::string_view name) {
  const auto* object = rule.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains("load");
  const auto* load = found == nullptr ? nullptr : found->if_object();
  const auto* number = load == nullptr ? nullptr : load->if_contains(name);
  return number == nullptr || !number->is_number() ? 0 : number->to_number<std::int64_t>();
}

}  // namespace

Outcome<void> rule_list(const Client& client, const RuleListOptions& options, bool json) {
  const auto answer = parse(client.get("/rules"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  Table table(options.load
                  ? std::vector<std::string>{"CPU MS", "LOOKED AT", "MATCHES", "THROTTLED", "ON", "TITLE", "ID"}
                  : std::vector<std::string>{"LEVEL", "ON", "ALERT", "TITLE", "LOG SOURCE", "FILE", "ID"},
              60);
  std::vector<const boost::json::value*> rules;
  const std::string wanted = lower(options.text);
  for (const auto& item : items_of(*answer)) {
    const bool own = member(item, "own") == "true";
    if ((options.own && !own) || (options.added && own)) continue;
    const std::string all = lower(member(item, "title") + "\n" + member(item, "id") + "\n" + member(item, "alertType"));
    if (all.find(wanted) == std::string::npos) continue;
    rules.push_back(&item);
  }
  if (options.load) {
    // Of the same cost in the order of their ids.
    std::ranges::sort(rules, std::ranges::greater(), [](const auto* rule) {
      return std::pair(load_of(*rule, "cpuMicroseconds"), member(*rule, "id"));
    });
  }
  for (const auto* rule : rules) {
    const auto& item = *rule;
    if (options.load) {
      table.add({fmt::format("{:.1f}", static_cast<double>(load_of(item, "cpuMicroseconds")) / 1000),
                 std::to_string(load_of(item, "lookedAt")), std::to_string(load_of(item, "matches")),
                 std::to_string(load_of(item, "throttled")), member(item, "enabled") == "true" ? "yes" : "no",
                 member(item, "title"), member(item, "id")});
      continue;
    }
    table.add({member(item, "level"), member(item, "enabled") == "true" ? "yes" : "no", member(item, "alertType"),
               member(item, "title"), member(item, "logSource"), member(item, "file"), member(item, "id")});
  }
  print(rules.empty() ? "No such rule.\n" : table.text());
  for (const auto& complaint : items_of(*answer, "complaints")) {
    std::fputs(fmt::format("not used: {}\n", printable(text_of(complaint))).c_str(), stderr);
  }
  return {};
}

Outcome<void> rule_explain(const Client& client, const std::string& id, bool json) {
  const auto rule = parse(client.get("/rules/" + percent_encode(id)));
  if (!rule) return std::unexpected(rule.error());
  if (json) {
    print(pretty(*rule));
    return {};
  }
  for (const auto& [label, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"Title", "title"},
                                                                  {"Id", "id"},
                                                                  {"Kind", "kind"},
                                                                  {"Level", "level"},
                                                                  {"Alert", "alertType"},
                                                                  {"On", "enabled"},
                                                                  {"Log source", "logSource"},
                                                                  {"File", "file"},
                                                                  {"Line", "line"},
                                                                  {"Author", "author"},
                                                                  {"License", "license"}}) {
    const std::string value = member(*rule, name);
    if (!value.empty() && value != "0") print(fmt::format("{:<12}{}\n", label, value));
  }
  print(fmt::format("{:<12}{} matches of {} looked at, {} throttled, {:.1f} ms of CPU since the server started\n",
                    "Load", load_of(*rule, "matches"), load_of(*rule, "lookedAt"), load_of(*rule, "throttled"),
                    static_cast<double>(load_of(*rule, "cpuMicroseconds")) / 1000));
  print("\n" + member(*rule, "description") + "\n");
  print_list("  false positive: ", *rule, "falsePositives");
  print_list("  tag: ", *rule, "tags");
  print_list("  filter: ", *rule, "filters");
  print_list("  reference: ", *rule, "references");
  return {};
}

Outcome<void> rule_switch(const Client& client, const std::string& id, bool enabled) {
  const auto answer =
      client.patch("/rules/" + percent_encode(id), boost::json::serialize(boost::json::object{{"enabled", enabled}}));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("{} is {}.\n", printable(id), enabled ? "on" : "off"));
  return {};
}

Outcome<void> rule_import(const Client& client, const std::vector<std::string>& paths) {
  const auto files = rule_files(paths);
  if (!files) return std::unexpected(files.error());
  std::size_t documents = 0;
  std::size_t refused = 0;
  std::size_t done = 0;
  for (const fs::path& path : *files) {
    const auto text = read(path);
    if (!text) return std::unexpected(text.error());
    const auto answer = client.put("/rule-files/" + percent_encode(stored_name(path)), *text);
    if (!answer) {
      // One bad file is no reason to leave out the rest; a server that is away is.
      if (answer.error().exit != Exit::failed) return std::unexpected(answer.error());
      ++refused;
      std::fputs(fmt::format("{}: {}\n", path.string(), printable_lines(answer.error().text)).c_str(), stderr);
      continue;
    }
    const auto value = boost::json::parse(*answer);
    documents += static_cast<std::size_t>(std::stoull("0" + member(value, "documents")));
    for (const auto& complaint : items_of(value, "complaints")) {
      std::fputs(fmt::format("not used: {}\n", printable(text_of(complaint))).c_str(), stderr);
    }
    if (++done % 100 == 0) std::fputs(fmt::format("{} of {} files\n", done, files->size()).c_str(), stderr);
  }
  print(fmt::format("{} rules of {} files are in force; {} files were refused.\n", documents, done, refused));
  if (refused > 0) return std::unexpected(Failure{Exit::failed, fmt::format("{} files were refused", refused)});
  return {};
}

Outcome<void> rule_remove(const Client& client, const std::string& name) {
  const auto answer = client.remove("/rule-files/" + percent_encode(name));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("The rules of {} are gone.\n", printable(name)));
  return {};
}

Outcome<void> rule_test(const std::vector<std::string>& paths) {
  const auto files = rule_files(paths);
  if (!files) return std::unexpected(files.error());
  std::size_t wrong = 0;
  std::size_t examples = 0;
  std::size_t documents = 0;
  for (const fs::path& path : *files) {
    const auto text = read(path);
    if (!text) return std::unexpected(text.error());
    const pipeline::RuleText rules{path.string(), *text};
    const auto check = pipeline::check_rules(rules);
    documents += check.documents;
    for (const std::string& complaint : check.complaints) print(complaint + "\n");
    wrong += check.complaints.size();
    const fs::path beside = path.parent_path() / kExamples;
    if (!fs::exists(beside)) continue;
    const auto lines = read(beside);
    if (!lines) return std::unexpected(lines.error());
    for (const pipeline::ExampleResult& result : pipeline::try_examples(rules, *lines)) {
      ++examples;
      if (result.problem.empty() && result.matched == result.expected) continue;
      ++wrong;
      print(fmt::format("{} line {}: {}{}\n", beside.string(), result.line,
                        !result.problem.empty() ? result.problem
                        : result.matched        ? "matches, and should not"
                                                : "does not match, and should",
                        result.note.empty() ? "" : " (" + result.note + ")"));
    }
  }
  print(fmt::format("{} rules, {} examples, {} wrong.\n", documents, examples, wrong));
  if (wrong > 0) return std::unexpected(Failure{Exit::failed, fmt::format("{} wrong", wrong)});
  return {};
}

void add_rules(CLI::App& app, const OnClient& on_client, const OnLocal& on_local, const bool& json) {
  static RuleListOptions options;
  static std::string id;
  static std::vector<std::string> paths;
  auto* rule = app.add_subcommand("rule", "Sigma rules: what is in force, your own, and trying them");
  rule->require_subcommand(1);
  auto* list = rule->add_subcommand("list", "list rules");
  list->add_option("TEXT", options.text, "only rules whose title, id or alert contains this");
  list->add_flag("--own", options.own, "only rules of this program");
  list->add_flag("--added", options.added, "only rules that were imported");
  list->add_flag("--load", options.load, "what each rule matched and cost since the server started, the dearest first");
  on_client(list, [&](const Client& client) { return rule_list(client, options, json); });
  auto* explain = rule->add_subcommand("explain", "what a rule looks for, and who wrote it");
  explain->add_option("ID", id, "id of the rule")->required();
  on_client(explain, [&](const Client& client) { return rule_explain(client, id, json); });
  for (const bool enabled : {true, false}) {
    auto* command =
        rule->add_subcommand(enabled ? "enable" : "disable", enabled ? "switch a rule on" : "switch a rule off");
    command->add_option("ID", id, "id of the rule")->required();
    on_client(command, [enabled](const Client& client) { return rule_switch(client, id, enabled); });
  }
  auto* import =
      rule->add_subcommand("import", "add Sigma rules, from files or folders; of one name the new replaces the old");
  import->add_option("PATH", paths, "files or folders")->required();
  on_client(import, [](const Client& client) { return rule_import(client, paths); });
  auto* remove = rule->add_subcommand("remove", "take an imported file away");
  remove->add_option("FILE", id, "its name, as `rule list` shows it")->required();
  on_client(remove, [](const Client& client) { return rule_remove(client, id); });
  auto* test = rule->add_subcommand("test", "check rules and run them over their examples.jsonl; needs no server");
  test->add_option("PATH", paths, "files or folders")->required();
  on_local(test, [] { return rule_test(paths); });
}

}  // namespace picket::cli
