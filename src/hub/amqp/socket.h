// A connection's socket: moves bytes between the stream and the core, and is the core's Rim.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "connection.h"
#include "hub/amqp_head.h"
#include "hub_authenticator.h"

namespace picket::hub::amqp {

struct Counters {
  std::atomic<std::uint64_t> connections, connects, connected, messages_stored, auth_failed, slow_readers, throttled;
  std::array<std::atomic<std::uint64_t>, kDisconnectReasons> disconnects;
};

/// hub::Twins as links ask it.
class TwinsOfDevices final : public TwinPort {
 public:
  explicit TwinsOfDevices(Twins* twins) : twins_(twins) {}
  void read(const Identity& self, Done<std::string> done) override;
  void report(const Identity& self, std::string patch, Done<std::uint64_t> done) override;

 private:
  Twins* twins_;
};

/// What all connections of the head share; fixed after construction but for the counters.
struct HeadContext {
  AmqpHeadNeeds needs;
  AmqpHeadOptions options;
  TwinsOfDevices twins;
  Services services;
  ConnectionLimits limits;
  HubAuthenticator authenticator;
  Counters counters{};
  std::atomic<std::uint16_t> public_port = 5671;
  std::atomic<bool> stopping = false;
};

/// Lives in the frame of its listener's handler, on one thread. The directory reaches it by links: one for the
/// connection itself (time and the journal's answers), one for each identity.
class SocketConnection final : private Rim {
 public:
  SocketConnection(HeadContext& context, net::Connection connection, std::string_view transport);
  ~SocketConnection() override;
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  /// Runs to the end of the connection.
  net::asio::awaitable<void> run();

 private:
  class OwnLink;
  class IdentityLink;
  struct Wakeup;

  // Rim
  [[nodiscard]] Timestamp now() const override { return context_.needs.clock.now(); }
  [[nodiscard]] Duration monotonic() const override { return context_.needs.clock.monotonic(); }
  [[nodiscard]] const Poster& poster() const override { return poster_; }
  [[nodiscard]] const net::TlsFacts* tls() const override { return connection_.stream->tls(); }
  [[nodiscard]] std::string_view source_address() const override { return connection_.stream->peer().address; }
  [[nodiscard]] std::uint16_t public_port() const override { return context_.public_port; }
  void authenticated() override { connection_.admission.authenticated(); }
  bool take_connect() override { return context_.needs.directory.take_connect(thread_); }
  Verdict take(const IdentityKey& who, Meter meter, double amount) override;
  bool take_of_day(std::string_view hub, std::uint64_t blocks) override;
  void throttled() override { ++context_.counters.throttled; }
  void wake_after(Duration time) override;
  void claim(Number device, const Identity& identity) override;
  void release(Number device, const Identity& identity) override;
  void stands_on(PolicyUse use) override;
  void connected(const Identity& identity) override;
  void disconnected(const Identity& identity, DisconnectReason reason) override;
  Result<> append(std::span<const journal::Record> records, Number work) override;
  [[nodiscard]] bool storage_ready() const override;
  void log(HubEvent event) override;
  void count(const Identity& identity, Operation operation, std::uint64_t bytes, std::uint64_t times) override;
  void count_failed(const Identity& identity, Operation operation, const HubError& error) override;

  net::asio::awaitable<Result<>> receive();
  net::asio::awaitable<void> write_out();
  net::asio::awaitable<void> wait();
  void wake();
  void tick();
  void flush();

  HeadContext& context_;
  net::Connection connection_;
  std::size_t thread_;
  std::string_view transport_;
  std::shared_ptr<SocketConnection*> self_;  ///< Work that was posted looks whether it is still there.
  Poster poster_;
  std::shared_ptr<Completions> completions_;
  std::unique_ptr<Wakeup> wakeup_;
  std::unique_ptr<Wakeup> alarm_;  ///< For wake_after().
  std::optional<Duration> alarm_at_;
  std::unique_ptr<OwnLink> own_;
  std::map<Number, std::unique_ptr<IdentityLink>> identities_;
  mutable bool ready_ = true;
  mutable Duration ready_until_{};
  Buffer output_;
  bool writing_ = false;
  Duration writing_since_{};
  Duration closing_since_{};
  bool closed_ = false;
  unsigned reads_ = 0;
  Connection core_;  ///< Last: its end speaks to its Rim.
};

}  // namespace picket::hub::amqp
