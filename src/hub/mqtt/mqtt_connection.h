// One device's connection, from its first bytes to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filter_set.h"
#include "head_context.h"
#include "hub/authentication.h"
#include "hub/directory.h"
#include "hub/operation_counters.h"
#include "hub/telemetry.h"
#include "hub/throttle.h"
#include "mqtt/inbox.h"
#include "mqtt/server_session.h"
#include "mqtt/topic.h"
#include "net/listener.h"

namespace picket::hub {

struct ProvisioningReply;

/// Whose stream it is: of the head's own listener, or of another (WebSocket).
enum class Transport : std::uint8_t { listener, other };

/// Lives in the frame of its listener's handler, on one thread; other threads reach it through the Directory. Reading
/// is one coroutine, writing another that runs only while the socket does not take all that there is to write. Packets
/// are handled without a coroutine each, but for those that must wait: CONNECT, a change of subscriptions, a journal
/// that is full.
class MqttConnection final : public DeviceLink {
 public:
  MqttConnection(HeadContext& context, net::Connection connection, Transport transport);
  ~MqttConnection() override;
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;

  /// Runs to the end of the connection.
  net::asio::awaitable<void> run();

  void granted() override;
  void close(DisconnectReason reason, std::string_view detail) override;
  void close(DisconnectReason reason) { close(reason, {}); }
  void close_then(DisconnectReason reason, std::move_only_function<void()> then) override;
  bool notify(const Notification& notification) override;
  /// The head's own completions come through stored().
  void completed(const Completion&) override {}
  void stored(const Stored& stored);
  void check_deadlines(Duration now, Timestamp time) override;

 private:
  struct Wakeup;
  struct CommandChannel;
  struct ProvisioningChannel;
  struct StoredWill {
    std::string topic;
    Buffer payload;
    bool retain = false;
  };
  /// Answers of services look here whether the connection is still there; on its thread.
  struct Anchor {
    MqttConnection* connection;
  };

  // mqtt_connection.cc: bytes in and out, and the end.
  void take_packets();
  net::asio::awaitable<Result<>> receive();
  void handle(mqtt::ServerEvent& event);
  net::asio::awaitable<void> handle_later(const mqtt::ServerEvent& event);
  net::asio::awaitable<void> farewell();
  net::asio::awaitable<void> write_out();
  net::asio::awaitable<void> wait();
  bool publish(const mqtt::Publish& packet);
  void flush();
  void wake();
  /// Runs `work` on the connection's thread, unless it has gone by then. The result may be called from any thread.
  template <class Answer, class Work>
  Done<Answer> answer(Work work);
  [[nodiscard]] bool has_room() const { return in_flight_bytes_ < context_.options.in_flight_bytes_max; }
  /// False: too much waits for the disk, the rate is used up, or the session wants nothing more.
  [[nodiscard]] bool reading() const { return session_.wants_input() && has_room() && !paused_; }
  [[nodiscard]] HubEvent event(HubEventKind kind) const;
  void log(HubEventKind kind, std::string_view reason, std::string_view object = {}, int code = 0);
  void log_end();
  void gone();
  [[nodiscard]] std::size_t thread() const { return connection_.admission.thread(); }
  [[nodiscard]] IdentityKey key() const { return key_of(sender_.identity); }

  // connect.cc
  net::asio::awaitable<void> on_connect(const mqtt::Connect& packet);
  [[nodiscard]] std::expected<Grant, Refusal> prove(const mqtt::Connect& packet) const;
  net::asio::awaitable<Result<bool>> resume_session(bool clean);
  void refuse(mqtt::ConnectCode code);
  void refuse(const Refusal& refusal);
  [[nodiscard]] bool overloaded() const;

  // telemetry_path.cc
  void on_publish(const mqtt::PublishRequested& request);
  void on_telemetry(const mqtt::PublishRequested& request, std::string_view bag);
  bool append(TelemetryBatch& batch, Result<>& refused);
  Duration commit();
  Duration pay(TelemetryBatch& batch);
  net::asio::awaitable<void> append_patiently(TelemetryBatch& batch, Duration pace);
  net::asio::awaitable<void> pause(Duration how_long);
  void throttled(std::string_view what, int code = kThrottled);
  net::asio::awaitable<void> send_will();

  // subscriptions.cc
  net::asio::awaitable<void> on_subscribe(const mqtt::Subscribe& packet);
  net::asio::awaitable<void> on_unsubscribe(const mqtt::Unsubscribe& packet);
  net::asio::awaitable<bool> keep_filters(FilterSet filters);
  void serve_filters();
  void drop_session();

  // twins.cc
  void on_twin_get(std::string_view tail);
  void on_twin_reported(std::string_view tail, Bytes patch);
  std::optional<std::string> begin_twin_request(std::string_view tail, Meter meter);
  template <class Answer>
  void count_twin(Operation operation, const HubResult<Answer>& result, std::size_t bytes);
  void twin_answer(std::string_view request_id, int status, std::string_view body,
                   std::optional<std::uint64_t> version = std::nullopt);
  bool notify_desired(const DesiredPatch& desired);

  // methods.cc
  bool call_method(const MethodCall& call);
  void on_method_answer(std::string_view tail, Bytes payload);

  // provisioning.cc
  bool on_provisioning_connect(const mqtt::Connect& packet);
  void on_provisioning_publish(const mqtt::PublishRequested& request);
  void on_provisioning_subscribe(const mqtt::Subscribe& packet);
  void on_provisioning_unsubscribe(const mqtt::Unsubscribe& packet);
  void provisioning_answer(std::string_view request_id, const ProvisioningReply& reply);

  // commands.cc
  void ask_for_command();
  void on_command(std::optional<LockedCommand> command);
  void on_delivered(std::uint16_t packet_id);
  void complete(std::string_view lock);

  HeadContext& context_;
  net::Connection connection_;
  LinkAddress address_;
  ConnectionSlots::Name name_;
  mqtt::Inbox inbox_;
  mqtt::ServerSession session_;
  Buffer output_;
  std::unique_ptr<Wakeup> wakeup_;
  std::unique_ptr<mqtt::ServerEvent> later_;  ///< A packet that must wait for something; its views are in the inbox.
  std::shared_ptr<Anchor> anchor_;            ///< Made when a service is asked for the first time.

  Sender sender_;             ///< Who it is, once `proven_`.
  Timestamp credential_end_;  ///< Of the token, or of the certificate.
  std::string sdk_;
  std::optional<DisconnectReason> end_;
  std::string end_detail_;
  Duration farewell_until_{};
  Duration paused_until_{};
  Duration throttle_logged_{};
  std::vector<std::move_only_function<void()>> when_gone_;
  std::unique_ptr<StoredWill> will_;
  std::unique_ptr<CommandChannel> commands_;  ///< Made with the subscription to commands.
  std::unique_ptr<ProvisioningChannel> provisioning_;
  FilterSet filters_;
  std::size_t denied_filters_ = 0;
  std::size_t twin_requests_ = 0;  ///< Asked and not answered.
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t messages_ = 0;
  unsigned reads_ = 0;
  Transport transport_;
  bool paused_ = false;  ///< Until paused_until_.
  bool writing_ = false;
  bool said_ = false;  ///< Something went out since the last read.
  bool proven_ = false;
  bool granted_ = false;        ///< The directory has given this connection its identity's place.
  bool connected_ = false;      ///< CONNACK 0 was sent.
  bool clean_ = false;          ///< The session ends with the connection.
  bool takes_methods_ = false;  ///< Methods has been told.
  bool lingers_ = false;
  bool gone_ = false;
};

template <class Answer, class Work>
Done<Answer> MqttConnection::answer(Work work) {
  if (!anchor_) anchor_ = std::make_shared<Anchor>(this);
  return [&threads = context_.needs.threads, number = thread(), anchor = anchor_,
          work = std::move(work)](HubResult<Answer> result) mutable {
    threads.post(number, [anchor = std::move(anchor), work = std::move(work), result = std::move(result)]() mutable {
      if (anchor->connection != nullptr) work(*anchor->connection, std::move(result));
    });
  };
}

}  // namespace picket::hub
