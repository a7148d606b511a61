// CHECK: a broken invariant of our own ends the process, in release too. Data from outside never reaches a CHECK.
#pragma once

namespace picket {

/// Writes "CHECK failed: <reason> (<expression>) at file:line" to stderr and aborts.
[[noreturn]] void check_failed(const char* expression, const char* reason, const char* file, int line);

}  // namespace picket

#define CHECK(condition, reason) \
  (static_cast<bool>(condition) ? void(0) : ::picket::check_failed(#condition, reason, __FILE__, __LINE__))
