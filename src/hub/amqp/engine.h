// One AMQP 1.0 connection without its socket: bytes and time in, bytes and requests out. Qpid Proton inside, and
// nowhere else. Pure: reads no clock, starts no thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "value.h"

namespace picket::hub::amqp {

/// Never used twice in one connection.
using LinkId = std::uint64_t;
using DeliveryId = std::uint64_t;

/// How an error is told to the client (part 2.8.14).
struct Condition {
  std::string name;  ///< Such as "amqp:not-found".
  std::string description;
  Map info;
};

/// A link that the client wants.
struct LinkRequest {
  bool client_sends = false;
  std::string address;        ///< Where it sends to, or receives from.
  std::string other_address;  ///< The other end's.
  Map properties;
  Map filter;                ///< Of the source, when the client receives.
  bool transaction = false;  ///< Transactions, which this hub does not offer.
};

enum class Outcome : std::uint8_t { accepted, rejected, released, modified };

/// What the client does. Called from within input(), input_ended() and tick(); may call the engine back, but not these.
class EngineUser {
 public:
  virtual ~EngineUser() = default;
  /// Space-separated mechanisms to offer.
  virtual std::string_view mechanisms() = 0;
  virtual bool plain(std::string_view user, std::string_view password) = 0;
  virtual bool external() = 0;
  virtual void opened(std::string_view host) = 0;
  /// To be answered with accept() or refuse(), now or later.
  virtual void attach(LinkId link, LinkRequest request) = 0;
  /// A whole message; settle() answers it. The view lives until this returns.
  virtual void received(LinkId link, DeliveryId delivery, Bytes message, std::uint32_t format) = 0;
  /// A message is larger than the link allows; the link is being detached by the engine.
  virtual void oversized(LinkId link) = 0;
  /// The client takes (more) messages on this link.
  virtual void credit(LinkId link) = 0;
  virtual void settled(LinkId link, DeliveryId delivery, Outcome outcome) = 0;
  /// The client has detached the link, or ended its session. The id is no longer valid.
  virtual void detached(LinkId link) = 0;
};

struct EngineLimits {
  std::uint32_t frame_bytes_max = 64 * 1024;
  std::uint16_t sessions_max = 8;
  std::size_t links_max = 256;               ///< Of the connection, refused ones included.
  std::size_t incoming_bytes_max = 1 << 20;  ///< Of a session: unread messages; the protocol's window.
  std::size_t outgoing_bytes_max = 1 << 20;  ///< Of the connection: sent by us and not taken by the client.
  Duration idle_timeout = Duration::seconds(240);
};

/// Strand only.
class Engine {
 public:
  /// `user` outlives the engine and is first called by input().
  Engine(EngineUser& user, const EngineLimits& limits);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Takes everything. After an error of the protocol the rest is dropped.
  void input(Bytes bytes, Duration now);
  /// The client's half of the socket has ended.
  void input_ended();
  /// Sends keep-alives and sees time-outs; call it at least every few seconds.
  void tick(Duration now);
  /// Appends what is to be written, about `bytes_max` at most. False: nothing.
  bool take_output(Buffer& out, std::size_t bytes_max);
  /// Nothing more will be read or written.
  [[nodiscard]] bool finished() const;
  /// The client has begun to close, or broke the protocol: no requests follow.
  [[nodiscard]] bool closing() const;
  /// Name of the error that ended the connection: the client's breach of protocol, a time-out; empty: none.
  [[nodiscard]] const std::string& failure() const;

  void accept(LinkId link, std::size_t message_bytes_max);
  void refuse(LinkId link, const Condition& condition);
  /// Ends an accepted link.
  void detach(LinkId link, const Condition& condition);
  /// The client may send so many more.
  void give_credit(LinkId link, int count);
  void settle(LinkId link, DeliveryId delivery, Outcome outcome, const Condition& condition = {});

  enum class Sent : std::uint8_t {
    no,       ///< No credit, or the client is slow; credit() follows when it takes more.
    waiting,  ///< settled() follows.
    settled,  ///< The client wants no settlement.
  };
  Sent send(LinkId link, DeliveryId delivery, Bytes message);
  [[nodiscard]] int credit_of(LinkId link) const;

  /// Tells the client why, and ends.
  void close(const Condition& condition);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub::amqp
