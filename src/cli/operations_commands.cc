#include "operations_commands.h"

#include <cstdio>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"

namespace picket::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kFileBytesMax = 8U << 20;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string hub_path(const std::string& hub, std::string_view rest) {
  return "/hubs/" + percent_encode(hub) + std::string(rest);
}
std::string group_path(const std::string& name) { return "/security-groups/" + percent_encode(name); }

Outcome<std::string> read_text(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  const auto text = read_file(file, kFileBytesMax);
  if (!text) return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", file, describe(text.error()))});
  return *text;
}

Outcome<void> say(const Outcome<std::string>& answer, const std::string& words) {
  if (!answer) return std::unexpected(answer.error());
  print(words);
  return {};
}

Outcome<void> show(const Outcome<json::value>& answer) {
  if (!answer) return std::unexpected(answer.error());
  print(pretty(*answer));
  return {};
}

/// Reads a document, lets `change` alter the list in it, and writes it back. `change` says what is wrong, or nothing.
template <class Change>
Outcome<void> change_list(const Client& client, const std::string& path, const char* list, Change change,
                          const std::string& words) {
  auto document = parse(client.get(path));
  if (!document) return std::unexpected(document.error());
  auto& entries = document->as_object()[list];
  if (!entries.is_array()) entries = json::array();
  if (const std::string wrong = change(entries.as_array()); !wrong.empty())
    return std::unexpected(Failure{Exit::failed, wrong});
  return say(client.put(path, json::serialize(*document)), words);
}

std::size_t erase_named(json::array& entries, const std::string& name) {
  std::size_t gone = 0;
  for (auto at = entries.begin(); at != entries.end();) {
    if (member(*at, "name") == name) {
      at = entries.erase(at);
      ++gone;
    } else {
      ++at;
    }
  }
  return gone;
}

std::string joined(const json::value& object, const char* name) {
  std::string out;
  for (const auto& one : items_of(object, name)) out += (out.empty() ? "" : ", ") + cell(one);
  return out;
}

}  // namespace

Outcome<void> diagnostics_export(const Client& client, const std::string& hub, const DiagnosticExport& options) {
  std::string path = hub_path(hub, "/diagnostics?timespan=") + percent_encode(options.timespan);
  path += fmt::format("&limit={}", options.limit);
  if (!options.category.empty()) path += "&category=" + percent_encode(options.category);
  const auto lines = client.get(path);
  return say(lines, lines.value_or(""));
}

Outcome<void> diagnostics_list(const Client& client, const std::string& hub, bool as_json) {
  const auto settings = parse(client.get(hub_path(hub, "/settings")));
  if (!settings) return std::unexpected(settings.error());
  const auto& items = items_of(*settings, "diagnosticSettings");
  if (as_json) {
    print(pretty(items));
    return {};
  }
  Table table({"SETTING", "SINKS", "CATEGORIES"}, 100);
  for (const auto& item : items) table.add({member(item, "name"), joined(item, "sinks"), joined(item, "categories")});
  print(table.text());
  return {};
}

Outcome<void> diagnostics_set(const Client& client, const std::string& hub, const std::string& name,
                              const std::vector<std::string>& categories) {
  return change_list(
      client, hub_path(hub, "/settings"), "diagnosticSettings",
      [&](json::array& entries) {
        erase_named(entries, name);
        json::array names;
        for (const auto& category : categories) names.emplace_back(category);
        entries.push_back(
            json::object{{"name", name}, {"categories", std::move(names)}, {"sinks", json::array{"storage"}}});
        return std::string();
      },
      fmt::format("{} sends to the storage of the server.\n", printable(name)));
}

Outcome<void> diagnostics_remove(const Client& client, const std::string& hub, const std::string& name) {
  return change_list(
      client, hub_path(hub, "/settings"), "diagnosticSettings",
      [&](json::array& entries) {
        return erase_named(entries, name) == 0 ? "there is no setting " + name : std::string();
      },
      fmt::format("Removed {}.\n", printable(name)));
}

Outcome<void> certificate_revoke(const Client& client, const std::string& hub, const Revocation& which) {
  json::object body;
  if (!which.file.empty()) {
    const auto pem = read_text(which.file);
    if (!pem) return std::unexpected(pem.error());
    body["certificate"] = *pem;
  }
  if (!which.authority.empty()) body["authority"] = which.authority;
  if (!which.thumbprint.empty()) body["thumbprint"] = which.thumbprint;
  if (!which.name.empty()) body["name"] = which.name;
  if (!which.reason.empty()) body["reason"] = which.reason;
  const auto answer = parse(client.post(hub_path(hub, "/revocations"), json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("Revoked {}. Connections that it opened end now.\n", printable(member(*answer, "thumbprint"))));
  return {};
}

Outcome<void> certificate_revoked(const Client& client, const std::string& hub, bool as_json) {
  const auto answer = parse(client.get(hub_path(hub, "/revocations")));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"THUMBPRINT", "NAME", "REVOKED", "REASON"}, 70);
  for (const auto& item : items_of(*answer)) {
    table.add({member(item, "thumbprint"), member(item, "name"), member(item, "revoked"), member(item, "reason")});
  }
  print(table.text());
  return {};
}

Outcome<void> certificate_restore(const Client& client, const std::string& hub, const std::string& thumbprint) {
  return say(client.remove(hub_path(hub, "/revocations/") + percent_encode(thumbprint)),
             fmt::format("{} counts again.\n", printable(thumbprint)));
}

Outcome<void> intelligence_import(const Client& client, const std::string& table, const std::string& file) {
  const auto csv = read_text(file);
  if (!csv) return std::unexpected(csv.error());
  if (csv->empty()) return std::unexpected(Failure{Exit::failed, fmt::format("{} is empty", file)});
  const auto answer = parse(client.put("/intelligence/" + percent_encode(table), *csv));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("{} networks are in force, version {}.\n", member(*answer, "entries"), member(*answer, "version")));
  return {};
}

Outcome<void> intelligence_list(const Client& client, bool as_json) {
  const auto answer = parse(client.get("/intelligence"));
  if (!answer) return std::unexpected(answer.error());
  if (as_json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"TABLE", "VERSION", "ENTRIES", "SET", "BY"}, 48);
  for (const auto& item : items_of(*answer)) {
    table.add({member(item, "name"), member(item, "version"), member(item, "entries"), member(item, "set"),
               member(item, "actor")});
  }
  print(table.text());
  return {};
}

Outcome<void> group_list(const Client& client, bool as_json) {
  const auto answer = parse(client.get("/security-groups"));
  if (!answer) return std::unexpected(answer.error());
  const auto& groups = items_of(*answer, "value");
  if (as_json) {
    print(pretty(groups));
    return {};
  }
  Table table({"SECURITY GROUP", "RULES ON"}, 100);
  for (const auto& group : groups) {
    std::size_t on = 0;
    const auto* properties = group.as_object().if_contains("properties");
    for (const char* list : {"timeWindowRules", "allowlistRules", "thresholdRules", "denylistRules"}) {
      if (properties == nullptr) continue;
      for (const auto& rule : items_of(*properties, list)) on += member(rule, "isEnabled") == "true" ? 1U : 0U;
    }
    table.add({member(group, "name"), std::to_string(on)});
  }
  print(table.text());
  return {};
}

Outcome<void> group_show(const Client& client, const std::string& name) {
  return show(parse(client.get(group_path(name))));
}

Outcome<void> group_set(const Client& client, const std::string& name, const std::string& file) {
  const auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  return show(parse(client.put(group_path(name), *text)));
}

Outcome<void> group_remove(const Client& client, const std::string& name) {
  return say(client.remove(group_path(name)), fmt::format("Removed {}.\n", printable(name)));
}

Outcome<void> routing(const Client& client, const std::string& hub, const std::string& file) {
  if (file.empty()) return show(parse(client.get(hub_path(hub, "/routing"))));
  const auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  return show(parse(client.put(hub_path(hub, "/routing"), *text)));
}

Outcome<void> routing_test(const Client& client, const std::string& hub, const std::string& file) {
  const auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  return show(parse(client.post(hub_path(hub, "/routing/test"), *text)));
}

Outcome<void> route_list(const Client& client, const std::string& hub, bool as_json) {
  const auto document = parse(client.get(hub_path(hub, "/routing")));
  if (!document) return std::unexpected(document.error());
  const auto& routes = items_of(*document, "routes");
  if (as_json) {
    print(pretty(routes));
    return {};
  }
  Table table({"ROUTE", "SOURCE", "ENDPOINT", "ON", "CONDITION"}, 60);
  for (const auto& route : routes) {
    table.add({member(route, "name"), member(route, "source"), joined(route, "endpointNames"),
               member(route, "isEnabled"), member(route, "condition")});
  }
  print(table.text());
  return {};
}

Outcome<void> route_set(const Client& client, const std::string& hub, const std::string& file) {
  const auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  boost::system::error_code failed;
  const auto route = json::parse(*text, failed);
  const std::string name = failed ? std::string() : member(route, "name");
  if (name.empty()) return std::unexpected(Failure{Exit::failed, fmt::format("{} is no route with a name", file)});
  return change_list(
      client, hub_path(hub, "/routing"), "routes",
      [&](json::array& entries) {
        erase_named(entries, name);
        entries.push_back(route);
        return std::string();
      },
      fmt::format("{} is in force.\n", printable(name)));
}

Outcome<void> route_remove(const Client& client, const std::string& hub, const std::string& name) {
  return change_list(
      client, hub_path(hub, "/routing"), "routes",
      [&](json::array& entries) {
        return erase_named(entries, name) == 0 ? "there is no route " + name : std::string();
      },
      fmt::format("Removed {}.\n", printable(name)));
}

}  // namespace picket::cli
