#include "hub_commands.h"

#include <cstdio>
#include <iostream>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"

namespace picket::cli {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string path_of(const std::string& hub, std::string_view rest = {}) {
  return "/hubs/" + percent_encode(hub) + std::string(rest);
}

std::string policy_path(const std::string& hub, const std::string& policy, std::string_view rest = {}) {
  return path_of(hub, "/policies/") + percent_encode(policy) + std::string(rest);
}

std::string certificate_path(const std::string& hub, const std::string& certificate, std::string_view rest = {}) {
  return path_of(hub, "/certificates/") + percent_encode(certificate) + std::string(rest);
}

Outcome<std::string> read_text(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  const auto text = read_file(file, kFileBytesMax);
  if (!text) return std::unexpected(Failure{Exit::failed, fmt::format("{}: {}", file, describe(text.error()))});
  return *text;
}

boost::json::object body_of(const HubSize& size) {
  boost::json::object out;
  if (!size.location.empty()) out["location"] = size.location;
  if (!size.tier.empty()) out["tier"] = size.tier;
  if (size.units != 0) out["units"] = size.units;
  return out;
}

Outcome<void> print_hub(const Outcome<boost::json::value>& hub, bool json) {
  if (!hub) return std::unexpected(hub.error());
  if (json) {
    print(pretty(*hub));
    return {};
  }
  const std::pair<const char*, const char*> lines[] = {
      {"Hub", "name"},    {"Location", "location"},      {"Tier", "tier"},
      {"Units", "units"}, {"Resource id", "resourceId"}, {"Created", "created"}};
  for (const auto& [label, name] : lines) print(fmt::format("{:<12} {}\n", label, printable(member(*hub, name))));
  print("Settings\n" + pretty(hub->as_object().at("settings")));
  return {};
}

void print_code(const boost::json::value& certificate) {
  print(fmt::format(
      "Verification code: {}\nSign a certificate whose common name is this code with the key of the CA, then:\n\n"
      "  picket hub certificate verify HUB {} FILE\n",
      printable(member(certificate, "verificationCode")), printable(member(certificate, "name"))));
}

Outcome<void> done(const Outcome<std::string>& answer, const std::string& words) {
  if (!answer) return std::unexpected(answer.error());
  print(words);
  return {};
}

}  // namespace

Outcome<void> hub_list(const Client& client, bool json) {
  const auto answer = parse(client.get("/hubs"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"HUB", "LOCATION", "TIER", "UNITS", "SECURITY", "CREATED"}, 48);
  for (const auto& hub : items_of(*answer)) {
    table.add({member(hub, "name"), member(hub, "location"), member(hub, "tier"), member(hub, "units"),
               member(hub.as_object().at("settings"), "security"), member(hub, "created")});
  }
  print(table.text());
  return {};
}

Outcome<void> hub_create(const Client& client, const std::string& name, const HubSize& size, bool json) {
  auto body = body_of(size);
  body["name"] = name;
  return print_hub(parse(client.post("/hubs", boost::json::serialize(body))), json);
}

Outcome<void> hub_show(const Client& client, const std::string& name, bool json) {
  return print_hub(parse(client.get(path_of(name))), json);
}

Outcome<void> hub_resize(const Client& client, const std::string& name, const HubSize& size, bool json) {
  return print_hub(parse(client.patch(path_of(name), boost::json::serialize(body_of(size)))), json);
}

Outcome<void> hub_remove(const Client& client, const std::string& name) {
  return done(client.remove(path_of(name)), fmt::format("Removed {}.\n", printable(name)));
}

Outcome<void> hub_settings(const Client& client, const std::string& name, const std::string& file) {
  Outcome<boost::json::value> settings;
  if (file.empty()) {
    settings = parse(client.get(path_of(name, "/settings")));
  } else {
    const auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    settings = parse(client.put(path_of(name, "/settings"), *text));
  }
  if (!settings) return std::unexpected(settings.error());
  print(pretty(*settings));
  return {};
}

Outcome<void> hub_policy_list(const Client& client, const std::string& name, bool json) {
  const auto answer = parse(client.get(path_of(name, "/policies")));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"POLICY", "RIGHTS"}, 80);
  for (const auto& policy : items_of(*answer)) table.add({member(policy, "name"), member(policy, "rights")});
  print(table.text());
  return {};
}

Outcome<void> hub_policy_add(const Client& client, const std::string& name, const std::string& policy,
                             const std::string& rights) {
  const boost::json::object body{{"name", policy}, {"rights", rights}};
  return done(client.post(path_of(name, "/policies"), boost::json::serialize(body)),
              fmt::format("Added {}. See: picket hub policy show {} {}\n", printable(policy), printable(name),
                          printable(policy)));
}

Outcome<void> hub_policy_show(const Client& client, const std::string& name, const std::string& policy, bool json) {
  const auto answer = parse(client.get(policy_path(name, policy, "/connection-string")));
  if (!answer) return std::unexpected(answer.error());
  print(json ? pretty(*answer) : member(*answer, "connectionString") + "\n");
  return {};
}

Outcome<void> hub_policy_rotate(const Client& client, const std::string& name, const std::string& policy,
                                const std::string& key) {
  return done(
      client.post(policy_path(name, policy, "/rotate"), boost::json::serialize(boost::json::object{{"key", key}})),
      fmt::format("The {} key of {} is new.\n", key, printable(policy)));
}

Outcome<void> hub_policy_remove(const Client& client, const std::string& name, const std::string& policy) {
  return done(client.remove(policy_path(name, policy)), fmt::format("Removed {}.\n", printable(policy)));
}

Outcome<void> hub_certificate_list(const Client& client, const std::string& name, bool json) {
  const auto answer = parse(client.get(path_of(name, "/certificates")));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"CERTIFICATE", "SUBJECT", "VERIFIED", "ENDS", "SHA-1 THUMBPRINT"}, 48);
  for (const auto& one : items_of(*answer)) {
    table.add({member(one, "name"), member(one, "subject"), member(one, "verified"), member(one, "notAfter"),
               member(one, "sha1Thumbprint")});
  }
  print(table.text());
  return {};
}

Outcome<void> hub_certificate_add(const Client& client, const std::string& name, const std::string& certificate,
                                  const std::string& file, bool json) {
  const auto pem = read_text(file);
  if (!pem) return std::unexpected(pem.error());
  const boost::json::object body{{"name", certificate}, {"certificate", *pem}};
  const auto answer = parse(client.post(path_of(name, "/certificates"), boost::json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
  } else {
    print_code(*answer);
  }
  return {};
}

Outcome<void> hub_certificate_code(const Client& client, const std::string& name, const std::string& certificate) {
  const auto answer = parse(client.post(certificate_path(name, certificate, "/code"), "{}"));
  if (!answer) return std::unexpected(answer.error());
  print_code(*answer);
  return {};
}

Outcome<void> hub_certificate_verify(const Client& client, const std::string& name, const std::string& certificate,
                                     const std::string& file) {
  const auto pem = read_text(file);
  if (!pem) return std::unexpected(pem.error());
  return done(
      client.post(certificate_path(name, certificate, "/verify"),
                  boost::json::serialize(boost::json::object{{"certificate", *pem}})),
      fmt::format("{} is proven: devices with certificates that it signed can connect.\n", printable(certificate)));
}

Outcome<void> hub_certificate_remove(const Client& client, const std::string& name, const std::string& certificate) {
  return done(client.remove(certificate_path(name, certificate)), fmt::format("Removed {}.\n", printable(certificate)));
}

}  // namespace picket::cli
