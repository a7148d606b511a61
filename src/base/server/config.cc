#include "base/server/config.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/core/check.h"

namespace picket {
namespace {

std::unexpected<ConfigError> error(std::string text) { return std::unexpected(ConfigError{std::move(text)}); }

std::string variable_of(std::string_view key) {
  std::string out = "PICKET_";
  for (const char c : key)
    out.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return out;
}

std::string known_keys(const std::vector<Setting>& settings) {
  std::string out;
  for (const Setting& setting : settings) out += fmt::format("{}{}", out.empty() ? "" : ", ", setting.key);
  return out;
}

// A TOML scalar or list of scalars as the text form that flags and variables have.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    std::string out;
    for (const toml::node& item : *list) {
      const auto text = text_of(item);
      if (!text) return std::nullopt;
      out += (out.empty() ? "" : ",") + *text;
    }
    return out;
  }
  return std::nullopt;
}

struct FileValue {
  std::string text;
  std::string source;
};

std::expected<void, ConfigError> flatten(const toml::table& table, const std::string& prefix, const std::string& file,
                                         std::map<std::string, FileValue>& out) {
  for (const auto& [key, node] : table) {
    const std::string path = prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const auto* child = node.as_table()) {
      if (auto done = flatten(*child, path, file, out); !done) return done;
      continue;
    }
    const std::string source = fmt::format("{}:{}", file, node.source().begin.line);
    const auto text = text_of(node);
    if (!text) return error(fmt::format("{}: {} must be text, a number, a boolean or a list of those", source, path));
    out[path] = {*text, source};
  }
  return {};
}

std::expected<std::map<std::string, FileValue>, ConfigError> read_toml(const std::string& file) {
  std::map<std::string, FileValue> out;
  if (file.empty()) return out;
  const toml::parse_result parsed = toml::parse_file(file);
  if (!parsed) {
    return error(
        fmt::format("{}:{}: not TOML: {}", file, parsed.error().source().begin.line, parsed.error().description()));
  }
  if (auto done = flatten(parsed.table(), "", file, out); !done) return std::unexpected(done.error());
  return out;
}

}  // namespace

std::expected<Config, ConfigError> Config::load(const std::vector<Setting>& settings, const std::string& file,
                                                const std::map<std::string, std::string>& flags,
                                                const Environment& environment) {
  auto in_file = read_toml(file);
  if (!in_file) return std::unexpected(in_file.error());
  const auto known = [&](std::string_view key) {
    return std::ranges::any_of(settings, [&](const Setting& setting) { return setting.key == key; });
  };
  for (const auto& [key, value] : *in_file) {
    if (!known(key)) {
      return error(fmt::format("{}: unknown setting '{}'; known are: {}", value.source, key, known_keys(settings)));
    }
  }
  Config out;
  for (const Setting& setting : settings) {
    const std::string key(setting.key);
    Value value{std::string(setting.default_value), "default"};
    if (const auto found = in_file->find(key); found != in_file->end())
      value = {found->second.text, found->second.source};
    const std::string variable = variable_of(setting.key);
    if (const char* text = environment(variable.c_str())) value = {text, variable};
    if (const auto found = flags.find(key); found != flags.end()) value = {found->second, "flag"};
    out.values_[key] = std::move(value);
  }
  for (const auto& [key, value] : flags) CHECK(known(key), "flags are made from the settings");
  return out;
}

const Config::Value& Config::at(std::string_view key) const {
  const auto found = values_.find(key);
  CHECK(found != values_.end(), "only declared settings are asked for");
  return found->second;
}

const std::string& Config::text(std::string_view key) const { return at(key).text; }
const std::string& Config::source(std::string_view key) const { return at(key).source; }

std::expected<std::int64_t, ConfigError> Config::number(std::string_view key, std::int64_t min,
                                                        std::int64_t max) const {
  const Value& value = at(key);
  std::int64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, failed] = std::from_chars(value.text.data(), end, number);
  if (failed != std::errc{} || stop != end || number < min || number > max) {
    return error(fmt::format("{}: {} is '{}', but must be a whole number from {} to {}", value.source, key, value.text,
                             min, max));
  }
  return number;
}

std::expected<std::vector<std::string>, ConfigError> Config::list(std::string_view key) const {
  const Value& value = at(key);
  std::vector<std::string> out;
  std::string_view rest = value.text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty()) return error(fmt::format("{}: {} has an empty item: '{}'", value.source, key, value.text));
    out.emplace_back(item);
  }
  return out;
}

}  // namespace picket
