// From plan to the SQL of one engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "kql/diagnostic.h"
#include "kql/plan.h"

namespace picket::kql {

/// A column that the SQL reads from a relation of the engine which has none of that name: whoever runs the SQL puts it
/// there. It is worth that where the engine keeps a relation in pieces and knows more of them than the SQL can say.
struct ComputedColumn {
  std::string relation;      ///< What stands after FROM, as the schema has it.
  std::string name;          ///< Not quoted.
  std::string sql;           ///< The value, over a row of the relation. No parameters.
  std::string sql_if_clear;  ///< The same value, shorter, in rows where the bits of `mask` are clear.
  Mask mask;
};

struct EmittedSql {
  std::string text;
  std::vector<Value> binds;
  std::vector<ComputedColumn> computed{};
  /// Rows of the stored tables before or after do not change the answer, by their time columns; nullopt: they may.
  std::optional<Timestamp> time_from{};
  std::optional<Timestamp> time_to{};
};

enum class ComputedColumns : std::uint8_t { none, allowed };

class Emitter {
 public:
  virtual ~Emitter() = default;
  /// Deterministic: the same plan gives the same text. Errors: limit_exceeded.
  [[nodiscard]] virtual Checked<EmittedSql> emit(const Plan& plan, ComputedColumns computed) const = 0;
};

/// DuckDB 1.4 and later. Stateless, lives as long as the process.
const Emitter& duckdb_emitter();

}  // namespace picket::kql
