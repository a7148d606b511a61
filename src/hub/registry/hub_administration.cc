#include "hub/hub_administration.h"

#include <algorithm>
#include <array>

#include "base/core/encoding.h"
#include "hub/settings_json.h"
#include "hub_work.h"
#include "net/certificate.h"
#include "state/identities.h"
#include "state/revocations.h"

namespace picket::hub {
namespace {

using state::Hubs;

constexpr std::array<std::string_view, 5> kTiers = {"none", "F1", "S1", "S2", "S3"};
constexpr std::size_t kLocationBytesMax = 64;
constexpr std::uint32_t kUnitsMax = 200;
const state::Actor kFirstStart{"picket", ""};

struct DefaultPolicy {
  std::string_view name;
  std::uint32_t rights;
};
constexpr std::array<DefaultPolicy, 5> kDefaultPolicies = {{{"iothubowner", kAllRights},
                                                            {"service", kServiceConnect},
                                                            {"device", kDeviceConnect},
                                                            {"registryRead", kRegistryRead},
                                                            {"registryReadWrite", kRegistryRead | kRegistryWrite}}};

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Also the names of hubs that were made before hubs had rules are kept: load() does not ask this.
HubResult<> check_name(std::string_view name) {
  const bool good = name.size() >= 3 && name.size() <= 50 && is_letter_or_digit(name.front()) &&
                    is_letter_or_digit(name.back()) &&
                    std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-'; });
  if (good) return {};
  return invalid("name", "3 to 50 letters, digits and '-', with a letter or digit at both ends");
}

HubResult<> check_size(const HubSpec& spec) {
  if (spec.location.empty() || spec.location.size() > kLocationBytesMax || !is_line(spec.location))
    return invalid("location", "a text of one line, at most 64 bytes");
  if (std::ranges::find(kTiers, std::string_view(spec.tier)) == kTiers.end())
    return invalid("tier", "none, F1, S1, S2 or S3");
  if (spec.units < 1 || spec.units > kUnitsMax) return invalid("units", "1 to 200");
  return {};
}

/// Only of settings that come in: what an older version stored stays readable, and sends nothing.
HubResult<> check_diagnostics(const DiagnosticSetting& setting) {
  const auto known = diagnostic_categories();
  if (setting.categories.empty()) return invalid("categories", "at least one category, or allLogs");
  for (const auto& category : setting.categories) {
    if (category != kAllLogs && std::ranges::find(known, std::string_view(category)) == known.end())
      return invalid("categories", fmt::format("allLogs, or of {}", fmt::join(known, ", ")));
  }
  const bool storage = setting.sinks.size() == 1 && setting.sinks.front() == kStorageSink;
  return storage ? HubResult<>() : invalid("sinks", "[\"storage\"], the one kind of sink");
}

SharedAccessPolicy policy_of(const state::Policy& policy) {
  return {policy.name, policy.rights, from_base64(policy.keys.primary).value_or(Buffer()),
          from_base64(policy.keys.secondary).value_or(Buffer())};
}

HubResult<> record_rules(const HubConfiguration& before, const HubConfiguration& after, Audit& audit) {
  const auto text = [](const HubConfiguration& configuration) {
    HubConfiguration rules;
    rules.ip_rules = configuration.ip_rules;
    const auto json = parse_object(to_json(rules));
    return json ? boost::json::serialize(json->at("ipFilterRules")) : std::string();
  };
  audit.change("rules", text(before), text(after));
  return {};
}

void record_configuration(const HubConfiguration& before, const HubConfiguration& after, Audit& audit) {
  audit.change("security", before.security, after.security);
  audit.change("tls_minimum", static_cast<int>(before.tls_minimum), static_cast<int>(after.tls_minimum));
  audit.change("ciphers", static_cast<int>(before.ciphers), static_cast<int>(after.ciphers));
  audit.change("client_certificates", static_cast<int>(before.client_certificates),
               static_cast<int>(after.client_certificates));
  const auto minutes = [](const HubConfiguration& one) {
    return one.sas_lifetime_max ? one.sas_lifetime_max->whole_seconds() / 60 : std::int64_t{0};
  };
  audit.change("sas_lifetime_minutes", minutes(before), minutes(after));
  audit.change("retention_days", before.retention_days, after.retention_days);
}

}  // namespace

HubAdministration::HubAdministration(state::Database& database, HubSettingsStore& settings, const Clock& clock,
                                     std::string installation_id)
    : database_(database), settings_(settings), clock_(clock), installation_id_(std::move(installation_id)) {}

HubResult<HubSettings> HubAdministration::read(const state::Hub& hub) const {
  HubSettings out{.name = hub.name,
                  .location = hub.location,
                  .tier = hub.tier,
                  .units = hub.units,
                  .resource_id = hub_resource_id(installation_id_, hub.name),
                  .etag = hub.etag,
                  .created = hub.created,
                  .updated = hub.updated};
  HUB_TRY(out.configuration, configuration_from_json(hub.settings));
  HUB_TRY(const auto policies, hub_result(Hubs(database_).policies(hub.name), "The policies"));
  for (const auto& policy : policies) out.policies.push_back(policy_of(policy));
  HUB_TRY(const auto certificates, hub_result(Hubs(database_).certificates(hub.name), "The certificates"));
  for (const auto& certificate : certificates) {
    const auto facts = net::parse_certificate(certificate.pem);
    if (!certificate.verified || !facts) continue;
    out.authorities.push_back(
        {certificate.name, facts->sha256_thumbprint, facts->subject, certificate.pem, facts->not_after});
  }
  HUB_TRY(const auto revoked, hub_result(state::Revocations(database_).list(hub.name), "The revocations"));
  for (const auto& one : revoked) out.revoked.push_back({one.thumbprint, one.name, one.reason, one.revoked});
  return out;
}

HubResult<> HubAdministration::refresh(std::string_view hub) {
  const std::scoped_lock lock(refresh_mutex_);
  HUB_TRY(const auto hubs, hub_result(Hubs(database_).list(), "The list of hubs"));
  const auto found = std::ranges::find(hubs, hub, &state::Hub::name);
  if (found == hubs.end()) {
    settings_.remove(hub);
    return {};
  }
  HUB_TRY(auto settings, read(*found));
  settings_.put(std::move(settings));
  return {};
}

HubResult<> HubAdministration::load(const HubSpec& first) {
  HUB_TRY(const auto hubs, hub_result(Hubs(database_).list(), "The list of hubs"));
  for (const auto& hub : hubs) HUB_TRY_VOID(refresh(hub.name));
  if (std::ranges::find(hubs, first.name, &state::Hub::name) != hubs.end()) return {};
  HUB_TRY_VOID(check_size(first));
  return change<void>(first.name, kFirstStart, [&](Work& work) { return insert(work, first); });
}

HubResult<> HubAdministration::insert(Work& work, const HubSpec& spec) {
  const state::Hub hub{spec.name,          spec.location, spec.tier, spec.units, to_json(HubConfiguration{}),
                       state::make_etag(), work.now,      work.now};
  HUB_TRY_VOID(hub_result(Hubs::insert(work.db, hub), "The hub " + spec.name));
  for (const auto& one : kDefaultPolicies) {
    const state::Policy policy{spec.name, std::string(one.name), one.rights, state::make_keys(), work.now, work.now};
    HUB_TRY_VOID(hub_result(Hubs::insert(work.db, policy), "The policy"));
  }
  auto audit = work.audit();
  audit.field("location", spec.location).field("tier", spec.tier).field("units", spec.units);
  return work.record("hub.create", audit);
}

HubResult<std::shared_ptr<const HubSettings>> HubAdministration::create(const HubSpec& spec,
                                                                        const state::Actor& actor) {
  HUB_TRY_VOID(check_name(spec.name));
  HUB_TRY_VOID(check_size(spec));
  const auto there = settings_.all();
  if (there.size() >= kHubsMax) return hub_fail(kQuotaExceeded, "There are 50 hubs, as many as there may be.");
  // Host names know no case, so two hubs may not differ by it only.
  if (settings_.of_host(spec.name)) return hub_fail(kDeviceExists, "The hub " + spec.name + " exists already.");
  HUB_TRY_VOID(change<void>(spec.name, actor, [&](Work& work) { return insert(work, spec); }));
  return settings_.of(spec.name);
}

HubResult<> HubAdministration::remove(std::string_view hub, const state::Actor& actor) {
  const auto before = settings_.of(hub);
  HUB_TRY_VOID(change<void>(hub, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY(const auto counts, hub_result(state::Identities::count(work.db, hub), "The hub"));
    if (counts.devices > 0)
      return hub_fail(kArgumentInvalid,
                      fmt::format("The hub {} has {} devices: remove them first.", hub, counts.devices));
    HUB_TRY_VOID(hub_result(Hubs::erase(work.db, hub), fmt::format("The hub {}", hub)));
    auto audit = work.audit();
    return work.record("hub.delete", audit);
  }));
  tell_rights(hub);
  if (before && !before->authorities.empty()) tell_authorities();
  return {};
}

HubResult<> HubAdministration::resize(const HubSpec& spec, const state::Actor& actor) {
  HUB_TRY_VOID(check_size(spec));
  return change<void>(spec.name, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY(auto hub, hub_result(Hubs::find(work.db, spec.name), "The hub " + spec.name));
    auto audit = work.audit();
    audit.change("location", hub.location, spec.location).change("tier", hub.tier, spec.tier);
    audit.change("units", hub.units, spec.units);
    hub.location = spec.location;
    hub.tier = spec.tier;
    hub.units = spec.units;
    hub.etag = state::make_etag();
    hub.updated = work.now;
    HUB_TRY_VOID(hub_result(Hubs::update(work.db, hub), "The hub " + spec.name));
    return work.record("hub.update", audit);
  });
}

HubResult<> HubAdministration::configure(std::string_view hub_name, const HubConfiguration& configuration,
                                         std::string_view if_match, const state::Actor& actor) {
  // What is stored must be readable at the next start, whoever made the value.
  HUB_TRY_VOID(configuration_from_json(to_json(configuration)));
  for (const auto& setting : configuration.diagnostics) HUB_TRY_VOID(check_diagnostics(setting));
  auto configured = change<void>(hub_name, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY(auto hub, hub_result(Hubs::find(work.db, hub_name), fmt::format("The hub {}", hub_name)));
    HUB_TRY(const auto before, configuration_from_json(hub.settings));
    const bool any = if_match.empty() || if_match == "*";
    if (!any && if_match != hub.etag && if_match != "\"" + hub.etag + "\"")
      return hub_fail(kEtagMismatch, "The settings have changed: read them again.");
    hub.settings = to_json(configuration);
    hub.etag = state::make_etag();
    hub.updated = work.now;
    HUB_TRY_VOID(hub_result(Hubs::update(work.db, hub), fmt::format("The hub {}", hub_name)));
    auto audit = work.audit();
    record_configuration(before, configuration, audit);
    HUB_TRY_VOID(work.record("hub.update", audit));
    if (before.ip_rules != configuration.ip_rules) {
      auto rules = work.audit();
      HUB_TRY_VOID(record_rules(before, configuration, rules));
      HUB_TRY_VOID(work.record("filter.change", rules));
    }
    for (const auto& setting : configuration.diagnostics) {
      if (std::ranges::find(before.diagnostics, setting) != before.diagnostics.end()) continue;
      auto edited = work.audit();
      edited.field("setting", setting.name);
      edited.field("added", std::ranges::find(before.diagnostics, setting.name, &DiagnosticSetting::name) ==
                                before.diagnostics.end());
      HUB_TRY_VOID(work.record("diagnostics.edit", edited));
    }
    for (const auto& setting : before.diagnostics) {
      const auto& after = configuration.diagnostics;
      if (std::ranges::find(after, setting.name, &DiagnosticSetting::name) != after.end()) continue;
      auto removed = work.audit();
      removed.field("setting", setting.name);
      HUB_TRY_VOID(work.record("diagnostics.delete", removed));
    }
    return {};
  });
  if (configured) tell_rights(hub_name);
  return configured;
}

HubResult<std::vector<state::Policy>> HubAdministration::policies(std::string_view hub) const {
  if (!settings_.of(hub)) return hub_fail(kDeviceNotFound, fmt::format("The hub {} does not exist.", hub));
  return hub_result(Hubs(database_).policies(hub), "The policies");
}

HubResult<state::Policy> HubAdministration::read_policy(std::string_view hub, std::string_view name,
                                                        const state::Actor& actor) {
  return change<state::Policy>(hub, actor, [&](Work& work) -> HubResult<state::Policy> {
    HUB_TRY(auto policy, hub_result(Hubs::find_policy(work.db, hub, name), fmt::format("The policy {}", name)));
    auto audit = work.audit();
    audit.field("policy", name);
    HUB_TRY_VOID(work.record("key.read", audit));
    return policy;
  });
}

HubResult<state::Policy> HubAdministration::create_policy(std::string_view hub, std::string_view name,
                                                          std::uint32_t rights, const state::Actor& actor) {
  const bool good = !name.empty() && name.size() <= 64 &&
                    std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
  if (!good) return invalid("name", "1 to 64 letters, digits, '-' and '_'");
  if (rights == 0 || (rights & ~kAllRights) != 0) return invalid("rights", "at least one right");
  return change<state::Policy>(hub, actor, [&](Work& work) -> HubResult<state::Policy> {
    HUB_TRY_VOID(hub_result(Hubs::find(work.db, hub), fmt::format("The hub {}", hub)));
    const auto there = settings_.of(hub);
    if (there && there->policies.size() >= kPoliciesMax)
      return hub_fail(kQuotaExceeded, "The hub has 20 policies, as many as it may.");
    const state::Policy policy{std::string(hub), std::string(name), rights, state::make_keys(), work.now, work.now};
    HUB_TRY_VOID(hub_result(Hubs::insert(work.db, policy), fmt::format("The policy {}", name)));
    auto audit = work.audit();
    audit.field("policy", name).field("rights", rights_to_string(rights));
    HUB_TRY_VOID(work.record("policy.create", audit));
    return policy;
  });
}

HubResult<state::Policy> HubAdministration::rotate_policy(std::string_view hub, std::string_view name, bool primary,
                                                          const state::Actor& actor) {
  auto rotated = change<state::Policy>(hub, actor, [&](Work& work) -> HubResult<state::Policy> {
    HUB_TRY(auto policy, hub_result(Hubs::find_policy(work.db, hub, name), fmt::format("The policy {}", name)));
    const auto made = state::make_keys();
    (primary ? policy.keys.primary : policy.keys.secondary) = primary ? made.primary : made.secondary;
    policy.updated = work.now;
    HUB_TRY_VOID(hub_result(Hubs::update(work.db, policy), fmt::format("The policy {}", name)));
    auto audit = work.audit();
    audit.field("policy", name).field("slot", primary ? "primary" : "secondary");
    HUB_TRY_VOID(work.record("policy.rotate", audit));
    return policy;
  });
  if (rotated) tell_rights(hub);
  return rotated;
}

HubResult<> HubAdministration::remove_policy(std::string_view hub, std::string_view name, const state::Actor& actor) {
  auto removed = change<void>(hub, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY_VOID(hub_result(Hubs::erase_policy(work.db, hub, name), fmt::format("The policy {}", name)));
    auto audit = work.audit();
    audit.field("policy", name);
    return work.record("policy.delete", audit);
  });
  if (removed) tell_rights(hub);
  return removed;
}

}  // namespace picket::hub
