#include "hub/session_store.h"

#include <utility>

#include "state/sessions.h"

namespace picket::hub {
namespace {

class StoredSessions final : public Sessions {
 public:
  explicit StoredSessions(state::Database& database) : database_(database) {}

  [[nodiscard]] Result<std::uint32_t> load(const Identity& identity) const override {
    std::uint32_t out = 0;
    TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(out, state::SessionTable::load(db, identity));
      return {};
    }));
    return out;
  }

  void store(const Identity& identity, std::uint32_t mask, Done<> done) override {
    database_.submit([identity, mask](sqlite3* db) { return state::SessionTable::store(db, identity, mask); },
                     [name = display_name(identity), done = std::move(done)](Result<> stored) mutable {
                       if (!stored) return done(std::unexpected(from_store(stored.error(), name)));
                       done({});
                     });
  }

 private:
  state::Database& database_;
};

}  // namespace

std::unique_ptr<Sessions> make_sessions(state::Database& database) {
  return std::make_unique<StoredSessions>(database);
}

Result<std::uint32_t> MemorySessions::load(const Identity& identity) const {
  const std::scoped_lock lock(mutex_);
  const auto found = masks_.find(identity);
  return found == masks_.end() ? 0U : found->second;
}

void MemorySessions::store(const Identity& identity, std::uint32_t mask, Done<> done) {
  {
    const std::scoped_lock lock(mutex_);
    if (mask == 0) {
      masks_.erase(identity);
    } else {
      masks_[identity] = mask;
    }
  }
  done({});
}

}  // namespace picket::hub
