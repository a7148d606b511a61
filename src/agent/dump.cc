#include "agent/dump.h"

#include "base/core/json_writer.h"

namespace picket::agent {
namespace {

constexpr std::string_view kHidden = "(set, not shown)";

SettingValue value_of(const Config& config, std::string_view key) {
  const auto found = config.chosen.find(key);
  if (found == config.chosen.end()) return {setting_default(key), SettingSource::standard};
  if (is_secret_setting(key)) return {std::string(kHidden), found->second.source};
  return found->second;
}

}  // namespace

std::string dump_json(const AgentStatus& status, const Config& config, const std::vector<LogLines::Line>& warnings) {
  JsonWriter json;
  json.begin_object().key("status").raw(status_json(status));
  json.key("settings").begin_array();
  for (const SettingInfo& info : setting_table()) {
    const SettingValue value = value_of(config, info.key);
    json.begin_object().key("name").value(info.key).key("value").value(value.text);
    json.key("source").value(to_string(value.source)).end_object();
  }
  json.end_array().key("warnings").begin_array();
  for (const LogLines::Line& line : warnings) {
    json.begin_object().key("time").value(line.time).key("text").value(line.text).end_object();
  }
  return json.end_array().end_object().take();
}

std::string dump_text(const AgentStatus& status, const Config& config, const std::vector<LogLines::Line>& warnings) {
  std::string out = status_table(status) + "\nsettings that are not at their default\n";
  for (const auto& [key, chosen] : config.chosen) {
    const SettingValue value = value_of(config, key);
    if (value.text == setting_default(key)) continue;
    out += "  " + key + " = " + value.text + "  (" + std::string(to_string(value.source)) + ")\n";
  }
  out += "\nlast warnings\n";
  if (warnings.empty()) out += "  none\n";
  for (const LogLines::Line& line : warnings) out += "  " + format_rfc3339(line.time) + "  " + line.text + "\n";
  return out;
}

}  // namespace picket::agent
