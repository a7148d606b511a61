// What one I/O thread owns: its connections, its slice of the directory of who is connected where, its completions.
//
// Connections of one identity meet in the directory slice of that identity's home thread. Threads talk by messages that
// carry addresses (thread, number), never pointers: an address that is no longer there means that its connection has
// gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/identity.h"
#include "completion_queue.h"
#include "hub/mqtt_head.h"
#include "net/rate_limit.h"

namespace picket::hub {

class MqttConnection;

struct Address {
  std::size_t thread = 0;
  std::uint64_t connection = 0;
  friend bool operator==(Address, Address) = default;
};

/// Counters of all threads.
struct Counters {
  std::atomic<std::uint64_t> connects, connected, messages_received, messages_stored, message_bytes_received,
      refused_overload, refused_protocol, subscribes_denied, reserved_properties, not_offered, storage_waits;
  std::array<std::atomic<std::uint64_t>, 12> refused;
  std::array<std::atomic<std::uint64_t>, kDisconnectReasons> disconnects;
};

class Shard;

/// What all threads share; fixed after construction but for the counters.
struct HeadContext {
  MqttHeadNeeds needs;
  MqttHeadOptions options;
  Counters counters{};
  std::vector<std::unique_ptr<Shard>> shards;  ///< Index: thread.
  std::atomic<bool> stopping = false;
};

/// Thread only, unless said otherwise.
class Shard {
 public:
  Shard(HeadContext& context, std::size_t thread);
  ~Shard();

  /// A connection enters and leaves; returns its address.
  Address enter(MqttConnection& connection);
  void leave(Address address);

  /// A proven connection asks for its place: an older one of the same identity is closed first, then
  /// MqttConnection::granted() is called.
  void claim(const Identity& identity, Address address);
  void release(const Identity& identity, Address address);

  /// Closes connections of a device and its modules, or of one module.
  void revoke(const Identity& identity);

  /// False: over the hub's budget of new connections.
  bool take_connect();

  /// A batch of durable messages is handed to the connections.
  void deliver_completions();
  /// Looks at every connection's deadlines.
  void tick();
  void start_ticking();
  void stop_ticking();

  [[nodiscard]] const std::shared_ptr<CompletionQueue>& completions() const { return completions_; }
  /// Scratch of this thread for one read; must not be held across a wait.
  std::span<std::byte> scratch() { return scratch_; }

 private:
  /// hub, device, module: modules stand behind their device.
  using Key = std::tuple<std::string, std::string, std::string>;
  static Key key_of(const Identity& identity) { return {identity.hub, identity.device_id, identity.module_id}; }
  /// All of a device's identities have the same home.
  Shard& home_of(const Identity& identity);

  void claim_at_home(const Key& key, Address address);
  void close_if_here(std::uint64_t connection, DisconnectReason reason);
  void grant_if_here(std::uint64_t connection);

  struct Ticker;
  HeadContext& context_;
  std::size_t thread_;
  std::uint64_t next_connection_ = 1;
  std::unordered_map<std::uint64_t, MqttConnection*> connections_;  ///< They leave before they end.
  std::map<Key, Address> directory_;
  net::RateLimit connects_;
  std::shared_ptr<CompletionQueue> completions_;
  std::vector<Completion> batch_;
  std::vector<std::byte> scratch_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace picket::hub
