#include "hub/settings_json.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "identity_fields.h"

namespace picket::hub {
namespace {

constexpr std::array<std::string_view, 2> kTlsNames = {"1.2", "1.3"};
constexpr std::array<std::string_view, 2> kCipherNames = {"standard", "strict"};
constexpr std::array<std::string_view, 3> kCertificateNames = {"optional", "required", "off"};
constexpr std::array<std::string_view, 2> kActionNames = {"Accept", "Reject"};
constexpr std::size_t kNameBytesMax = 128;
constexpr std::int64_t kSasMinutesMax = 365 * 24 * 60;
constexpr int kRetentionDaysMax = 7;

template <class Enum, std::size_t n>
HubResult<> read_enum(const boost::json::object& in, std::string_view name,
                      const std::array<std::string_view, n>& names, Enum& out) {
  HUB_TRY(const auto text, text_member(in, name, 32));
  if (!text) return {};
  const auto found = std::ranges::find(names, std::string_view(*text));
  if (found == names.end()) return invalid(name, fmt::format("one of {}", fmt::join(names, ", ")));
  out = static_cast<Enum>(found - names.begin());
  return {};
}

HubResult<> only(const boost::json::object& in, std::initializer_list<std::string_view> known) {
  for (const auto& member : in) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end())
      return invalid(std::string(member.key()), fmt::format("absent; known are {}", fmt::join(known, ", ")));
  }
  return {};
}

/// nullptr: absent or null.
HubResult<const boost::json::array*> array_member(const boost::json::object& in, std::string_view name,
                                                  std::size_t count_max) {
  const auto* value = in.if_contains(name);
  if (value == nullptr || value->is_null()) return nullptr;
  if (!value->is_array() || value->get_array().size() > count_max)
    return invalid(name, fmt::format("an array of at most {}", count_max));
  return &value->get_array();
}

HubResult<std::optional<std::int64_t>> integer_member(const boost::json::object& in, std::string_view name,
                                                      std::int64_t min, std::int64_t max) {
  const auto* value = in.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_int64() || value->get_int64() < min || value->get_int64() > max)
    return invalid(name, fmt::format("a whole number from {} to {}", min, max));
  return value->get_int64();
}

HubResult<IpRule> rule_from(const boost::json::value& in) {
  if (!in.is_object()) return invalid("ipFilterRules", "an array of objects");
  const auto& object = in.get_object();
  HUB_TRY_VOID(only(object, {"filterName", "action", "ipMask"}));
  IpRule out;
  HUB_TRY(const auto name, text_member(object, "filterName", kNameBytesMax));
  HUB_TRY(const auto mask, text_member(object, "ipMask", 64));
  if (!name || name->empty()) return invalid("filterName", "a name");
  if (!object.contains("action")) return invalid("action", "Accept or Reject");
  HUB_TRY_VOID(read_enum(object, "action", kActionNames, out.action));
  const auto network = parse_cidr(mask.value_or(""));
  if (!network) return invalid("ipMask", "a network such as 192.0.2.0/24 or 2001:db8::/32");
  out.name = *name;
  out.network = *network;
  return out;
}

HubResult<std::vector<IpRule>> rules_from(const boost::json::object& in) {
  HUB_TRY(const auto* list, array_member(in, "ipFilterRules", kIpRulesMax));
  std::vector<IpRule> out;
  std::set<std::string> names;
  if (list == nullptr) return out;
  for (const auto& one : *list) {
    HUB_TRY(auto rule, rule_from(one));
    if (!names.insert(rule.name).second) return invalid("filterName", "different for each rule");
    out.push_back(std::move(rule));
  }
  return out;
}

HubResult<std::vector<std::string>> names_from(const boost::json::object& in, std::string_view member) {
  HUB_TRY(const auto* list, array_member(in, member, kCategoriesMax));
  std::vector<std::string> out;
  if (list == nullptr) return out;
  for (const auto& one : *list) {
    if (!one.is_string() || one.get_string().empty() || one.get_string().size() > kNameBytesMax ||
        !is_line(one.get_string()))
      return invalid(member, "an array of names");
    out.emplace_back(one.get_string());
  }
  return out;
}

HubResult<std::vector<DiagnosticSetting>> diagnostics_from(const boost::json::object& in) {
  HUB_TRY(const auto* list, array_member(in, "diagnosticSettings", kDiagnosticSettingsMax));
  std::vector<DiagnosticSetting> out;
  if (list == nullptr) return out;
  for (const auto& one : *list) {
    if (!one.is_object()) return invalid("diagnosticSettings", "an array of objects");
    HUB_TRY_VOID(only(one.get_object(), {"name", "categories", "sinks"}));
    HUB_TRY(const auto name, text_member(one.get_object(), "name", kNameBytesMax));
    if (!name || name->empty() || std::ranges::find(out, *name, &DiagnosticSetting::name) != out.end())
      return invalid("diagnosticSettings", "an array of settings, each with a name of its own");
    DiagnosticSetting setting{.name = *name};
    HUB_TRY(setting.categories, names_from(one.get_object(), "categories"));
    HUB_TRY(setting.sinks, names_from(one.get_object(), "sinks"));
    out.push_back(std::move(setting));
  }
  return out;
}

void write_names(JsonWriter& json, std::string_view member, const std::vector<std::string>& names) {
  json.key(member).begin_array();
  for (const auto& name : names) json.value(name);
  json.end_array();
}

}  // namespace

std::string to_json(const HubConfiguration& configuration) {
  JsonWriter json;
  json.begin_object().key("security").value(configuration.security);
  json.key("minTlsVersion").value(kTlsNames[static_cast<std::size_t>(configuration.tls_minimum)]);
  json.key("ciphers").value(kCipherNames[static_cast<std::size_t>(configuration.ciphers)]);
  json.key("clientCertificates").value(kCertificateNames[static_cast<std::size_t>(configuration.client_certificates)]);
  json.key("ipFilterRules").begin_array();
  for (const IpRule& rule : configuration.ip_rules) {
    json.begin_object().key("filterName").value(rule.name);
    json.key("action").value(kActionNames[static_cast<std::size_t>(rule.action)]);
    json.key("ipMask").value(to_string(rule.network)).end_object();
  }
  json.end_array().key("sasLifetimeMinutesMax");
  if (configuration.sas_lifetime_max) {
    json.value(configuration.sas_lifetime_max->whole_seconds() / 60);
  } else {
    json.null();
  }
  json.key("diagnosticSettings").begin_array();
  for (const DiagnosticSetting& setting : configuration.diagnostics) {
    json.begin_object().key("name").value(setting.name);
    write_names(json, "categories", setting.categories);
    write_names(json, "sinks", setting.sinks);
    json.end_object();
  }
  return json.end_array().key("retentionTimeInDays").value(configuration.retention_days).end_object().take();
}

HubResult<HubConfiguration> configuration_from_json(std::string_view text) {
  HUB_TRY(const auto in, parse_object(text));
  HUB_TRY_VOID(only(in, {"security", "minTlsVersion", "ciphers", "clientCertificates", "ipFilterRules",
                         "sasLifetimeMinutesMax", "diagnosticSettings", "retentionTimeInDays"}));
  HubConfiguration out;
  if (const auto* security = in.if_contains("security")) {
    if (!security->is_bool()) return invalid("security", "true or false");
    out.security = security->get_bool();
  }
  HUB_TRY_VOID(read_enum(in, "minTlsVersion", kTlsNames, out.tls_minimum));
  HUB_TRY_VOID(read_enum(in, "ciphers", kCipherNames, out.ciphers));
  HUB_TRY_VOID(read_enum(in, "clientCertificates", kCertificateNames, out.client_certificates));
  HUB_TRY(out.ip_rules, rules_from(in));
  HUB_TRY(const auto minutes, integer_member(in, "sasLifetimeMinutesMax", 1, kSasMinutesMax));
  if (minutes) out.sas_lifetime_max = Duration::minutes(*minutes);
  HUB_TRY(out.diagnostics, diagnostics_from(in));
  HUB_TRY(const auto days, integer_member(in, "retentionTimeInDays", 1, kRetentionDaysMax));
  out.retention_days = static_cast<int>(days.value_or(out.retention_days));
  return out;
}

std::string to_json(const HubSettings& hub) {
  JsonWriter json;
  json.begin_object().key("name").value(hub.name).key("location").value(hub.location).key("tier").value(hub.tier);
  json.key("units").value(hub.units).key("resourceId").value(hub.resource_id).key("etag").value(hub.etag);
  json.key("created").value(hub.created).key("updated").value(hub.updated);
  return json.key("settings").raw(to_json(hub.configuration)).end_object().take();
}

}  // namespace picket::hub
