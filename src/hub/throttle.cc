#include "hub/throttle.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/core/hash.h"
#include "base/core/random.h"

namespace picket::hub {
namespace {

constexpr double kMinute = 60;
constexpr std::uint32_t kUnitsMax = 200;

struct Tier {
  std::string_view name;
  // For one unit; `floor` is what the whole hub has at least.
  double registry, connects, connects_floor, sends, commands, uploads;
  double reads, reads_floor, updates, updates_floor, queries, method_bytes;
  std::uint64_t messages_per_day;
};
// IoT Hub's table of throttles; spec/hub.md 1.8.
constexpr std::array<Tier, 4> kTiers = {{
    {"F1", 1.67, 12, 100, 12, 1.67, 1.67, 0, 100, 0, 50, 20 / kMinute, 160e3, 8'000},
    {"S1", 1.67, 12, 100, 12, 1.67, 1.67, 0, 100, 0, 50, 20 / kMinute, 160e3, 400'000},
    {"S2", 1.67, 120, 0, 120, 1.67, 1.67, 10, 100, 5, 50, 20 / kMinute, 480e3, 6'000'000},
    {"S3", 83.33, 6000, 0, 6000, 83.33, 83.33, 500, 0, 250, 0, 1000 / kMinute, 24e6, 300'000'000},
}};

Rate rate(double per_second, double burst_min = 0) { return {per_second, std::max(per_second, burst_min)}; }

struct Bucket {
  double tokens = 0;
  Duration filled{};
  bool used = false;

  /// How long the taker has to wait; nullopt: too long, nothing was taken.
  std::optional<Duration> take(const Rate& limit, double amount, Duration now, double debt_max) {
    if (!used) tokens = limit.burst;
    used = true;
    tokens = std::min(limit.burst, tokens + static_cast<double>((now - filled).us) / 1e6 * limit.per_second);
    filled = now;
    // A single operation larger than the bucket waits its time, but is possible.
    if (tokens < 0 && amount - tokens > debt_max) return std::nullopt;
    tokens -= amount;
    return tokens >= 0 ? Duration{} : Duration{static_cast<std::int64_t>(-tokens / limit.per_second * 1e6)};
  }
};

std::int64_t day_of(Timestamp time) { return time.us / Duration::hours(24).us; }

}  // namespace

Limits tier_limits(std::string_view tier, std::uint32_t units) {
  const auto found = std::ranges::find(kTiers, tier, &Tier::name);
  Limits out;
  if (found == kTiers.end()) return out;
  const auto times = static_cast<double>(std::clamp(units, 1U, kUnitsMax));
  out[Meter::connects] = rate(std::max(found->connects_floor, found->connects * times));
  out[Meter::d2c_messages] = rate(std::max(found->connects_floor, found->sends * times));
  out[Meter::c2d_messages] = rate(found->commands * times, 10);
  out[Meter::twin_reads] = rate(std::max(found->reads_floor, found->reads * times));
  out[Meter::twin_updates] = rate(std::max(found->updates_floor, found->updates * times));
  out[Meter::registry] = rate(found->registry * times, 10);
  out[Meter::queries] = rate(found->queries * times, 10);
  out[Meter::method_bytes] = rate(found->method_bytes * times);
  out[Meter::uploads] = rate(found->uploads * times, 10);
  out.messages_per_day = found->messages_per_day * static_cast<std::uint64_t>(times);
  return out;
}

Limits identity_limits() {
  Limits out;
  out[Meter::connects] = {2, 120};
  out[Meter::d2c_messages] = {10'000, 100'000};
  out[Meter::twin_reads] = {50, 200};
  out[Meter::twin_updates] = {50, 200};
  out[Meter::uploads] = {1, 20};
  return out;
}

struct Throttle::Parts {
  struct Hub {
    Limits limits;
    std::array<Bucket, kMeters> buckets;
    std::int64_t day = 0;
    std::uint64_t blocks = 0;
  };
  struct Compact {
    float tokens = 0;
    bool used = false;
    Duration filled{};
  };

  Verdict take_from(Bucket& bucket, const Rate& limit, std::size_t meter, double amount, Duration now) {
    if (limit.per_second <= 0) return {};
    const auto debt_max = limit.per_second * static_cast<double>(kShapeMax.us) / 1e6;
    const auto wait = bucket.take(limit, amount, now, debt_max);
    if (!wait) {
      ++stats.refused[meter];
      return {Duration{static_cast<std::int64_t>((amount - bucket.tokens) / limit.per_second * 1e6)}, true};
    }
    if (wait->us > 0) ++stats.delayed[meter];
    return {*wait, false};
  }
  Verdict take_of_identity(const IdentityKey& identity, std::size_t meter, double amount, Duration now) {
    const auto& limit = identities.rates[meter];
    if (limit.per_second <= 0) return {};
    if (shared.empty()) shared.resize(kIdentityBuckets);
    std::string name = identity.hub;
    name.append(1, '\0').append(identity.device_id).append(1, '\0').append(identity.module_id);
    name.push_back(static_cast<char>(meter));
    auto& compact = shared[siphash24(key, as_bytes(name)) % shared.size()];
    Bucket bucket{compact.tokens, compact.filled, compact.used};
    const auto verdict = take_from(bucket, limit, meter, amount, now);
    compact = {static_cast<float>(bucket.tokens), bucket.used, bucket.filled};
    return verdict;
  }
  Verdict take_of_hub(std::string_view name, std::size_t meter, double amount, Duration now) {
    const auto found = hubs.find(name);
    if (found == hubs.end()) return {};
    return take_from(found->second.buckets[meter], found->second.limits.rates[meter], meter, amount, now);
  }

  mutable std::mutex mutex;
  std::map<std::string, Hub, std::less<>> hubs;
  Limits identities;
  std::vector<Compact> shared;  ///< Made with the first identity that has a limit.
  SipKey key{random_u64(), random_u64()};
  Stats stats;
};

Throttle::Throttle() : parts_(std::make_unique<Parts>()) {}
Throttle::~Throttle() = default;

void Throttle::set_hub(std::string_view hub, const Limits& limits) {
  const std::scoped_lock lock(parts_->mutex);
  parts_->hubs[std::string(hub)].limits = limits;
}

void Throttle::set_identities(const Limits& limits) {
  const std::scoped_lock lock(parts_->mutex);
  parts_->identities = limits;
}

Verdict Throttle::take(const IdentityKey& identity, Meter meter, double amount, Duration now) {
  const auto number = static_cast<std::size_t>(meter);
  const std::scoped_lock lock(parts_->mutex);
  const auto own = parts_->take_of_identity(identity, number, amount, now);
  if (own.refused) return own;
  const auto hub = parts_->take_of_hub(identity.hub, number, amount, now);
  if (hub.refused) return hub;
  return {std::max(own.delay, hub.delay), false};
}

Verdict Throttle::take_of_hub(std::string_view hub, Meter meter, double amount, Duration now) {
  const std::scoped_lock lock(parts_->mutex);
  return parts_->take_of_hub(hub, static_cast<std::size_t>(meter), amount, now);
}

bool Throttle::take_of_day(std::string_view hub, std::uint64_t blocks, Timestamp time) {
  const std::scoped_lock lock(parts_->mutex);
  const auto found = parts_->hubs.find(hub);
  if (found == parts_->hubs.end()) return true;
  auto& entry = found->second;
  if (entry.day != day_of(time)) {
    entry.day = day_of(time);
    entry.blocks = 0;
  }
  const auto limit = entry.limits.messages_per_day;
  if (limit != 0 && entry.blocks + blocks > limit) return false;
  entry.blocks += blocks;
  return true;
}

std::uint64_t Throttle::used_today(std::string_view hub, Timestamp time) const {
  const std::scoped_lock lock(parts_->mutex);
  const auto found = parts_->hubs.find(hub);
  return found == parts_->hubs.end() || found->second.day != day_of(time) ? 0 : found->second.blocks;
}

std::vector<Throttle::Day> Throttle::days() const {
  std::vector<Day> out;
  const std::scoped_lock lock(parts_->mutex);
  for (const auto& [name, hub] : parts_->hubs) {
    if (hub.blocks > 0) out.push_back({name, hub.day, hub.blocks});
  }
  return out;
}

void Throttle::restore(const Day& day) {
  const std::scoped_lock lock(parts_->mutex);
  const auto found = parts_->hubs.find(day.hub);
  if (found == parts_->hubs.end()) return;
  found->second.day = day.day;
  found->second.blocks = day.blocks;
}

Throttle::Stats Throttle::stats() const {
  const std::scoped_lock lock(parts_->mutex);
  return parts_->stats;
}

}  // namespace picket::hub
