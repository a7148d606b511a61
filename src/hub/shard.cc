#include "shard.h"

#include <boost/asio/steady_timer.hpp>

#include "base/core/hash.h"
#include "mqtt_connection.h"

namespace picket::hub {
namespace {

/// A TLS record is at most this long.
constexpr std::size_t kScratchBytes = 16 * 1024;

}  // namespace

struct Shard::Ticker {
  explicit Ticker(net::asio::any_io_executor executor) : timer(std::move(executor)) {}
  net::asio::steady_timer timer;
  bool stopped = false;
};

Shard::Shard(HeadContext& context, std::size_t thread)
    : context_(context),
      thread_(thread),
      connects_(context.options.connects_per_second / static_cast<double>(context.needs.threads.size()),
                context.options.connects_burst / static_cast<double>(context.needs.threads.size()), 1, {}),
      completions_(std::make_shared<CompletionQueue>(
          [this] { context_.needs.threads.post(thread_, [this] { deliver_completions(); }); })),
      scratch_(kScratchBytes),
      ticker_(std::make_unique<Ticker>(context.needs.threads.executor(thread))) {}

Shard::~Shard() { completions_->close(); }

Address Shard::enter(MqttConnection& connection) {
  const Address address{thread_, next_connection_++};
  connections_.emplace(address.connection, &connection);
  return address;
}

void Shard::leave(Address address) { connections_.erase(address.connection); }

Shard& Shard::home_of(const Identity& identity) {
  const auto hash = fnv1a64(as_bytes(identity.device_id), fnv1a64(as_bytes(identity.hub)));
  return *context_.shards[hash % context_.shards.size()];
}

void Shard::claim(const Identity& identity, Address address) {
  auto& home = home_of(identity);
  context_.needs.threads.post(home.thread_,
                              [&home, key = key_of(identity), address] { home.claim_at_home(key, address); });
}

void Shard::claim_at_home(const Key& key, Address address) {
  const auto [entry, first] = directory_.try_emplace(key, address);
  auto& threads = context_.needs.threads;
  auto& newcomer = *context_.shards[address.thread];
  const auto grant = [&newcomer, address] { newcomer.grant_if_here(address.connection); };
  if (first) return threads.post(address.thread, grant);
  const auto old = std::exchange(entry->second, address);
  auto& holder = *context_.shards[old.thread];
  threads.post(old.thread, [&holder, &threads, old, address, grant] {
    const auto found = holder.connections_.find(old.connection);
    auto then = [&threads, address, grant] { threads.post(address.thread, grant); };
    if (found == holder.connections_.end()) return then();
    found->second->close_then(DisconnectReason::evicted, std::move(then));  // closed before the newcomer's CONNACK
  });
}

void Shard::release(const Identity& identity, Address address) {
  auto& home = home_of(identity);
  context_.needs.threads.post(home.thread_, [&home, key = key_of(identity), address] {
    const auto found = home.directory_.find(key);
    if (found != home.directory_.end() && found->second == address) home.directory_.erase(found);
  });
}

void Shard::revoke(const Identity& identity) {
  auto& home = home_of(identity);
  context_.needs.threads.post(home.thread_, [&home, key = key_of(identity)] {
    const bool whole_device = std::get<2>(key).empty();
    for (auto at = home.directory_.lower_bound(key); at != home.directory_.end(); ++at) {
      const auto& [hub, device, module] = at->first;
      if (hub != std::get<0>(key) || device != std::get<1>(key)) break;
      if (!whole_device && module != std::get<2>(key)) break;
      auto& holder = *home.context_.shards[at->second.thread];
      home.context_.needs.threads.post(at->second.thread, [&holder, connection = at->second.connection] {
        holder.close_if_here(connection, DisconnectReason::revoked);
      });
    }
  });
}

void Shard::close_if_here(std::uint64_t connection, DisconnectReason reason) {
  const auto found = connections_.find(connection);
  if (found != connections_.end()) found->second->close(reason);
}

void Shard::grant_if_here(std::uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found != connections_.end()) found->second->granted();
}

bool Shard::take_connect() { return connects_.take("", context_.needs.clock.monotonic()); }

void Shard::deliver_completions() {
  completions_->take(batch_);
  for (const auto& completion : batch_) {
    if (completion.stored) ++context_.counters.messages_stored;
    const auto found = connections_.find(completion.connection);
    if (found != connections_.end()) found->second->completed(completion);
  }
}

void Shard::tick() {
  const auto now = context_.needs.clock.monotonic();
  const auto time = context_.needs.clock.now();
  for (const auto& [number, connection] : connections_) connection->check_deadlines(now, time);
}

void Shard::start_ticking() {
  if (ticker_->stopped) return;
  ticker_->timer.expires_after(std::chrono::microseconds(context_.options.tick.us));
  ticker_->timer.async_wait([this](const boost::system::error_code& code) {
    if (code) return;
    tick();
    start_ticking();
  });
}

void Shard::stop_ticking() {
  ticker_->stopped = true;
  ticker_->timer.cancel();
}

}  // namespace picket::hub
