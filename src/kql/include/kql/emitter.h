// From plan to the SQL of one engine.
#pragma once

#include <string>
#include <vector>

#include "kql/diagnostic.h"
#include "kql/plan.h"

namespace picket::kql {

struct EmittedSql {
  std::string text;
  std::vector<Value> binds;
};

class Emitter {
 public:
  virtual ~Emitter() = default;
  /// Deterministic: the same plan gives the same text. Errors: limit_exceeded.
  [[nodiscard]] virtual Checked<EmittedSql> emit(const Plan& plan) const = 0;
};

/// DuckDB 1.4 and later. Stateless, lives as long as the process.
const Emitter& duckdb_emitter();

}  // namespace picket::kql
