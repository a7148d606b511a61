#include "hub/hub_settings.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace picket::hub {
namespace {

constexpr std::array<std::pair<Right, std::string_view>, 4> kRights = {{{kRegistryRead, "RegistryRead"},
                                                                        {kRegistryWrite, "RegistryWrite"},
                                                                        {kServiceConnect, "ServiceConnect"},
                                                                        {kDeviceConnect, "DeviceConnect"}}};

constexpr std::array<std::string_view, 17> kCategories = {"Connections",
                                                          "DeviceTelemetry",
                                                          "C2DCommands",
                                                          "DeviceIdentityOperations",
                                                          "FileUploadOperations",
                                                          "Routes",
                                                          "D2CTwinOperations",
                                                          "C2DTwinOperations",
                                                          "TwinQueries",
                                                          "JobsOperations",
                                                          "DirectMethods",
                                                          "DistributedTracing",
                                                          "Configurations",
                                                          "DeviceStreams",
                                                          "Access",
                                                          "Administration",
                                                          "Triage"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::span<const std::string_view> diagnostic_categories() { return kCategories; }

bool DiagnosticSetting::sends(std::string_view category, std::string_view sink) const {
  const auto holds = [](const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  return holds(sinks, sink) && (holds(categories, category) || holds(categories, kAllLogs));
}

std::string rights_to_string(std::uint32_t rights) {
  std::string out;
  for (const auto& [right, name] : kRights) {
    if ((rights & right) == 0) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

std::optional<std::uint32_t> rights_from_string(std::string_view text) {
  std::uint32_t rights = 0;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto word = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto found = std::ranges::find(kRights, word, &std::pair<Right, std::string_view>::second);
    if (found == kRights.end()) return std::nullopt;
    rights |= found->first;
  }
  return rights;
}

const SharedAccessPolicy* HubSettings::find_policy(std::string_view policy_name) const {
  const auto found = std::ranges::find(policies, policy_name, &SharedAccessPolicy::name);
  return found == policies.end() ? nullptr : &*found;
}

bool HubSettings::trusts(std::string_view sha256_thumbprint) const {
  return std::ranges::find(authorities, sha256_thumbprint, &TrustedCa::sha256_thumbprint) != authorities.end();
}

bool HubSettings::has_revoked(std::string_view thumbprint) const {
  return std::ranges::binary_search(revoked, thumbprint, {}, &RevokedCertificate::thumbprint);
}

HubSettingsStore::HubSettingsStore() : map_(std::make_shared<const Map>()) {}

std::shared_ptr<const HubSettingsStore::Map> HubSettingsStore::map() const { return std::atomic_load(&map_); }

std::shared_ptr<const HubSettings> HubSettingsStore::of(std::string_view hub) const {
  const auto now = map();
  const auto found = now->find(hub);
  return found == now->end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const HubSettings>> HubSettingsStore::all() const {
  std::vector<std::shared_ptr<const HubSettings>> out;
  const auto now = map();
  for (const auto& [name, settings] : *now) out.push_back(settings);
  return out;
}

std::shared_ptr<const HubSettings> HubSettingsStore::of_host(std::string_view host) const {
  const auto name = lower(host.substr(0, host.find(':')));
  const auto now = map();
  const auto named = [&](std::string_view wanted) -> std::shared_ptr<const HubSettings> {
    for (const auto& [hub, settings] : *now) {
      if (lower(hub) == wanted) return settings;
    }
    return nullptr;
  };
  if (auto exact = named(name)) return exact;
  return named(std::string_view(name).substr(0, name.find('.')));
}

template <class Change>
void HubSettingsStore::replace(Change change) {
  for (auto before = map();;) {
    auto next = *before;
    change(next);
    std::shared_ptr<const Map> made = std::make_shared<const Map>(std::move(next));
    if (std::atomic_compare_exchange_strong(&map_, &before, std::move(made))) return;
  }
}

void HubSettingsStore::put(HubSettings settings) {
  const auto shared = std::make_shared<const HubSettings>(std::move(settings));
  replace([&](Map& map) { map.insert_or_assign(shared->name, shared); });
}

void HubSettingsStore::remove(std::string_view hub) {
  replace([&](Map& map) {
    if (const auto found = map.find(hub); found != map.end()) map.erase(found);
  });
}

std::string hub_resource_id(std::string_view installation_id, std::string_view hub) {
  return lower("/subscriptions/" + std::string(installation_id) +
               "/resourcegroups/picket/providers/microsoft.devices/iothubs/" + std::string(hub));
}

}  // namespace picket::hub
