// Sessions over the state, and in memory for tests.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "hub/sessions.h"
#include "state/database.h"

namespace picket::hub {

/// Any thread. `database` outlives it. store() of an identity that has gone (deleted, made anew) answers 404001.
std::unique_ptr<Sessions> make_sessions(state::Database& database);

/// Any thread. Knows every identity.
class MemorySessions final : public Sessions {
 public:
  [[nodiscard]] Result<std::uint32_t> load(const Identity& identity) const override;
  void store(const Identity& identity, std::uint32_t mask, Done<> done) override;

 private:
  mutable std::mutex mutex_;
  std::map<Identity, std::uint32_t> masks_;
};

}  // namespace picket::hub
