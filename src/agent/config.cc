#include "agent/config.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/secret_file.h"
#include "agent/toml.h"
#include "base/core/file.h"

namespace picket::agent {
namespace {

std::string to_text(const TomlValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  std::string out;
  for (const std::string& item : std::get<std::vector<std::string>>(value)) out += (out.empty() ? "" : ",") + item;
  return out;
}

bool is_list(std::string_view key) {
  const auto table = setting_table();
  const auto found = std::ranges::find(table, key, &SettingInfo::key);
  return found != table.end() && found->form == "list";
}

}  // namespace

std::string_view to_string(SettingSource source) {
  constexpr std::string_view names[] = {"default", "file", "environment", "command line", "twin"};
  return names[static_cast<std::size_t>(source)];
}

std::string environment_name(std::string_view key) {
  std::string out = "PICKET_";
  for (const char c : key) {
    out.push_back(c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

Checked<Config> load_config(const ConfigSources& sources) {
  Config config;
  if (sources.file_text) {
    const auto entries = parse_toml(*sources.file_text);
    if (!entries) {
      return std::unexpected(sources.file_path + ":" + std::to_string(entries.error().line) + ": " +
                             entries.error().text);
    }
    for (const TomlEntry& entry : *entries) {
      const std::string where = sources.file_path + ":" + std::to_string(entry.line) + ": ";
      if (std::holds_alternative<std::vector<std::string>>(entry.value) && !is_list(entry.key)) {
        return std::unexpected(where + entry.key + ": a single value is expected, not a list");
      }
      if (auto problem = change_setting(config, entry.key, to_text(entry.value), SettingSource::file);
          !problem.empty()) {
        return std::unexpected(where + problem);
      }
    }
  }
  for (const SettingInfo& info : setting_table()) {
    const std::string name = environment_name(info.key);
    const auto found = sources.environment.find(name);
    if (found == sources.environment.end()) continue;
    if (auto problem = change_setting(config, info.key, found->second, SettingSource::environment); !problem.empty()) {
      return std::unexpected("environment variable " + name + ": " + problem);
    }
  }
  for (const auto& [key, value] : sources.settings) {
    if (auto problem = change_setting(config, key, value, SettingSource::command_line); !problem.empty()) {
      return std::unexpected("command line: " + problem);
    }
  }
  config.collectors.state_dir = config.data_dir;
  return config;
}

Checked<ConnectionString> resolve_connection_string(const Config& config) {
  if (!config.connection_string.empty()) return parse_connection_string(config.connection_string);
  const std::string& path = config.connection_string_file;
  if (path.empty()) {
    return std::unexpected(
        std::string("no connection string: set connection_string_file (or connection_string) in the settings, or "
                    "PICKET_CONNECTION_STRING; get one with: picket device connection-string DEVICE"));
  }
  const auto text = read_secret_file(path, 4'096);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_connection_string(*text);
  if (!parsed) return std::unexpected(path + ": " + parsed.error());
  return parsed;
}

}  // namespace picket::agent
