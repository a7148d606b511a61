#include "lock_table.h"

#include <algorithm>
#include <utility>

#include "base/core/random.h"

namespace picket::hub {

LockTable::Lock* LockTable::find(Locks& locks, std::int64_t sequence) {
  const auto found = std::ranges::find(locks, sequence, &Lock::sequence);
  return found == locks.end() ? nullptr : &*found;
}

std::optional<std::string> LockTable::take(const IdentityKey& device, std::int64_t sequence, std::string_view protocol,
                                           Duration now, Duration until) {
  const std::scoped_lock guard(mutex_);
  auto& locks = devices_[device];
  auto* lock = find(locks, sequence);
  if (lock != nullptr && alive(*lock, now)) return std::nullopt;
  if (lock == nullptr) lock = &locks.emplace_back();
  *lock = {sequence, random_uuid(), std::string(protocol), until, false};
  return lock->token;
}

std::optional<std::string> LockTable::take_over(const IdentityKey& device, std::int64_t sequence, Duration now,
                                                bool force) {
  const std::scoped_lock guard(mutex_);
  auto& locks = devices_[device];
  auto* lock = find(locks, sequence);
  if (lock != nullptr && (lock->settling || (alive(*lock, now) && !force))) return std::nullopt;
  std::string protocol = lock == nullptr ? std::string() : lock->protocol;
  if (lock == nullptr) lock = &locks.emplace_back();
  *lock = {sequence, random_uuid(), protocol, {}, true};
  return protocol;
}

std::optional<LockTable::Held> LockTable::begin_settling(const IdentityKey& device, std::string_view token,
                                                         Duration now) {
  const std::scoped_lock guard(mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end()) return std::nullopt;
  const auto lock = std::ranges::find(found->second, token, &Lock::token);
  if (lock == found->second.end() || lock->settling || !alive(*lock, now)) return std::nullopt;
  lock->settling = true;
  return Held{lock->sequence, lock->protocol};
}

void LockTable::keep(const IdentityKey& device, std::int64_t sequence) {
  const std::scoped_lock guard(mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end()) return;
  if (auto* lock = find(found->second, sequence)) lock->settling = false;
}

void LockTable::release(const IdentityKey& device, std::int64_t sequence) {
  const std::scoped_lock guard(mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end()) return;
  std::erase_if(found->second, [&](const Lock& lock) { return lock.sequence == sequence; });
  if (found->second.empty()) devices_.erase(found);
}

std::size_t LockTable::unlock_all(const IdentityKey& device) {
  const std::scoped_lock guard(mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end()) return 0;
  const auto freed =
      std::erase_if(found->second, [](const Lock& lock) { return lock.until.us == 0 && !lock.settling; });
  if (found->second.empty()) devices_.erase(found);
  return freed;
}

void LockTable::prune(Duration now) {
  const std::scoped_lock guard(mutex_);
  for (auto at = devices_.begin(); at != devices_.end();) {
    std::erase_if(at->second, [&](const Lock& lock) { return !alive(lock, now); });
    at = at->second.empty() ? devices_.erase(at) : std::next(at);
  }
}

std::uint64_t LockTable::size() const {
  const std::scoped_lock guard(mutex_);
  std::uint64_t out = 0;
  for (const auto& [device, locks] : devices_) out += locks.size();
  return out;
}

}  // namespace picket::hub
