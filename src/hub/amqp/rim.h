// What a connection's core asks of the world. The head implements it over sockets, directory and journal; tests and the
// fuzz target with values.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/disconnect_reason.h"
#include "hub/directory.h"
#include "hub/hub_error.h"
#include "hub/operation_counters.h"
#include "hub/operations_log.h"
#include "hub/throttle.h"
#include "journal/record.h"
#include "net/stream.h"

namespace picket::hub::amqp {

/// Runs work on the connection's thread, later; from any thread, also after the connection has gone.
using Poster = std::function<void(std::move_only_function<void()>)>;

/// Numbers a connection's devices and pieces of work.
using Number = std::uint64_t;

/// Used on the connection's thread.
class Rim {
 public:
  virtual ~Rim() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
  [[nodiscard]] virtual Duration monotonic() const = 0;
  [[nodiscard]] virtual const Poster& poster() const = 0;
  /// nullptr: not TLS.
  [[nodiscard]] virtual const net::TlsFacts* tls() const = 0;
  [[nodiscard]] virtual std::string_view source_address() const = 0;
  /// That clients reach this head at.
  [[nodiscard]] virtual std::uint16_t public_port() const = 0;

  /// The first credential was proven.
  virtual void authenticated() = 0;
  /// False: over the budget of new connections.
  virtual bool take_connect() = 0;
  /// From the rates of an identity and its hub, or of a hub alone when `who` names no device (hub/throttle.h).
  virtual Verdict take(const IdentityKey& who, Meter meter, double amount) = 0;
  /// False: the messages of the hub's day are used up.
  virtual bool take_of_day(std::string_view hub, std::uint64_t blocks) = 0;
  /// A rate has delayed or refused something: counted.
  virtual void throttled() = 0;
  /// Connection::tick() in so long, or earlier.
  virtual void wake_after(Duration time) = 0;
  /// Asks for an identity's place; Connection::granted(device) follows.
  virtual void claim(Number device, const Identity& identity) = 0;
  /// `device` is not called any more.
  virtual void release(Number device, const Identity& identity) = 0;
  /// A shared access policy was proven on this connection, for a device or for a service caller.
  virtual void stands_on(PolicyUse) {}
  virtual void connected(const Identity& identity) = 0;
  virtual void disconnected(const Identity& identity, DisconnectReason reason) = 0;

  /// Records that stand or fall together. Connection::stored(work) follows unless it fails. Errors: as Journal::append.
  virtual Result<> append(std::span<const journal::Record> records, Number work) = 0;
  /// False: the journal is near its limits; give no new credit.
  [[nodiscard]] virtual bool storage_ready() const = 0;

  /// Fills in what is known of the peer.
  virtual void log(HubEvent event) = 0;
  virtual void count(const Identity& identity, Operation operation, std::uint64_t bytes, std::uint64_t times) = 0;
  /// An operation of a proven identity that failed.
  virtual void count_failed(const Identity& identity, Operation operation, const HubError& error) = 0;
};

}  // namespace picket::hub::amqp
