// Which commands are in the hands of a device right now. In memory: a restart forgets, and delivers again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/identity_key.h"

namespace picket::hub {

/// Thread-safe. Bounded by the queues: at most kCommandsMax locks a device.
class LockTable {
 public:
  struct Held {
    std::int64_t sequence = 0;
    std::string protocol;
  };

  /// Takes it for a device. `until` 0: until settled or unlock_all(). nullopt: somebody holds it.
  std::optional<std::string> take(const IdentityKey& device, std::int64_t sequence, std::string_view protocol,
                                  Duration now, Duration until);
  /// Takes it for the hub itself (expiry), if nobody holds it or its holder has had it long enough (`force`).
  /// Returns the protocol of a holder who lost it, empty when there was none; nullopt: it is held.
  std::optional<std::string> take_over(const IdentityKey& device, std::int64_t sequence, Duration now, bool force);
  /// The holder settles: the lock stays until release(), whatever happens to the link. nullopt: the lock is lost.
  std::optional<Held> begin_settling(const IdentityKey& device, std::string_view token, Duration now);
  /// The store said no: the holder may settle again.
  void keep(const IdentityKey& device, std::int64_t sequence);
  /// Settled, or nothing to lock.
  void release(const IdentityKey& device, std::int64_t sequence);
  /// All locks of links; what is being settled stays. Returns how many were freed.
  std::size_t unlock_all(const IdentityKey& device);
  /// Forgets locks whose time is over.
  void prune(Duration now);
  [[nodiscard]] std::uint64_t size() const;

 private:
  struct Lock {
    std::int64_t sequence = 0;
    std::string token;
    std::string protocol;
    Duration until;  ///< 0: of a link.
    bool settling = false;
  };
  using Locks = std::vector<Lock>;
  static bool alive(const Lock& lock, Duration now) { return lock.settling || lock.until.us == 0 || lock.until > now; }
  static Lock* find(Locks& locks, std::int64_t sequence);

  mutable std::mutex mutex_;
  std::map<IdentityKey, Locks> devices_;
};

}  // namespace picket::hub
