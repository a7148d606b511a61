// Log lines of the server: time, level, component, text. One sink (stderr), set up once by the program.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace picket::log {

enum class Level { debug, info, warning, error };

/// Lines below `level` are not written. Default: info.
void set_level(Level level);
void write(Level level, std::string_view component, std::string_view text);

/// log::info("hub", "device {} connected", id); text from outside is escaped: a line is always one line.
template <class... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace picket::log
