#include "hub_options.h"

#include <CLI/CLI.hpp>

#include "hub_commands.h"

namespace picket::cli {
namespace {

// What options are read into; one program run reads them once.
struct Words {
  std::string hub, policy, rights = "ServiceConnect", key, certificate, file;
  HubSize size;
};
Words& words() {
  static Words all;
  return all;
}

void add_size(CLI::App* command) {
  auto& w = words();
  command->add_option("--location", w.size.location, "where it is, in a word of yours");
  command->add_option("--tier", w.size.tier, "none, or the rate limits of F1, S1, S2 or S3");
  command->add_option("--units", w.size.units, "1 to 200")->check(CLI::Range(1, 200));
}

CLI::App* command_of_hub(CLI::App* parent, const char* name, const char* help) {
  auto* command = parent->add_subcommand(name, help);
  command->add_option("HUB", words().hub, "name of the hub")->required();
  return command;
}

void add_hubs(CLI::App* hub, const OnClient& on_client, const bool& json) {
  auto& w = words();
  on_client(hub->add_subcommand("list", "list hubs"), [&json](const Client& client) { return hub_list(client, json); });
  auto* create = command_of_hub(hub, "create", "make a hub");
  add_size(create);
  on_client(create, [&](const Client& client) { return hub_create(client, w.hub, w.size, json); });
  on_client(command_of_hub(hub, "show", "show one hub"),
            [&](const Client& client) { return hub_show(client, w.hub, json); });
  auto* resize = command_of_hub(hub, "resize", "change location, tier or units");
  add_size(resize);
  on_client(resize, [&](const Client& client) { return hub_resize(client, w.hub, w.size, json); });
  on_client(command_of_hub(hub, "remove", "remove a hub that has no devices"),
            [&](const Client& client) { return hub_remove(client, w.hub); });
  auto* settings = command_of_hub(hub, "settings", "print the settings document, or replace it");
  settings->add_option("--set", w.file, "file with the new document; - reads it from standard input");
  on_client(settings, [&](const Client& client) { return hub_settings(client, w.hub, w.file); });
}

void add_policies(CLI::App* hub, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* policy = hub->add_subcommand("policy", "shared access policies");
  policy->require_subcommand(1);
  const auto named = [&](const char* name, const char* help) {
    auto* command = command_of_hub(policy, name, help);
    command->add_option("POLICY", w.policy, "name of the policy")->required();
    return command;
  };
  on_client(command_of_hub(policy, "list", "list policies and their rights"),
            [&](const Client& client) { return hub_policy_list(client, w.hub, json); });
  auto* add = named("add", "make a policy with two keys");
  add->add_option("--rights", w.rights, "of RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect, with commas")
      ->capture_default_str();
  on_client(add, [&](const Client& client) { return hub_policy_add(client, w.hub, w.policy, w.rights); });
  on_client(named("show", "print the connection string (a secret; recorded in the audit record)"),
            [&](const Client& client) { return hub_policy_show(client, w.hub, w.policy, json); });
  auto* rotate = named("rotate", "replace a key; the old one opens nothing any more");
  rotate->add_option("--key", w.key, "primary or secondary")
      ->required()
      ->check(CLI::IsMember({"primary", "secondary"}));
  on_client(rotate, [&](const Client& client) { return hub_policy_rotate(client, w.hub, w.policy, w.key); });
  on_client(named("remove", "remove a policy"),
            [&](const Client& client) { return hub_policy_remove(client, w.hub, w.policy); });
}

void add_certificates(CLI::App* hub, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* certificate = hub->add_subcommand("certificate", "CA certificates that vouch for devices");
  certificate->require_subcommand(1);
  const auto named = [&](const char* name, const char* help, bool with_file) {
    auto* command = command_of_hub(certificate, name, help);
    command->add_option("NAME", w.certificate, "name of the certificate")->required();
    if (with_file) command->add_option("FILE", w.file, "PEM; - reads it from standard input")->required();
    return command;
  };
  on_client(command_of_hub(certificate, "list", "list certificates"),
            [&](const Client& client) { return hub_certificate_list(client, w.hub, json); });
  on_client(named("add", "add a CA certificate and print its verification code", true),
            [&](const Client& client) { return hub_certificate_add(client, w.hub, w.certificate, w.file, json); });
  on_client(named("code", "print a new verification code", false),
            [&](const Client& client) { return hub_certificate_code(client, w.hub, w.certificate); });
  on_client(named("verify", "prove possession of the CA's key", true),
            [&](const Client& client) { return hub_certificate_verify(client, w.hub, w.certificate, w.file); });
  on_client(named("remove", "remove a certificate; its devices cannot connect any more", false),
            [&](const Client& client) { return hub_certificate_remove(client, w.hub, w.certificate); });
}

}  // namespace

void add_hub(CLI::App& app, const OnClient& on_client, const bool& json) {
  auto* hub = app.add_subcommand("hub", "hubs, their settings, policies and CA certificates");
  hub->require_subcommand(1);
  add_hubs(hub, on_client, json);
  add_policies(hub, on_client, json);
  add_certificates(hub, on_client, json);
}

}  // namespace picket::cli
