// /messages/devicebound: the service sends cloud-to-device messages. Accepted when the message is durable.
#include "address.h"
#include "base/core/encoding.h"
#include "held.h"
#include "hub/commands.h"
#include "hub/telemetry.h"
#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr int kCredit = 32;

std::optional<FeedbackWish> wish_of(std::string_view text) {
  if (text.empty() || text == "none") return FeedbackWish::none;
  if (text == "positive") return FeedbackWish::positive;
  if (text == "negative") return FeedbackWish::negative;
  if (text == "full") return FeedbackWish::full;
  return std::nullopt;
}

struct Outgoing {
  IdentityKey to;
  Command command;
};

HubResult<Outgoing> read_outgoing(Bytes bytes, const std::string& hub) {
  const auto message = read_message(bytes);
  if (!message) return hub_fail(kArgumentInvalid, "Not an AMQP message: " + std::string(message.error().where));
  const auto address = parse_address(message->to);
  if (address.kind != AddressKind::commands) return hub_fail(kArgumentInvalid, "`to` names no device.");
  Outgoing out{.to = {hub, address.device_id, address.module_id}, .command = {.expiry = message->expiry}};
  auto& properties = out.command.properties;
  const std::pair<std::string_view, std::string> fields[] = {{"$.mid", to_text(message->message_id)},
                                                             {"$.cid", to_text(message->correlation_id)},
                                                             {"$.uid", message->user_id},
                                                             {"$.to", message->to},
                                                             {"$.ct", message->content_type},
                                                             {"$.ce", message->content_encoding}};
  for (const auto& [name, value] : fields) {
    if (!is_utf8(value)) return hub_fail(kArgumentInvalid, "A property is not UTF-8.");
    if (!value.empty()) properties.emplace_back(name, value);
  }
  for (const auto& [key, value] : message->application) {
    const auto name = key.text().value_or("");
    auto text = to_text(value);
    if (name == "iothub-ack") {
      const auto wish = wish_of(text);
      if (!wish) return hub_fail(kArgumentInvalid, "iothub-ack is none, positive, negative or full.");
      out.command.feedback = *wish;
      continue;
    }
    if (!is_utf8(name) || !is_utf8(text)) return hub_fail(kArgumentInvalid, "A property is not UTF-8.");
    if (name.empty() || name.starts_with("$.") || is_reserved(name)) continue;
    properties.emplace_back(name, std::move(text));
  }
  const auto body = message->body();
  out.command.body.assign(body.begin(), body.end());
  return out;
}

class ServiceSendLink final : public Link {
 public:
  ServiceSendLink(Connection& connection, LinkId id, const ServiceGrant& grant)
      : Link(connection, id),
        commands_(*connection.services().commands),
        hub_(grant.hub),
        actor_{.user = "policy/" + grant.policy, .source = std::string(connection.rim().source_address())} {}

  void opened() override { connection().engine().give_credit(id(), kCredit); }

  void received(DeliveryId delivery, Bytes bytes, std::uint32_t) override {
    auto outgoing = read_outgoing(bytes, hub_);
    if (!outgoing) return finish(delivery, std::unexpected(outgoing.error()));
    const auto due = connection().pay({.hub = hub_}, Meter::c2d_messages, 1);
    if (!due) return finish(delivery, std::unexpected(due.error().error));
    held_.put(*due, {delivery, *std::move(outgoing)});
    tick();
  }
  void tick() override {
    while (auto* const next = held_.due(connection().rim().monotonic())) {
      commands_.send(next->outgoing.to, std::move(next->outgoing.command), actor_,
                     on_thread<void>([this, delivery = next->delivery](HubResult<> result) {
                       finish(delivery, std::move(result));
                     }));
      held_.pop();
    }
  }

 private:
  struct Taken {
    DeliveryId delivery;
    Outgoing outgoing;
  };

  void finish(DeliveryId delivery, const HubResult<>& result) {
    auto& engine = connection().engine();
    if (result) {
      engine.settle(id(), delivery, Outcome::accepted);
    } else {
      auto condition = condition_of(result.error());
      condition.description = tracked(result.error().code, result.error().message, connection().rim().now());
      engine.settle(id(), delivery, Outcome::rejected, condition);
    }
    engine.give_credit(id(), 1);
  }

  Commands& commands_;
  std::string hub_;
  state::Actor actor_;
  Held<Taken> held_;  ///< For the hub's rate; bounded by the credit.
};

}  // namespace

std::unique_ptr<Link> make_service_send_link(Connection& connection, LinkId id, const ServiceGrant& grant) {
  return std::make_unique<ServiceSendLink>(connection, id, grant);
}

}  // namespace picket::hub::amqp
