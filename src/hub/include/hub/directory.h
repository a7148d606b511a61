// Who is connected where, over any head; and the way from a service to the connection of a device.
//
// Each I/O thread has a slice of the directory "identity -> link" (by hash of hub and device) and the links that live
// on it. Threads send each other messages with addresses (thread, number), never pointers: an address that is no longer
// there means that its link has gone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/core/bytes.h"
#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/disconnect_reason.h"
#include "hub/identity_key.h"
#include "net/io_threads.h"

namespace picket::net {
class Stream;
}

namespace picket::hub {

struct LinkAddress {
  std::size_t thread = 0;
  std::uint64_t link = 0;
  friend bool operator==(LinkAddress, LinkAddress) = default;
};

/// The desired part of the twin has changed. `patch`: the JSON object with "$version".
struct DesiredPatch {
  std::shared_ptr<const std::string> patch;  ///< Shared by the links it is sent to.
  std::uint64_t version = 0;
};
/// A direct method: the device answers through Methods::respond with the same id.
struct MethodCall {
  std::uint64_t id = 0;
  std::string name;
  std::string payload;  ///< JSON, or empty.
};
/// Something waits in the device's queue of commands: ask Commands::receive.
struct CommandsWaiting {};

using Notification = std::variant<DesiredPatch, MethodCall, CommandsWaiting>;

/// What the journal or another store says about work that a link has given it.
struct Completion {
  std::uint64_t link = 0;
  std::optional<std::uint64_t> sequence;  ///< The link's own number of the work; absent: nobody waits for it.
  std::size_t bytes = 0;
  bool stored = false;
};

/// One connection of one identity, over any protocol. All members are called on the link's thread, between the steps of
/// its coroutines. AMQP connections that serve several identities make one link for each.
class DeviceLink {
 public:
  virtual ~DeviceLink() = default;
  /// The directory has given this link its identity's place; an older link has gone.
  virtual void granted() = 0;
  /// Ends the connection; the first reason counts.
  virtual void close(DisconnectReason reason, std::string_view detail) = 0;
  /// The same; `then` runs when the end is logged, at once if it has been.
  virtual void close_then(DisconnectReason reason, std::move_only_function<void()> then) = 0;
  /// False: this link does not take such notifications (not subscribed); nothing was sent.
  virtual bool notify(const Notification& notification) = 0;
  virtual void completed(const Completion& completion) = 0;
  /// Every tick.
  virtual void check_deadlines(Duration now, Timestamp time) = 0;
};

/// From any thread to the thread of a link, in batches: one wake-up for many completions.
class Completions {
 public:
  virtual ~Completions() = default;
  virtual void add(Completion completion) = 0;
};

/// A shared access policy that opened a link's connection, or one of its services.
struct PolicyUse {
  std::string hub;
  std::string policy;
  std::string credential;  ///< key_fingerprint() of the key that signed.
  bool as_device = false;  ///< It spoke for a device; else a service caller.
};

/// What a link stands on, for review(). One of the two is set; views live for the call.
struct Standing {
  const net::Stream* stream = nullptr;    ///< Never nullptr.
  const IdentityKey* identity = nullptr;  ///< The link's proven identity.
  const PolicyUse* policy = nullptr;
};
/// Whether a link may stay. Called on I/O threads.
using StandingCheck = std::function<bool(const Standing&)>;

struct DirectoryOptions {
  double connects_per_second = 1000;  ///< Of all heads together; above it heads answer "busy".
  double connects_burst = 20'000;
  Duration tick = Duration::milliseconds(250);
};

class Directory {
 public:
  /// `threads` and `clock` outlive it.
  Directory(net::IoThreads& threads, const Clock& clock, DirectoryOptions options);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // On the link's thread.
  LinkAddress enter(std::size_t thread, DeviceLink& link);
  /// After it returns, the link is not called any more.
  void leave(LinkAddress address);
  /// A proven identity asks for its place: an older link of the same identity is closed first, then granted() is
  /// called.
  void claim(const Identity& identity, LinkAddress address);
  void release(const Identity& identity, LinkAddress address);
  /// What the link's connection is; until then review() passes it over. `stream` lives until leave().
  void stand_on(LinkAddress address, const net::Stream& stream);
  /// And the policy that was proven on it; a later one of the same hub and name replaces it.
  void stand_on(LinkAddress address, const net::Stream& stream, PolicyUse use);
  /// False: over the budget of new connections.
  bool take_connect(std::size_t thread);
  /// Scratch memory of this thread for one read; must not be held across a wait.
  std::span<std::byte> scratch(std::size_t thread);

  // Any thread.
  [[nodiscard]] std::shared_ptr<Completions> completions(std::size_t thread);
  /// To the live link of exactly this identity. `taken` (may be empty) is told whether a link took it; on some I/O
  /// thread.
  void notify(const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken);
  /// Closes the links of a device and its modules, or of one module: after disabling, deleting, a new key.
  void revoke(const IdentityKey& key, DisconnectReason reason = DisconnectReason::revoked);
  /// Asks about every link of a hub, and for every policy of the hub that opened one: where `stays` says no, the link
  /// is closed. After a change of the hub's settings that takes rights away.
  void review(std::string hub, StandingCheck stays);
  /// Asks every link for its deadlines now; for tests with a clock of their own.
  void tick();
  /// Heads are stopped before. Not from an I/O thread.
  void stop();

 private:
  class Slice;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
