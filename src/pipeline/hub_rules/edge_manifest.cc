#include "hub_rules/edge_manifest.h"

#include <algorithm>
#include <cctype>

#include <boost/json.hpp>

#include "base/core/crypto.h"
#include "base/core/encoding.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 64;
/// createOptions of more than 512 bytes go on in createOptions01, createOptions02, …
constexpr int kOptionPartsMax = 8;

const json::value* member(const json::object* object, std::string_view name) {
  return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
}
const json::object* object_of(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}
std::string text(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  const json::string* found = value == nullptr ? nullptr : value->if_string();
  return found == nullptr ? std::string() : std::string(found->data(), found->size());
}
std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// createOptions is a text that holds JSON, or (in layered tools) the object itself.
json::object create_options(const json::object* settings) {
  const json::value* value = member(settings, "createOptions");
  if (value != nullptr && value->is_object()) return value->get_object();
  std::string whole = text(settings, "createOptions");
  for (int part = 1; part <= kOptionPartsMax; ++part) whole += text(settings, "createOptions0" + std::to_string(part));
  json::error_code error;
  const json::value parsed = json::parse(whole, error, {}, {.max_depth = kDepthMax});
  return !error && parsed.is_object() ? parsed.get_object() : json::object();
}

/// Capabilities with which a container can leave itself or read everything.
bool is_broad(const std::string& capability) {
  static constexpr std::string_view kBroad[] = {"all",       "sys_admin",       "sys_module", "sys_ptrace", "sys_rawio",
                                                "net_admin", "dac_read_search", "sys_boot",   "mac_admin",  "bpf",
                                                "syslog",    "dac_override",    "setuid",     "sys_time"};
  std::string name = lower(capability);
  if (name.starts_with("cap_")) name.erase(0, 4);
  return std::ranges::find(kBroad, name) != std::end(kBroad);
}

std::string privileges(const json::object* host) {
  std::vector<std::string> out;
  const json::value* privileged = member(host, "Privileged");
  if (privileged != nullptr && *privileged == true) out.emplace_back("privileged");
  const json::value* added = member(host, "CapAdd");
  for (const json::value& one : added != nullptr && added->is_array() ? added->get_array() : json::array()) {
    const json::string* name = one.if_string();
    const std::string capability = name == nullptr ? "" : std::string(name->data(), name->size());
    if (is_broad(capability)) out.push_back("capability " + capability);
  }
  for (const std::string_view mode : {"NetworkMode", "PidMode", "IpcMode", "UsernsMode"}) {
    if (lower(text(host, mode)) == "host") out.push_back(std::string(mode) + " host");
  }
  std::string joined;
  for (const std::string& one : out) joined += (joined.empty() ? "" : ", ") + one;
  return joined;
}

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

/// Of an image of a container registry of Azure: how it signs in, when that is not a service principal.
std::string registry_weakness(const std::string& image, const json::object* credentials) {
  const std::string registry = lower(image.substr(0, image.find('/')));
  if (!registry.ends_with(".azurecr.io")) return {};
  if (credentials != nullptr) {
    for (const auto& entry : *credentials) {
      const json::object* one = entry.value().if_object();
      if (lower(text(one, "address")) != registry) continue;
      return is_guid(text(one, "username")) ? std::string()
                                            : "signs in to " + registry + " as " + text(one, "username");
    }
  }
  return "no credentials for " + registry;
}

/// Protocols that a module says it uses, in its environment; nothing when it does not say.
std::vector<std::string> protocols_of(const json::object* module) {
  std::vector<std::string> out;
  const json::object* environment = object_of(module, "env");
  for (std::size_t i = 0; environment != nullptr && i < environment->size(); ++i) {
    const auto& entry = *(environment->begin() + static_cast<std::ptrdiff_t>(i));
    const std::string name = lower(std::string(entry.key()));
    if (name.find("transport") == std::string::npos && name.find("protocol") == std::string::npos) continue;
    const std::string value = lower(text(entry.value().if_object(), "value"));
    if (value.find("mqtt") != std::string::npos) out.emplace_back("mqtt");
    if (value.find("amqp") != std::string::npos) out.emplace_back("amqp");
  }
  return out;
}

bool head_is_on(const json::object* hub, const std::string& protocol) {
  const json::object* environment = object_of(hub, "env");
  for (const std::string& name : {protocol + "Settings__enabled", protocol + "Settings:enabled"}) {
    const json::object* setting = object_of(environment, name);
    if (setting == nullptr) continue;
    const json::value* value = member(setting, "value");
    if (value != nullptr && (*value == false || lower(text(setting, "value")) == "false")) return false;
  }
  return true;
}

class Analysis {
 public:
  explicit Analysis(const json::object& agent) : agent_(agent) {}

  EdgeReport run() {
    const json::object* system = object_of(&agent_, "systemModules");
    const json::object* own = object_of(&agent_, "modules");
    each(system);
    each(own);
    if (const json::object* hub = object_of(system, "edgeHub")) protocol_heads(hub, own);
    return std::move(report_);
  }

 private:
  void each(const json::object* modules) {
    for (std::size_t i = 0; modules != nullptr && i < modules->size(); ++i) {
      const auto& entry = *(modules->begin() + static_cast<std::ptrdiff_t>(i));
      if (report_.settings.size() == kEdgeModulesMax) return;
      if (const json::object* module = entry.value().if_object()) one(std::string(entry.key()), *module);
    }
  }

  void one(const std::string& name, const json::object& module) {
    const json::object* settings = object_of(&module, "settings");
    const json::object options = create_options(settings);
    const json::object* host = object_of(&options, "HostConfig");
    if (auto why = privileges(host); !why.empty()) report_.privileged.push_back({name, std::move(why)});
    const json::object* credentials =
        object_of(object_of(object_of(&agent_, "runtime"), "settings"), "registryCredentials");
    const std::string image = text(settings, "image");
    if (auto why = registry_weakness(image, credentials); !why.empty()) {
      report_.no_principal.push_back({name, std::move(why)});
    }
    if (lower(text(object_of(host, "LogConfig"), "Type")) == "none") {
      report_.no_logging.push_back({name, "the log driver is none"});
    }
    const json::value* environment = member(&module, "env");
    const std::string all =
        image + '\n' + json::serialize(options) + '\n' + (environment == nullptr ? "" : json::serialize(*environment));
    report_.settings[name] = to_hex(Bytes(sha256(as_bytes(all))).first(8));
  }

  /// Only when each module says what it speaks, or there is none: then a head that nobody uses is sure.
  void protocol_heads(const json::object* hub, const json::object* modules) {
    std::vector<std::string> used;
    for (std::size_t i = 0; modules != nullptr && i < modules->size(); ++i) {
      const auto protocols = protocols_of((modules->begin() + static_cast<std::ptrdiff_t>(i))->value().if_object());
      if (protocols.empty()) return;
      used.insert(used.end(), protocols.begin(), protocols.end());
    }
    for (const std::string protocol : {"mqtt", "amqp"}) {
      if (std::ranges::find(used, protocol) != used.end() || !head_is_on(hub, protocol)) continue;
      report_.unused_protocols.push_back({"edgeHub", "no module uses " + protocol});
    }
  }

  const json::object& agent_;
  EdgeReport report_;
};

}  // namespace

Result<EdgeReport> analyse_edge_manifest(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error, {}, {.max_depth = kDepthMax});
  const json::object* root = error ? nullptr : value.if_object();
  if (root == nullptr) return fail(Errc::malformed, "edge_manifest.json");
  if (const json::object* content = object_of(root, "modulesContent")) root = content;
  if (const json::object* agent = object_of(root, "$edgeAgent")) root = agent;
  if (const json::object* desired = object_of(root, "properties.desired")) root = desired;
  if (object_of(root, "modules") == nullptr && object_of(root, "systemModules") == nullptr) {
    return fail(Errc::malformed, "edge_manifest.modules");
  }
  return Analysis(*root).run();
}

}  // namespace picket::pipeline
