// $cbs: claims-based security (AMQP CBS working draft; spec/hub.md 1.3). Requests on the client's sender, answers on
// its receiver; several tokens on one connection, each again before it ends.
#include <deque>

#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kAnswersWaitingMax = 64;
constexpr int kRequestCredit = 16;

/// From $cbs to the client.
class CbsReplyLink final : public Link {
 public:
  using Link::Link;
  void opened() override { connection().reply_link = this; }
  void credit() override { send_waiting(); }

  void answer(Message message) {
    if (waiting_.size() >= kAnswersWaitingMax) return;  // it asks and does not listen
    waiting_.push_back(write_message(message));
    send_waiting();
  }

 private:
  void send_waiting() {
    while (!waiting_.empty()) {
      if (connection().engine().send(id(), connection().next_number(), waiting_.front()) == Engine::Sent::no) return;
      waiting_.pop_front();
    }
  }
  std::deque<Buffer> waiting_;
};

/// From the client to $cbs.
class CbsRequestLink final : public Link {
 public:
  using Link::Link;
  void opened() override { connection().engine().give_credit(id(), kRequestCredit); }

  void received(DeliveryId delivery, Bytes bytes, std::uint32_t) override {
    auto& engine = connection().engine();
    const auto message = read_message(bytes);
    if (!message) {
      engine.settle(id(), delivery, Outcome::rejected, {"amqp:decode-error", "Not an AMQP message.", {}});
    } else {
      engine.settle(id(), delivery, Outcome::accepted);
      handle(*message);
    }
    engine.give_credit(id(), 1);
  }

 private:
  void handle(const Message& message) {
    const auto property = [&](std::string_view name) {
      const auto* value = find(message.application, name);
      return value == nullptr ? std::string() : to_text(*value);
    };
    auto* const owner = &connection();
    auto then = [owner, to = message.message_id](int status, std::string text) {
      Message reply{.correlation_id = to};
      reply.application = {{"status-code", std::int32_t{status}}, {"status-description", std::move(text)}};
      reply.value = Value();
      if (owner->reply_link != nullptr) static_cast<CbsReplyLink*>(owner->reply_link)->answer(std::move(reply));
    };
    const auto operation = property("operation");
    if (operation == "delete-token") return then(200, "OK");  // it ends with its time
    if (operation != "put-token") return then(400, "There is no such operation.");
    const auto type = property("type");
    if (type != "servicebus.windows.net:sastoken" && type != "azure-devices.net:sastoken") {
      return then(400, "Only shared access signatures are taken.");
    }
    connection().put_token(property("name"), as_text(message.body()), std::move(then));
  }
};

}  // namespace

std::unique_ptr<Link> make_cbs_link(Connection& connection, LinkId id, const LinkRequest& request) {
  if (request.client_sends) return std::make_unique<CbsRequestLink>(connection, id);
  return std::make_unique<CbsReplyLink>(connection, id);
}

}  // namespace picket::hub::amqp
