// Bootstrap configuration: flag > PICKET_* environment variable > TOML file > default (docs/configuration.md).
// Only what must be known before the state can be read: directories, ports, roles. Everything else lives in the state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket {

/// One setting: `key` is its TOML path ("listen.mqtt_port"); the variable is PICKET_ + upper case with '_' for '.'.
struct Setting {
  std::string_view key;
  std::string_view default_value;
  std::string_view help;  ///< One line, with unit and range.
};

/// What went wrong, for people: names the source (flag, variable, file with line), the key and what to do.
struct ConfigError {
  std::string text;
};

/// Values of the known settings after all sources were merged; values are text, typed getters check them.
class Config {
 public:
  using Environment = std::function<const char*(const char*)>;  ///< getenv-like

  /// `file` may be empty (no file). `flags` holds key -> value from the command line. A key that is not in `settings`
  /// is an error, as is a file that is not TOML.
  static std::expected<Config, ConfigError> load(const std::vector<Setting>& settings, const std::string& file,
                                                 const std::map<std::string, std::string>& flags,
                                                 const Environment& environment);

  [[nodiscard]] const std::string& text(std::string_view key) const;
  /// Whole number in [min, max].
  [[nodiscard]] std::expected<std::int64_t, ConfigError> number(std::string_view key, std::int64_t min,
                                                                std::int64_t max) const;
  /// Comma-separated list, blanks around items removed, empty items refused.
  [[nodiscard]] std::expected<std::vector<std::string>, ConfigError> list(std::string_view key) const;
  /// "flag", "PICKET_X", "file:line" or "default".
  [[nodiscard]] const std::string& source(std::string_view key) const;

 private:
  struct Value {
    std::string text;
    std::string source;
  };
  [[nodiscard]] const Value& at(std::string_view key) const;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace picket
