#include "pipeline/security_group.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "net_prefix.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;
using Kind = CustomRuleType::Kind;

constexpr std::array<CustomRuleType, kCustomRuleTypes> kTypes{{
    {"AmqpC2DMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of cloud to device messages (AMQP protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over AMQP in a window is outside the range.", ""},
    {"MqttC2DMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of cloud to device messages (MQTT protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over MQTT in a window is outside the range.", ""},
    {"HttpC2DMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of cloud to device messages (HTTP protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over HTTP in a window is outside the range.", ""},
    {"AmqpC2DRejectedMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of rejected cloud to device messages (AMQP protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over AMQP that the device rejected, or the hub gave up, is "
     "outside the range.",
     ""},
    {"MqttC2DRejectedMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of rejected cloud to device messages (MQTT protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over MQTT that the hub gave up is outside the range.", ""},
    {"HttpC2DRejectedMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of rejected cloud to device messages (HTTP protocol) is not in allowed range",
     "Fires when the number of cloud-to-device messages over HTTP that the device rejected, or the hub gave up, is "
     "outside the range.",
     ""},
    {"AmqpD2CMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of device to cloud messages (AMQP protocol) is not in allowed range",
     "Fires when the number of device-to-cloud messages over AMQP in a window is outside the range.", ""},
    {"MqttD2CMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of device to cloud messages (MQTT protocol) is not in allowed range",
     "Fires when the number of device-to-cloud messages over MQTT in a window is outside the range.", ""},
    {"HttpD2CMessagesNotInAllowedRange", Kind::time_window, false,
     "Number of device to cloud messages (HTTP protocol) is not in allowed range",
     "Fires when the number of device-to-cloud messages over HTTP in a window is outside the range.", ""},
    {"DirectMethodInvokesNotInAllowedRange", Kind::time_window, false,
     "Number of direct method invokes is not in allowed range",
     "Fires when the number of direct methods called on the device in a window is outside the range.", ""},
    {"FileUploadsNotInAllowedRange", Kind::time_window, false, "Number of file uploads is not in allowed range",
     "Fires when the number of file uploads that the device began in a window is outside the range.", ""},
    {"QueuePurgesNotInAllowedRange", Kind::time_window, false, "Number of command queue purges is not in allowed range",
     "Fires when the number of times that the device's command queue was emptied in a window is outside the range.",
     ""},
    {"TwinUpdatesNotInAllowedRange", Kind::time_window, false, "Number of twin updates is not in allowed range",
     "Fires when the number of twin updates, by the device or by services, in a window is outside the range.", ""},
    {"UnauthorizedOperationsNotInAllowedRange", Kind::time_window, false,
     "Number of unauthorized operations is not in allowed range",
     "Fires when the number of operations by the device, or on it, that failed as unauthorized is outside the range.",
     ""},
    {"ActiveConnectionsNotInAllowedRange", Kind::time_window, true,
     "Number of active connections is not in allowed range",
     "Fires when the number of connections that the device made or took in a window is outside the range.", ""},
    {"FailedLocalLoginsNotInAllowedRange", Kind::time_window, true,
     "Number of failed local logins is not in allowed range",
     "Fires when the number of sign-ins that failed on the device in a window is outside the range.", ""},
    {"ConnectionToIpNotAllowed", Kind::allow_list, true, "Outbound connection to an IP address that isn't allowed",
     "Fires when the device connects to an address outside the listed networks.", "IpCidr"},
    {"LocalUserNotAllowed", Kind::allow_list, true, "Login by a local user that isn't allowed",
     "Fires when a user who is not listed signs in on the device.", "String"},
    {"ProcessNotAllowed", Kind::allow_list, true, "Execution of a process that isn't allowed",
     "Fires when a program that is not listed is started on the device; names or full paths.", "String"},
}};

/// The first thing that is wrong.
struct Complaint {
  std::string_view where;
  std::string text;
};

std::string text_of(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains({name.data(), name.size()});
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

class Reader {
 public:
  std::optional<Complaint> complaint;
  SecurityGroup group;

  void read(const json::object& in) {
    const json::value* properties = in.if_contains("properties");
    const json::object& from = properties != nullptr && properties->is_object() ? properties->get_object() : in;
    list(from, "timeWindowRules", Kind::time_window);
    list(from, "allowlistRules", Kind::allow_list);
    if (const json::value* rules = from.if_contains("denylistRules")) keep(*rules, group.denylist_rules);
    if (const json::value* rules = from.if_contains("thresholdRules")) keep(*rules, group.threshold_rules);
  }

 private:
  void complain(std::string_view where, std::string text) {
    if (!complaint) complaint = Complaint{where, std::move(text)};
  }
  void keep(const json::value& rules, std::string& into) {
    if (!rules.is_array()) return complain("security_group.rules", "rules must be a list");
    into = json::serialize(rules);
  }
  void list(const json::object& in, std::string_view name, Kind kind) {
    const json::value* value = in.if_contains({name.data(), name.size()});
    if (value == nullptr || value->is_null()) return;
    if (!value->is_array()) return complain("security_group.rules", std::string(name) + " must be a list");
    for (const json::value& one : value->get_array()) {
      const json::object* rule = one.if_object();
      if (rule == nullptr) return complain("security_group.rules", "a rule must be an object");
      read_rule(*rule, kind);
    }
  }
  void read_rule(const json::object& in, Kind kind) {
    const std::string name = text_of(in, "ruleType");
    const CustomRuleType* type = find_custom_rule_type(name);
    if (type == nullptr || type->kind != kind) {
      return complain("security_group.type", "'" + name + "' is no rule type of this list");
    }
    const auto index = static_cast<std::size_t>(type - kTypes.data());
    if (seen_[index]) return complain("security_group.type", "'" + name + "' is there twice");
    seen_[index] = true;
    CustomRule& rule = group.rules[index];
    const json::value* enabled = in.if_contains("isEnabled");
    if (enabled == nullptr || !enabled->is_bool()) {
      return complain("security_group.enabled", name + ": isEnabled must be true or false");
    }
    rule.enabled = enabled->get_bool();
    kind == Kind::time_window ? read_window(in, name, rule) : read_values(in, *type, rule);
  }
  void read_window(const json::object& in, const std::string& name, CustomRule& rule) {
    for (const auto& [member, into] : {std::pair("minThreshold", &rule.minimum), {"maxThreshold", &rule.maximum}}) {
      const json::value* value = in.if_contains(member);
      const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
      if (number == nullptr || *number < 0) {
        return complain("security_group.threshold", name + ": " + member + " must be a number from 0");
      }
      *into = *number;
    }
    if (rule.minimum > rule.maximum) {
      return complain("security_group.threshold", name + ": minThreshold is above maxThreshold");
    }
    const auto window = parse_iso_duration(text_of(in, "timeWindowSize"));
    if (!window || window->us <= 0 || window->us % Duration::minutes(5).us != 0 || *window > Duration::days(1)) {
      return complain("security_group.window",
                      name + ": timeWindowSize must be a multiple of PT5M, at most P1D (the hub counts by 5 minutes)");
    }
    rule.window = *window;
  }
  void read_values(const json::object& in, const CustomRuleType& type, CustomRule& rule) {
    const json::value* values = in.if_contains("allowlistValues");
    if (values == nullptr || !values->is_array() || values->get_array().size() > kSecurityGroupValuesMax) {
      return complain("security_group.values", std::string(type.name) + ": allowlistValues must be a list of at most " +
                                                   std::to_string(kSecurityGroupValuesMax) + " texts");
    }
    for (const json::value& value : values->get_array()) {
      const json::string* text = value.if_string();
      if (text == nullptr) return complain("security_group.values", std::string(type.name) + ": values must be texts");
      rule.values.emplace_back(text->data(), text->size());
      if (type.value_type == "IpCidr" && !parse_net_prefix(rule.values.back())) {
        return complain("security_group.values", "'" + rule.values.back() + "' is no network such as 192.0.2.0/24");
      }
    }
  }

  std::array<bool, kCustomRuleTypes> seen_{};
};

void write_rules(JsonWriter& out, const SecurityGroup& group, Kind kind) {
  out.begin_array();
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    const CustomRuleType& type = kTypes[i];
    const CustomRule& rule = group.rules[i];
    if (type.kind != kind) continue;
    out.begin_object().key("displayName").value(type.display_name).key("description").value(type.description);
    out.key("isEnabled").value(rule.enabled).key("ruleType").value(type.name);
    if (kind == Kind::time_window) {
      out.key("minThreshold").value(rule.minimum).key("maxThreshold").value(rule.maximum);
      out.key("timeWindowSize").value(format_iso_duration(rule.window));
    } else {
      out.key("valueType").value(type.value_type).key("allowlistValues").begin_array();
      for (const std::string& value : rule.values) out.value(value);
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::span<const CustomRuleType> custom_rule_types() { return kTypes; }

const CustomRuleType* find_custom_rule_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &CustomRuleType::name);
  return found == kTypes.end() ? nullptr : found;
}

Result<SecurityGroup> parse_security_group(std::string_view text, std::string* detail) {
  const auto refuse = [&](std::string_view where, const std::string& what) -> Result<SecurityGroup> {
    if (detail != nullptr) *detail = what;
    return fail(Errc::malformed, where);
  };
  if (text.size() > kSecurityGroupBytesMax) return refuse("security_group.size", "the body is too large");
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return refuse("security_group.json", "the body is no JSON object");
  Reader reader;
  reader.read(value.get_object());
  if (reader.complaint) return refuse(reader.complaint->where, reader.complaint->text);
  return std::move(reader.group);
}

std::string security_group_resource(const SecurityGroup& group, std::string_view hub_resource, std::string_view name) {
  JsonWriter out;
  const std::string id = std::string(hub_resource) + "/providers/Microsoft.Security/deviceSecurityGroups/";
  out.begin_object().key("id").value(id + std::string(name)).key("name").value(name);
  out.key("type").value("Microsoft.Security/deviceSecurityGroups").key("properties").begin_object();
  out.key("thresholdRules").raw(group.threshold_rules);
  out.key("timeWindowRules");
  write_rules(out, group, Kind::time_window);
  out.key("allowlistRules");
  write_rules(out, group, Kind::allow_list);
  out.key("denylistRules").raw(group.denylist_rules);
  return out.end_object().end_object().take();
}

Result<Duration> parse_iso_duration(std::string_view text) {
  const auto broken = [] { return fail(Errc::malformed, "iso_duration"); };
  if (!text.starts_with('P') || text.size() < 3) return broken();
  struct Unit {
    char letter;
    bool time;
    Duration length;
  };
  static constexpr Unit kUnits[] = {{'W', false, Duration::days(7)},
                                    {'D', false, Duration::days(1)},
                                    {'H', true, Duration::hours(1)},
                                    {'M', true, Duration::minutes(1)},
                                    {'S', true, Duration::seconds(1)}};
  Duration out;
  bool time = false;
  const Unit* next = std::begin(kUnits);
  for (std::size_t at = 1; at < text.size();) {
    if (text[at] == 'T') {
      if (time || at + 1 == text.size()) return broken();
      time = true;
      ++at;
      continue;
    }
    std::int64_t number = 0;
    const std::size_t begin = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      if (at - begin > 6) return broken();
      number = number * 10 + (text[at] - '0');
    }
    if (at == begin || at == text.size()) return broken();
    const Unit* unit = std::find_if(next, std::end(kUnits),
                                    [&](const Unit& one) { return one.letter == text[at] && one.time == time; });
    if (unit == std::end(kUnits)) return broken();
    out = out + unit->length * number;
    next = unit + 1;
    ++at;
  }
  return out;
}

std::string format_iso_duration(Duration duration) {
  const std::int64_t seconds = duration.whole_seconds();
  std::string out = "P";
  if (seconds >= 86'400) out += std::to_string(seconds / 86'400) + "D";
  const std::int64_t rest = seconds % 86'400;
  if (rest == 0 && seconds != 0) return out;
  out += 'T';
  if (rest >= 3600) out += std::to_string(rest / 3600) + "H";
  if (rest % 3600 >= 60) out += std::to_string(rest % 3600 / 60) + "M";
  if (rest % 60 != 0 || rest == 0) out += std::to_string(rest % 60) + "S";
  return out;
}

}  // namespace picket::pipeline
