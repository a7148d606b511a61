// A long statement in short slices, so that a seal never waits long for it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "duckdb/api.h"

namespace picket::workspace {

/// One statement under way on a connection that does nothing else meanwhile. Not thread-safe; ends early when it is
/// destroyed. Its rows are dropped.
class SlicedStatement {
 public:
  /// `connection` outlives it. `where` names its failures (static storage).
  static Outcome<std::unique_ptr<SlicedStatement>> start(const Connection& connection, const std::string& sql,
                                                         std::string_view where);

  /// Works for about `slice`; a step of the engine that is longer is finished first. True: done.
  Outcome<bool> run_for(std::chrono::milliseconds slice);

 private:
  explicit SlicedStatement(std::string_view where) : where_(where) {}

  std::string_view where_;
  Prepared prepared_;
  Pending pending_;
};

}  // namespace picket::workspace
