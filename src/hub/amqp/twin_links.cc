// /devices/{d}[/modules/{m}]/twin: requests on the client's sender, answers and changes of desired properties on its
// receiver with the same com.microsoft:channel-correlation-id.
#include <deque>

#include "base/core/json_writer.h"
#include "held.h"
#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr int kRequestCredit = 16;
constexpr std::size_t kWaitingMax = 64;
constexpr std::string_view kReported = "/properties/reported";
constexpr std::string_view kDesiredNotifications = "/notifications/twin/properties/desired";

std::string channel_of(const LinkRequest& request) {
  const auto* value = find(request.properties, "com.microsoft:channel-correlation-id");
  return value == nullptr ? std::string() : to_text(*value).substr(0, 256);
}

void put_body(Message& message, std::string_view text) {
  message.data.assign(as_bytes(text).begin(), as_bytes(text).end());
}

/// From the hub to the client.
class TwinReplyLink final : public Link {
 public:
  TwinReplyLink(Connection& connection, LinkId id, Device& device, std::string channel)
      : Link(connection, id), device_(device.number), channel_(std::move(channel)) {}

  void opened() override {
    if (auto* device = connection().device(device_)) device->channels[channel_] = this;
  }
  void credit() override { send_waiting(); }
  void closed() override {
    auto* const device = connection().device(device_);
    if (device == nullptr) return;
    const auto found = device->channels.find(channel_);
    if (found != device->channels.end() && found->second == this) device->channels.erase(found);
  }
  bool notify(const Notification& notification) override {
    const auto* change = std::get_if<DesiredPatch>(&notification);
    if (change == nullptr || !subscribed) return false;
    Message message;
    message.annotations = {{Symbol{"resource"}, kDesiredNotifications},
                           {Symbol{"version"}, static_cast<std::int64_t>(change->version)}};
    put_body(message, *change->patch);
    send(message);
    return true;
  }
  /// Waits for credit; a client that asks and does not listen loses its link.
  void send(const Message& message) {
    if (waiting_.size() >= kWaitingMax) {
      return connection().detach(id(), {"amqp:resource-limit-exceeded", "The client does not take its answers.", {}});
    }
    waiting_.push_back(write_message(message));
    send_waiting();
  }

  bool subscribed = false;  ///< To changes of desired properties.

 private:
  void send_waiting() {
    while (!waiting_.empty()) {
      if (connection().engine().send(id(), connection().next_number(), waiting_.front()) == Engine::Sent::no) return;
      waiting_.pop_front();
    }
  }
  Number device_;
  std::string channel_;
  std::deque<Buffer> waiting_;
};

/// From the client to the hub.
class TwinRequestLink final : public Link {
 public:
  TwinRequestLink(Connection& connection, LinkId id, Device& device, std::string channel)
      : Link(connection, id),
        twins_(*connection.services().twins),
        device_(device.number),
        identity_(device.grant.identity),
        channel_(std::move(channel)) {}

  void opened() override { connection().engine().give_credit(id(), kRequestCredit); }

  void received(DeliveryId delivery, Bytes bytes, std::uint32_t) override {
    auto& engine = connection().engine();
    const auto message = read_message(bytes);
    if (!message) {
      engine.settle(id(), delivery, Outcome::rejected, {"amqp:decode-error", "Not an AMQP message.", {}});
      return engine.give_credit(id(), 1);
    }
    engine.settle(id(), delivery, Outcome::accepted);
    const auto operation = annotation(*message, "operation");
    if (operation == "GET") return pay_for(Meter::twin_reads, *message);
    if (operation == "PATCH") return pay_for(Meter::twin_updates, *message);
    handle(*message);
  }
  void tick() override {
    while (auto* const message = held_.due(connection().rim().monotonic())) {
      const auto now = std::move(*message);
      held_.pop();
      handle(now);
    }
  }

 private:
  static std::string annotation(const Message& message, std::string_view name) {
    const auto* value = find(message.annotations, name);
    return value == nullptr ? std::string() : to_text(*value);
  }

  void pay_for(Meter meter, Message message) {
    const auto due = connection().pay(identity_, meter, 1);
    if (!due) {
      connection().rim().count_failed(
          identity_, meter == Meter::twin_reads ? Operation::twin_read : Operation::twin_report, due.error().error);
      return refuse(message.correlation_id, due.error().error);
    }
    held_.put(*due, std::move(message));
    tick();
  }

  void handle(const Message& message) {
    const auto operation = annotation(message, "operation");
    const auto resource = annotation(message, "resource");
    const auto correlation = message.correlation_id;
    if (operation == "GET") {
      twins_.read(identity_, on_thread<std::string>([this, correlation](HubResult<std::string> result) {
                    count(Operation::twin_read, result ? result->size() : 0, result);
                    if (!result) return refuse(correlation, result.error());
                    answer(correlation, 200, *result, std::nullopt);
                  }));
    } else if (operation == "PATCH" && resource == kReported) {
      const auto patch = message.body();
      twins_.report(
          identity_, std::string(as_text(patch)),
          on_thread<std::uint64_t>([this, correlation, bytes = patch.size()](HubResult<std::uint64_t> version) {
            count(Operation::twin_report, bytes, version);
            if (!version) return refuse(correlation, version.error());
            answer(correlation, 200, {}, *version);
          }));
    } else if ((operation == "PUT" || operation == "DELETE") && resource == kDesiredNotifications) {
      if (auto* const reply = reply_link()) reply->subscribed = operation == "PUT";
      answer(correlation, 200, {}, std::nullopt);
    } else {
      refuse(correlation, {kArgumentInvalid, "There is no such operation on a twin."});
    }
  }

  template <class T>
  void count(Operation operation, std::size_t bytes, const HubResult<T>& result) {
    if (result) return connection().rim().count(identity_, operation, bytes, 1);
    connection().rim().count_failed(identity_, operation, result.error());
  }

  TwinReplyLink* reply_link() {
    auto* const device = connection().device(device_);
    if (device == nullptr) return nullptr;
    const auto found = device->channels.find(channel_);
    return found == device->channels.end() ? nullptr : static_cast<TwinReplyLink*>(found->second);
  }
  void answer(const Value& correlation, int status, std::string_view body, std::optional<std::uint64_t> version) {
    connection().engine().give_credit(id(), 1);
    Message message{.correlation_id = correlation};
    message.annotations = {{Symbol{"status"}, std::int32_t{status}}};
    if (version) message.annotations.emplace_back(Symbol{"version"}, static_cast<std::int64_t>(*version));
    put_body(message, body);
    if (auto* const reply = reply_link()) reply->send(message);
  }
  /// The Node SDK parses the body of a failure as JSON.
  void refuse(const Value& correlation, const HubError& error) {
    JsonWriter json;
    json.begin_object().key("errorCode").value(error.code).key("message").value(error.message).end_object();
    answer(correlation, error.status(), json.take(), std::nullopt);
  }

  TwinPort& twins_;
  Number device_;
  Identity identity_;
  std::string channel_;
  Held<Message> held_;  ///< For their rate; bounded by the credit.
};

}  // namespace

std::unique_ptr<Link> make_twin_link(Connection& connection, LinkId id, Device& device, const LinkRequest& request) {
  if (request.client_sends) return std::make_unique<TwinRequestLink>(connection, id, device, channel_of(request));
  return std::make_unique<TwinReplyLink>(connection, id, device, channel_of(request));
}

}  // namespace picket::hub::amqp
