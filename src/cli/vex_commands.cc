// `picket vuln vex …`: statements in force, and what is known as statements for others.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "output.h"
#include "vulnerability_files.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

Outcome<void> done(const Outcome<std::string>& answer, const std::string& text) {
  if (!answer) return std::unexpected(answer.error());
  print(text);
  return {};
}

Outcome<void> list(const Client& client, bool json) {
  const auto value = parse(client.get("/vex"));
  if (!value) return std::unexpected(value.error());
  if (json) {
    print(pretty(*value));
    return {};
  }
  Table table({"NAME", "AUTHOR", "STATEMENTS"});
  for (const auto& item : items_of(*value)) {
    table.add({member(item, "name"), member(item, "author"), member(item, "statements")});
  }
  print(items_of(*value).empty() ? "No statements are there.\n" : table.text());
  return {};
}

struct Export {
  std::string format = "openvex", device, group, vulnerability;
  bool all = false, stated = false;
};

std::string path_of(const Export& wanted) {
  std::string out = "/vulnerability-statements?format=" + wanted.format;
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("&{}={}", name, percent_encode(value));
  };
  add("device", wanted.device);
  add("group", wanted.group);
  add("vulnerability", wanted.vulnerability);
  if (wanted.all) out += "&all=true";
  if (wanted.stated) out += "&stated=true";
  return out;
}

}  // namespace

void add_statements(CLI::App& vuln, const OnClient& on_client, const OnLocal& on_local, const bool& json) {
  static std::string name, file;
  static Export wanted;
  (void)on_local;
  auto* vex = vuln.add_subcommand("vex", "what you know better than any feed, and what is known for others");
  vex->require_subcommand(1);
  on_client(vex->add_subcommand("list", "documents in force"),
            [&json](const Client& client) { return list(client, json); });
  auto* show = vex->add_subcommand("show", "a document in force as it was given, to standard output");
  show->add_option("NAME", name, "the document")->required();
  on_client(show, [](const Client& client) {
    const auto answer = client.get("/vex/" + percent_encode(name));
    return done(answer, answer ? *answer + "\n" : "");
  });
  auto* set = vex->add_subcommand("set", "a document in place of the one of its name");
  set->add_option("NAME", name, "what it is called here")->required();
  set->add_option("FILE", file, "OpenVEX, CycloneDX with an analysis, or CSAF; at most 8 MiB")->required();
  on_client(set, [](const Client& client) -> Outcome<void> {
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    const auto answer = parse(client.put("/vex/" + percent_encode(name), *text));
    if (!answer) return std::unexpected(Failure{answer.error().exit, fmt::format("{}: {}", file, answer.error().text)});
    print(fmt::format("{} statements are in force.\n", member(*answer, "statements")));
    return {};
  });
  auto* forget = vex->add_subcommand("remove", "a document");
  forget->add_option("NAME", name, "the document")->required();
  on_client(forget, [](const Client& client) {
    return done(client.remove("/vex/" + percent_encode(name)), "The statements are gone.\n");
  });
  auto* give = vex->add_subcommand("export", "findings and statements as a document, to standard output");
  give->add_option("--format", wanted.format, "openvex (0.2), cyclonedx (1.6) or csaf (2.0)")
      ->check(CLI::IsMember({"openvex", "cyclonedx", "csaf"}))
      ->capture_default_str();
  auto* device = give->add_option("--device", wanted.device, "only of this device");
  give->add_option("--group", wanted.group, "only of this device security group")->excludes(device);
  give->add_option("--vulnerability", wanted.vulnerability, "only about this one, e.g. CVE-2024-3094");
  give->add_flag("--all", wanted.all, "also what is fixed, not affected or unknown");
  give->add_flag("--stated", wanted.stated, "only what statements in force decided");
  on_client(give, [](const Client& client) {
    const auto answer = client.get(path_of(wanted));
    return done(answer, answer ? *answer + "\n" : "");
  });
}

}  // namespace picket::cli
