// One device's connection, from its first bytes to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "completion_queue.h"
#include "hub/authentication.h"
#include "hub/mqtt_head.h"
#include "mqtt/inbox.h"
#include "mqtt/server_session.h"
#include "mqtt/topic.h"
#include "net/listener.h"
#include "shard.h"
#include "hub/telemetry.h"

namespace picket::hub {

/// Lives in the frame of its listener's handler, on one thread; other threads reach it through its Shard. Reading is
/// one coroutine, writing another that runs only while there is something to write.
class MqttConnection {
 public:
  MqttConnection(HeadContext& context, net::Connection connection);
  ~MqttConnection();
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;

  /// Runs to the end of the connection.
  net::asio::awaitable<void> run();

  // Called by the shard, between the coroutines' steps.
  /// Ends the connection; the first reason counts.
  void close(DisconnectReason reason, std::string_view detail = {});
  /// The same; `then` runs when the end is logged, at once if it has been.
  void close_then(DisconnectReason reason, std::move_only_function<void()> then);
  void granted();
  void completed(const Completion& completion);
  void check_deadlines(Duration now, Timestamp time);

 private:
  struct Wakeup;

  net::asio::awaitable<void> step();
  net::asio::awaitable<Result<>> receive();
  net::asio::awaitable<void> handle(const mqtt::ServerEvent& event);
  net::asio::awaitable<void> on_connect(const mqtt::Connect& packet);
  net::asio::awaitable<void> on_publish(const mqtt::PublishRequested& request);
  net::asio::awaitable<void> append(const mqtt::Publish& packet, std::string_view bag_text,
                                    std::optional<std::uint64_t> sequence, bool will);
  net::asio::awaitable<void> append_record(const journal::Record& record, Completion completion);
  net::asio::awaitable<void> send_will();
  net::asio::awaitable<void> farewell();
  net::asio::awaitable<void> write_out();
  net::asio::awaitable<void> wait();
  void on_subscribe(const mqtt::Subscribe& packet);
  void on_unsubscribe(const mqtt::Unsubscribe& packet);
  void on_twin_get(std::string_view tail);
  void refuse(mqtt::ConnectCode code);
  void refuse(const Refusal& refusal);
  void flush();
  void wake();
  [[nodiscard]] bool overloaded() const;
  [[nodiscard]] bool has_room() const { return in_flight_bytes_ < context_.options.in_flight_bytes_max; }
  /// False: too much waits for the disk, or the session wants nothing more.
  [[nodiscard]] bool reading() const { return session_.wants_input() && has_room(); }
  [[nodiscard]] HubEvent event(HubEventKind kind) const;
  void log(HubEventKind kind, std::string_view reason, std::string_view object = {}, int code = 0);
  void log_end();
  void gone();

  HeadContext& context_;
  net::Connection connection_;
  Shard& shard_;
  Address address_;
  mqtt::Inbox inbox_;
  mqtt::ServerSession session_;
  Buffer output_;
  bool writing_ = false;
  std::unique_ptr<Wakeup> wakeup_;

  std::optional<Grant> grant_;  ///< Set when the credentials are proven.
  bool granted_ = false;        ///< The directory has given this connection its identity's place.
  bool connected_ = false;      ///< CONNACK 0 was sent.
  Sender sender_;
  std::optional<DisconnectReason> end_;
  std::string end_detail_;
  Duration farewell_until_{};
  bool lingers_ = false;
  bool gone_ = false;
  std::vector<std::move_only_function<void()>> when_gone_;

  struct StoredWill {
    std::string topic;
    Buffer payload;
    bool retain = false;
  };
  std::optional<StoredWill> will_;
  std::set<mqtt::Filter> filters_;  ///< The next issue stores them; a session outlives its connection.
  std::size_t denied_filters_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t messages_ = 0;
  unsigned reads_ = 0;
};

}  // namespace picket::hub
