#include "agent/identity.h"

#include <algorithm>

#include "agent/secret_file.h"
#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::size_t kKeyFileBytesMax = 1'024;

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

Checked<Buffer> read_key(std::string_view setting, const std::string& path) {
  auto text = read_secret_file(path, kKeyFileBytesMax);
  if (!text) return std::unexpected(std::string(setting) + " " + text.error());
  auto key = from_base64(trim(*text));
  if (!key || key->empty()) return std::unexpected(std::string(setting) + " " + path + ": is not base64");
  return *std::move(key);
}

/// Letters, digits, '-', '.', '_', ':'; it goes into topics and JSON as it stands.
bool is_registration_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:").contains(c);
  };
  return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, allowed);
}

Checked<ProvisioningOptions> resolve_provisioning(const Config& config) {
  const ProvisioningSettings& from = config.provisioning;
  if (!is_registration_id(from.registration_id)) {
    return std::unexpected(
        std::string("provisioning.registration_id must be 1 to 128 letters, digits, '-', '.', '_' or ':'"));
  }
  if (!is_registration_id(from.id_scope)) {
    return std::unexpected(std::string("provisioning.id_scope is none; it begins with 0ne"));
  }
  if (!from.key_file.empty() && !from.group_key_file.empty()) {
    return std::unexpected(std::string("set provisioning.key_file or provisioning.group_key_file, not both"));
  }
  ProvisioningOptions out{.endpoint = from.endpoint,
                          .id_scope = from.id_scope,
                          .registration_id = from.registration_id,
                          .key = {},
                          .module_id = from.module_id,
                          .state_file = config.data_dir + "/provisioned"};
  if (!from.key_file.empty()) {
    auto key = read_key("provisioning.key_file", from.key_file);
    if (!key) return std::unexpected(key.error());
    out.key = *std::move(key);
  } else if (!from.group_key_file.empty()) {
    const auto key = read_key("provisioning.group_key_file", from.group_key_file);
    if (!key) return std::unexpected(key.error());
    out.key = derive_device_key(*key, out.registration_id);
  } else if (config.certificate_file.empty()) {
    return std::unexpected(std::string(
        "provisioning needs provisioning.key_file, provisioning.group_key_file, or certificate_file and key_file"));
  }
  return out;
}

}  // namespace

Checked<Identity> resolve_identity(const Config& config) {
  Identity out{.tls = {config.ca_file, config.certificate_file, config.key_file}};
  if (config.connection_string.empty() && config.connection_string_file.empty() &&
      !config.provisioning.id_scope.empty()) {
    auto provisioning = resolve_provisioning(config);
    if (!provisioning) return std::unexpected(provisioning.error());
    out.provisioning = *std::move(provisioning);
    return out;
  }
  auto connection = resolve_connection_string(config);
  if (!connection) return std::unexpected(connection.error());
  if (connection->x509 && config.certificate_file.empty()) {
    return std::unexpected(
        std::string("the connection string says x509=true: set certificate_file and key_file to PEM files"));
  }
  out.connection = *std::move(connection);
  return out;
}

}  // namespace picket::agent
