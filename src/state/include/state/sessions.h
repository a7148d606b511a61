// What sessions remember beyond their connection (decision 17), by identity and generation.
#pragma once

#include <cstdint>

#include "base/core/identity.h"
#include "base/core/result.h"

struct sqlite3;

namespace picket::state {

/// For use inside Database's bodies. Rows go with their device or module.
struct SessionTable {
  /// 0: none, or that of another generation.
  static Result<std::uint32_t> load(sqlite3* db, const Identity& identity);
  /// 0 removes it. Errors: not_found when this generation of the identity is not there (any more).
  static Result<> store(sqlite3* db, const Identity& identity, std::uint32_t mask);
};

}  // namespace picket::state
