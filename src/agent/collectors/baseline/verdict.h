// What a check, or a part of one, came to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace picket::agent::baseline {

enum class State : std::uint8_t {
  pass,
  fail,
  skip,  ///< Not applicable here.
  error  ///< It could not be found out.
};
/// As on the wire: PASS, FAIL, SKIP, ERROR.
std::string_view to_string(State state);

struct Verdict {
  State state = State::error;
  std::string observed;  ///< What was seen, or why it could not be seen; at most kObservedMax bytes.
};
inline constexpr std::size_t kObservedMax = 400;

/// Adds one observation, "; " between them. What is past the bound is left out.
void observe(std::string& observed, std::string_view first, std::string_view second = {}, std::string_view third = {});

/// State of a condition.
constexpr State pass_if(bool holds) { return holds ? State::pass : State::fail; }

}  // namespace picket::agent::baseline
