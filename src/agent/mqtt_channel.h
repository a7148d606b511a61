// An MQTT connection over an open transport: moves its bytes and keeps its times. What they mean is its owner's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/transport.h"
#include "mqtt/client_session.h"
#include "mqtt/inbox.h"

namespace picket::agent {

/// Made once, used for one connection after another. One thread: the loop's.
class MqttChannel {
 public:
  static constexpr std::size_t kOutBytesMax = 64 << 10;  ///< More is not encoded before this has left.
  /// The largest that the agent uses is a whole twin: 32 KB desired and 32 KB reported, and their syntax.
  static constexpr std::size_t kPacketBytesMax = 256 << 10;

  class Owner {
   public:
    /// False: the connection has ended (the owner has called end()).
    virtual bool on_event(const mqtt::ClientEvent& event) = 0;
    /// After receiving: send again, send new. The last thing it does is to return.
    virtual void on_turn() = 0;
    /// The connection is gone, and with it the session.
    virtual void on_ended(UplinkProblem problem, std::string reason) = 0;

   protected:
    ~Owner() = default;
  };

  /// Both outlive the channel.
  MqttChannel(EventLoop& loop, Transport& transport);

  /// Sends CONNECT over the transport, which is open. An empty password: none (X.509).
  void begin(Owner& owner, mqtt::ClientOptions options, const std::string& client_id, const std::string& user,
             const std::string& password, bool clean);
  /// Everything that can be done now: receive, keep time, the owner's turn.
  void service();
  /// Waits for what comes next, at most until `latest` (monotonic); the owner calls it at the end of its turn.
  void watch(std::optional<Duration> latest = std::nullopt);
  /// Writes what stands in `out`. False: the connection has ended.
  bool flush();
  /// Ends the connection at once and tells the owner. Always false.
  bool end(UplinkProblem problem, std::string reason);
  /// Forgets the connection without a word to the owner.
  void drop();
  /// DISCONNECT, then good-bye on every layer; silent.
  void leave();

  [[nodiscard]] bool active() const { return link_.has_value(); }
  [[nodiscard]] mqtt::ClientSession& session() { return link_->session; }
  [[nodiscard]] Buffer& out() { return link_->out; }
  [[nodiscard]] std::size_t out_pending() const { return link_->out.size() - link_->out_at; }
  [[nodiscard]] Duration now() const { return loop_.clock().monotonic(); }

 private:
  /// Everything that ends with a connection.
  struct Link {
    mqtt::ClientSession session;
    mqtt::Inbox inbox;
    Buffer out;
    std::size_t out_at = 0;
    bool told_connected = false;
    explicit Link(mqtt::ClientOptions options) : session(options) {}
  };
  bool receive();

  EventLoop& loop_;
  Transport& transport_;
  Owner* owner_ = nullptr;
  std::uint32_t timer_;
  std::optional<Link> link_;
};

/// What a refused CONNECT means, for people.
struct MqttRefusal {
  UplinkProblem problem;
  std::string_view reason;
};
MqttRefusal explain(mqtt::ConnectCode code);

}  // namespace picket::agent
