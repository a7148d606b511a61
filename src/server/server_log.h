// Log lines of parts that take a function instead of the log.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/server/log.h"

namespace picket::server {

inline std::function<void(std::string_view)> log_to(std::string component) {
  return [component = std::move(component)](std::string_view text) { log::write(log::Level::info, component, text); };
}

}  // namespace picket::server
