// The head of an HTTP/1.1 answer: what a proxy or a WebSocket server says before the bytes begin. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace picket::agent {

inline constexpr std::size_t kHttpHeadBytesMax = 8'192;

/// Views into what was parsed.
struct HttpHead {
  int status = 0;
  std::string_view reason;
  std::string_view fields;  ///< Header lines, without the empty one.
  std::size_t bytes = 0;    ///< Of the whole head; what follows is not HTTP's any more.

  /// Value of the first field of this name, any case, without white space around it; empty: not there.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// nullopt: not whole yet. Errors: limit_exceeded (no end within kHttpHeadBytesMax), malformed.
Result<std::optional<HttpHead>> parse_http_head(std::string_view received);

/// Compares ASCII text without case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace picket::agent
