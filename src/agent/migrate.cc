#include "agent/migrate.h"

#include <algorithm>
#include <array>
#include <optional>

#include <unistd.h>

#include "agent/config.h"
#include "agent/connection_string.h"
#include "base/core/file.h"
#include "base/core/json_reader.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;
constexpr std::string_view kMicroFolders[] = {"etc/defender_iot_micro_agent", "var/defender_iot_micro_agent"};
constexpr std::string_view kMicroState[] = {"var/lib/defender_iot_micro_agent", "var/defender_iot_micro_agent"};
constexpr std::string_view kPamScript = "usr/libexec/defender_iot_micro_agent/pam/pam_audit.sh";
constexpr std::string_view kClassicFolder = "var/ASCIoTAgent";
/// Where distributions keep the public roots, which an IoT Hub's certificate is signed by.
constexpr std::string_view kPublicRoots[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                             "/etc/ssl/cert.pem"};

std::string join(const std::string& folder, std::string_view name) {
  return folder.ends_with('/') ? folder + std::string(name) : folder + "/" + std::string(name);
}

std::optional<std::string> content_of(const std::string& path) {
  auto text = read_file(path, kFileBytesMax);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n";
  const auto begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kWhite) - begin + 1));
}

bool known_setting(std::string_view key) {
  const auto table = setting_table();
  return std::ranges::find(table, key, &SettingInfo::key) != table.end();
}

/// The value of <add key="NAME" value="…"/>, or of NAME="…", in a .NET configuration file.
std::string xml_value(std::string_view text, std::string_view name) {
  for (const std::string& sign : {"key=\"" + std::string(name) + "\"", std::string(name) + "=\""}) {
    auto at = text.find(sign);
    if (at == std::string_view::npos) continue;
    at += sign.size();
    if (sign.starts_with("key=")) {
      const auto value = text.find("value=\"", at);
      if (value == std::string_view::npos || value > text.find('>', at)) continue;
      at = value + 7;
    }
    return std::string(text.substr(at, text.find('"', at) - at));
  }
  return {};
}

/// One reading of an old installation.
class Reader {
 public:
  Reader(const std::string& from, std::string to) : from_(from), to_(std::move(to)) {}

  Migration run() {
    for (const std::string_view folder : kMicroFolders) micro(join(from_, folder));
    micro(from_);
    for (const std::string_view folder : kMicroState) state(join(from_, folder));
    classic(join(from_, kClassicFolder));
    classic(from_);
    if (out_.found) finish();
    return std::move(out_);
  }

 private:
  void took(std::string what, std::string text) { note(true, std::move(what), std::move(text)); }
  void left(std::string what, std::string text) { note(false, std::move(what), std::move(text)); }
  void note(bool taken, std::string what, std::string text) {
    out_.found = true;
    out_.lines.push_back({taken, std::move(what), std::move(text)});
  }
  /// A line of the new settings, if this build has it.
  void set(const std::string& what, std::string_view key, const std::string& value) {
    if (!known_setting(key)) return left(what, "this build has no setting " + std::string(key));
    if (settings_.contains("\n" + std::string(key) + " = ")) return left(what, "set by another file already");
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return left(what, "the value has control characters");
    }
    std::string quoted;
    for (const char c : value) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    settings_ += std::string(key) + " = \"" + quoted + "\"\n";
    took(what, std::string(key));
  }
  void add_file(std::string_view name, std::string content) {
    out_.files.push_back({join(to_, name), std::move(content)});
  }

  void micro(const std::string& folder);
  void conf_json(const std::string& path, const std::string& text);
  void sysinfo(const std::string& path, const std::string& text);
  void identity(const std::string& path, const std::string& text);
  void certificate(const std::string& folder);
  void state(const std::string& folder);
  void classic(const std::string& folder);
  void classic_c(const std::string& path, const std::string& text);
  void classic_csharp(const std::string& folder, const std::string& text);
  void classic_identity(const std::string& what, const std::array<std::string, 5>& facts);
  void finish();

  std::string from_, to_;
  std::string settings_ = "\n";
  bool has_identity_ = false, has_certificate_ = false;
  Migration out_;
};

void Reader::micro(const std::string& folder) {
  if (const auto text = content_of(join(folder, "connection_string.txt"))) {
    identity(join(folder, "connection_string.txt"), trimmed(*text));
  }
  if (const auto text = content_of(join(folder, "conf.json"))) conf_json(join(folder, "conf.json"), *text);
  certificate(folder);
  if (const auto text = content_of(join(folder, "sysinfo.json"))) sysinfo(join(folder, "sysinfo.json"), *text);
}

void Reader::identity(const std::string& path, const std::string& text) {
  if (has_identity_) return left(path, "an identity was taken from another file already");
  const auto parsed = parse_connection_string(text);
  if (!parsed) return left(path, parsed.error());
  has_identity_ = true;
  add_file("connection", text + "\n");
  settings_ += "connection_string_file = \"" + join(to_, "connection") + "\"\n";
  took(path, "the identity of " + mqtt_client_id(*parsed) + ", in a file of mode 0600");
}

void Reader::certificate(const std::string& folder) {
  const auto certificate = content_of(join(folder, "certificate_public.pem"));
  const auto key = content_of(join(folder, "certificate_private.pem"));
  if (!certificate && !key) return;
  const std::string what = join(folder, "certificate_public.pem") + " and certificate_private.pem";
  if (!certificate || !key) return left(what, "one of them is missing");
  if (has_certificate_) return left(what, "a certificate was taken already");
  if (!known_setting("certificate_file") || !known_setting("key_file")) return left(what, "this build has no X.509");
  has_certificate_ = true;
  add_file("device.pem", *certificate);
  add_file("device.key", *key);
  settings_ +=
      "certificate_file = \"" + join(to_, "device.pem") + "\"\nkey_file = \"" + join(to_, "device.key") + "\"\n";
  took(what, "certificate_file and key_file, copies of mode 0600");
}

void Reader::conf_json(const std::string& path, const std::string& text) {
  const auto json = parse_json(text);
  if (!json || json->kind() != Json::Kind::object) return left(path, "is no JSON object");
  json->for_members([&](std::string_view name, Json value) {
    const std::string what = path + " " + std::string(name);
    const std::string word = value.text().value_or(std::string());
    if (name == "IothubModule_ProxyConfig") {
      if (word.empty()) return left(what, "is empty");
      return set(what, "uplink.proxy", word);
    }
    if (name != "IothubModule_TransportProtocol") {
      return left(what, "has no local equal; set it in the module twin, where its name is known");
    }
    if (word == "MQTT_WebSocket_Protocol") return set(what, "uplink.transport", "websocket");
    if (word == "AMQP_WebSocket_Protocol") {
      set(what, "uplink.transport", "websocket");
      return left(what, "AMQP is not spoken: MQTT over the same port 443 is used");
    }
    if (word == "AMQP_Protocol") {
      return left(what, "AMQP is not spoken: the agent tries MQTT on port 8883, then MQTT over WebSocket on 443");
    }
    left(what, "is the default here too");
  });
}

void Reader::sysinfo(const std::string& path, const std::string& text) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kNames{
      {{"HardwareVendor", "collectors.system.hardware_vendor"},
       {"HardwareModel", "collectors.system.hardware_model"},
       {"HardwareSerialNumber", "collectors.system.hardware_serial"},
       {"FirmwareVendor", "collectors.system.firmware_vendor"},
       {"FirmwareVersion", "collectors.system.firmware_version"}}};
  auto json = parse_json(text);
  const std::string braced = "{" + text + "}";  // the published example has no braces
  if (!json || json->kind() != Json::Kind::object) json = parse_json(braced);
  if (!json || json->kind() != Json::Kind::object) return left(path, "is no JSON object");
  for (const auto& [name, key] : kNames) {
    const auto value = json->find(name);
    if (value && value->text()) set(path + " " + std::string(name), key, *value->text());
  }
}

void Reader::state(const std::string& folder) {
  if (content_of(join(folder, "cache.json"))) {
    left(join(folder, "cache.json"), "is the old agent's memory of twin and device; asked for anew");
  }
  const std::string pam = join(folder, "pam.log");
  if (!read_file(pam, 1 << 20) && !content_of(join(from_, kPamScript))) return;
  if (known_setting("collectors.login.pam_log")) {
    set(pam, "collectors.login.pam_log", pam);
  } else {
    left(pam, "logins are read from the kernel's audit, utmp and the system log; the PAM script may be removed");
  }
}

void Reader::classic(const std::string& folder) {
  if (const auto text = content_of(join(folder, "LocalConfiguration.json"))) {
    classic_c(join(folder, "LocalConfiguration.json"), *text);
  }
  if (const auto text = content_of(join(folder, "Authentication.config"))) classic_csharp(folder, *text);
}

/// `facts`: host, device, module or empty, method, path of the key or certificate.
void Reader::classic_identity(const std::string& what, const std::array<std::string, 5>& facts) {
  const auto& [host, device, module, method, path] = facts;
  if (host.empty() || device.empty()) return left(what, "names no host or device");
  const std::string base = "HostName=" + host + ";DeviceId=" + device + (module.empty() ? "" : ";ModuleId=" + module);
  if (method == "SelfSignedCertificate") {
    return left(what, "the certificate " + path + " signs in as the device: set certificate_file and key_file, and " +
                          base + ";x509=true as connection string");
  }
  const auto key = path.empty() ? std::nullopt : content_of(join(from_, path.starts_with('/') ? path.substr(1) : path));
  if (!key) return left(what, "the key file '" + path + "' cannot be read");
  identity(what, base + ";SharedAccessKey=" + trimmed(*key));
}

void Reader::classic_c(const std::string& path, const std::string& text) {
  const auto json = parse_json(text);
  if (!json || json->kind() != Json::Kind::object) return left(path, "is no JSON object");
  json->for_members([&](std::string_view name, Json value) {
    const std::string what = path + " " + std::string(name);
    if (name != "Configuration" && name != "Authentication") {
      return left(what, "has no equal here (see docs/agent.md, \"Coming from Defender for IoT\")");
    }
    const Json section = name == "Configuration" ? value.find("Authentication").value_or(value) : value;
    const auto word = [&](std::string_view key) {
      const auto found = section.find(key);
      return found ? found->text().value_or(std::string()) : std::string();
    };
    const std::string identity_kind = word("Identity");
    if (identity_kind == "DPS") return left(what, "DPS: set provisioning.id_scope and registration_id by hand");
    classic_identity(what,
                     {word("HostName"), word("DeviceId"), identity_kind == "SecurityModule" ? "azureiotsecurity" : "",
                      word("AuthenticationMethod"), word("FilePath")});
  });
}

void Reader::classic_csharp(const std::string& folder, const std::string& text) {
  const std::string path = join(folder, "Authentication.config");
  const std::string kind = xml_value(text, "identity");
  classic_identity(
      path, {xml_value(text, "gatewayHostName"), xml_value(text, "deviceId"),
             kind == "SecurityModule" ? "azureiotsecurity" : "", xml_value(text, "type"), xml_value(text, "filePath")});
  if (content_of(join(folder, "General.config"))) {
    left(join(folder, "General.config"),
         "intervals and levels of the old agent's own; 'picket-agent settings' lists ours");
  }
}

void Reader::finish() {
  took("module twin", "nothing to convert: published properties and the classic object are understood as they are");
  const auto roots = std::ranges::find_if(
      kPublicRoots, [](std::string_view path) { return ::access(std::string(path).c_str(), R_OK) == 0; });
  if (roots != std::end(kPublicRoots)) {
    settings_ += "ca_file = \"" + std::string(*roots) + "\"\n";
    took("trust", "ca_file = " + std::string(*roots) +
                      ": for an IoT Hub; put only the needed root there to save memory, "
                      "and the server's ca.crt for a Picket hub");
  } else {
    left("trust", "no public roots found: set ca_file to the authority of your hub");
  }
  if (!has_identity_) out_.problem = "no identity was found that can be taken: see the lines above";
  const std::string text = "# Made by picket-agent migrate.\n" + settings_.substr(1);
  const auto config = load_config({.file_path = "agent.toml", .file_text = text});
  if (!config) out_.problem = "the new settings are not right: " + config.error();
  add_file("agent.toml", text);
}

}  // namespace

Migration plan_migration(const std::string& from, const std::string& to) { return Reader(from, to).run(); }

std::string apply_migration(const Migration& plan) {
  for (const MigrationFile& file : plan.files) {
    const auto folder = file.path.substr(0, file.path.rfind('/'));
    if (const auto made = make_directories(folder); !made) return folder + ": " + describe(made.error());
    const auto before = content_of(file.path);
    if (before && *before == file.content) continue;
    const std::string kept = file.path + ".before-migrate";
    if (before && ::access(kept.c_str(), F_OK) != 0) {
      if (const auto saved = replace_file(kept, as_bytes(*before)); !saved)
        return kept + ": " + describe(saved.error());
    }
    if (const auto written = replace_file(file.path, as_bytes(file.content)); !written) {
      return file.path + ": " + describe(written.error());
    }
  }
  return {};
}

}  // namespace picket::agent
