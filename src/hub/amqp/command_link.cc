// /devices/{d}[/modules/{m}]/messages/devicebound: cloud-to-device messages. A delivery is locked until the client
// settles it: accepted completes, rejected rejects, released and modified abandon.
#include <unordered_map>

#include "hub/commands.h"
#include "links.h"
#include "message.h"
#include "system_properties.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kUnsettledMax = 50;  // the queue of a device is no longer

Settlement settlement_of(Outcome outcome) {
  if (outcome == Outcome::accepted) return Settlement::complete;
  return outcome == Outcome::rejected ? Settlement::reject : Settlement::abandon;
}

std::string_view ack_of(FeedbackWish wish) {
  constexpr std::string_view kNames[] = {"none", "positive", "negative", "full"};
  return kNames[static_cast<std::size_t>(wish)];
}

/// IoT Hub's annotations, and system properties in AMQP's own places.
Message message_of(const LockedCommand& locked) {
  Message out{.expiry = locked.expiry, .data = locked.command.body};
  out.annotations = {{Symbol{"iothub-enqueuedtime"}, locked.enqueued},
                     {Symbol{"iothub-deliverycount"}, static_cast<std::int32_t>(locked.delivery_count)},
                     {Symbol{"iothub-sequencenumber"}, static_cast<std::int64_t>(locked.sequence)}};
  for (const auto& [name, value] : locked.command.properties) put_property(out, name, value);
  if (locked.command.feedback != FeedbackWish::none) {
    out.application.emplace_back("iothub-ack", ack_of(locked.command.feedback));
  }
  return out;
}

class CommandLink final : public Link {
 public:
  CommandLink(Connection& connection, LinkId id, Device& device)
      : Link(connection, id), commands_(*connection.services().commands), key_(key_of(device.grant.identity)) {}

  void credit() override { ask(); }
  bool notify(const Notification& notification) override {
    if (!std::holds_alternative<CommandsWaiting>(notification)) return false;
    again_ = true;
    ask();
    return true;
  }
  void settled(DeliveryId delivery, Outcome outcome) override {
    const auto found = locks_.find(delivery);
    if (found == locks_.end()) return;
    commands_.settle(key_, found->second, settlement_of(outcome), "amqp", [](HubResult<>) {});  // late: it is lost
    locks_.erase(found);
    ask();
  }
  void closed() override { commands_.unlock_all(key_); }

 private:
  void ask() {
    if (asking_ || locks_.size() >= kUnsettledMax || connection().engine().credit_of(id()) <= 0) return;
    asking_ = true;
    again_ = false;
    commands_.receive(key_, "amqp", Duration{},
                      on_thread<std::optional<LockedCommand>>([this](auto result) { take(std::move(result)); }));
  }
  void take(HubResult<std::optional<LockedCommand>> result) {
    asking_ = false;
    if (!result || !*result) {
      if (result && again_) ask();
      return;
    }
    auto& command = **result;
    const auto delivery = connection().next_number();
    switch (connection().engine().send(id(), delivery, write_message(message_of(command)))) {
      case Engine::Sent::no:
        commands_.settle(key_, command.lock, Settlement::abandon, "amqp", [](HubResult<>) {});
        return;
      case Engine::Sent::settled:
        commands_.settle(key_, command.lock, Settlement::complete, "amqp", [](HubResult<>) {});
        break;
      case Engine::Sent::waiting:
        locks_.emplace(delivery, command.lock);
        break;
    }
    ask();
  }

  Commands& commands_;
  IdentityKey key_;
  bool asking_ = false;
  bool again_ = false;  ///< Something came while an answer was under way.
  std::unordered_map<DeliveryId, std::string> locks_;
};

}  // namespace

std::unique_ptr<Link> make_command_link(Connection& connection, LinkId id, Device& device) {
  return std::make_unique<CommandLink>(connection, id, device);
}

}  // namespace picket::hub::amqp
