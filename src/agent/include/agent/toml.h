// A strict subset of TOML 1.0 for settings: what agent.toml needs, small enough for the static binary (toml++ adds
// 720 KB to it).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace picket::agent {

using TomlValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

struct TomlEntry {
  std::string key;  ///< Dotted, with the names of its tables: "collectors.process.tier".
  TomlValue value;
  std::size_t line = 0;  ///< From 1.
};

struct TomlError {
  std::size_t line = 0;
  std::string text;  ///< For people.
};

inline constexpr std::size_t kTomlBytesMax = 64 << 10;
inline constexpr std::size_t kTomlEntriesMax = 1'024;

/// Accepts comments, [tables], bare and dotted keys, basic "…" strings with escapes, literal '…' strings, decimal
/// integers with '_', booleans, and arrays of strings (over several lines, with a comma at the end). Whatever else TOML
/// has (dates, floats, inline tables, arrays of tables, multi-line strings, quoted keys) is an error that says so,
/// never a guess. A key or a table twice is an error, as in TOML.
std::expected<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text);

}  // namespace picket::agent
