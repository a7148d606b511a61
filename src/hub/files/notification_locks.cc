#include "notification_locks.h"

#include <algorithm>

#include "base/core/random.h"

namespace picket::hub {

std::vector<NotificationLocks::Lock>& NotificationLocks::alive(const std::string& hub, Duration now) {
  auto& locks = hubs_[hub];
  std::erase_if(locks, [now](const Lock& lock) { return !lock.settling && lock.until <= now; });
  return locks;
}

std::optional<std::int64_t> NotificationLocks::first_free(const std::vector<Lock>& locks,
                                                          const std::vector<std::int64_t>& ids) {
  if (locks.size() >= kLocksMax) return std::nullopt;
  for (const auto id : ids) {
    if (std::ranges::find(locks, id, &Lock::id) == locks.end()) return id;
  }
  return std::nullopt;
}

std::optional<std::pair<std::int64_t, std::string>> NotificationLocks::take(const std::string& hub,
                                                                            const std::vector<std::int64_t>& ids,
                                                                            Duration now, Duration until) {
  const std::scoped_lock guard(mutex_);
  auto& locks = alive(hub, now);
  const auto id = first_free(locks, ids);
  if (!id) return std::nullopt;
  const auto& lock = locks.emplace_back(*id, random_uuid(), until, false);
  return std::pair(lock.id, lock.token);
}

bool NotificationLocks::any_free(const std::string& hub, const std::vector<std::int64_t>& ids, Duration now) {
  const std::scoped_lock guard(mutex_);
  return first_free(alive(hub, now), ids).has_value();
}

std::optional<std::int64_t> NotificationLocks::begin_settling(const std::string& hub, std::string_view token,
                                                              Duration now) {
  const std::scoped_lock guard(mutex_);
  auto& locks = alive(hub, now);
  const auto found = std::ranges::find(locks, token, &Lock::token);
  if (found == locks.end() || found->settling) return std::nullopt;
  found->settling = true;
  return found->id;
}

void NotificationLocks::release(const std::string& hub, std::int64_t id) {
  const std::scoped_lock guard(mutex_);
  std::erase_if(hubs_[hub], [id](const Lock& lock) { return lock.id == id; });
}

}  // namespace picket::hub
