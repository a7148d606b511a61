// Cloud-to-device messages: in order, a bounded number at a time, each until it is acknowledged.
#include <algorithm>

#include "command_channel.h"
#include "device_topics.h"
#include "provisioning_channel.h"

namespace picket::hub {
namespace {

/// With more than this waiting for the client's socket, the next command stays in its queue.
constexpr std::size_t kOutputBytesMax = 128 * 1024;

}  // namespace

void MqttConnection::ask_for_command() {
  auto& channel = *commands_;
  if (channel.asking) {
    channel.more = true;
    return;
  }
  if (channel.in_flight.size() >= CommandChannel::kInFlightMax || output_.size() > kOutputBytesMax) return;
  channel.asking = true;
  channel.more = false;
  context_.needs.commands->receive(
      key(), "mqtt", {},
      answer<std::optional<LockedCommand>>([](MqttConnection& self, HubResult<std::optional<LockedCommand>> command) {
        self.on_command(command ? *std::move(command) : std::nullopt);  // a failure is over at the next occasion
      }));
}

void MqttConnection::on_command(std::optional<LockedCommand> command) {
  if (end_ || !commands_) return;  // its lock has ended, or ends with the connection
  auto& channel = *commands_;
  if (!command) {
    channel.asking = false;
    if (channel.more) ask_for_command();
    return;
  }
  const auto filter = sender_.identity.module_id.empty() ? mqtt::Filter::devicebound : mqtt::Filter::module_inputs;
  const auto qos = filters_.qos(filter);
  const auto topic = command_topic(sender_.identity.device_id, sender_.identity.module_id, command->command);
  mqtt::Publish packet{.topic = topic, .payload = {command->command.body}, .qos = qos};
  if (qos == mqtt::QoS::at_least_once) {
    packet.packet_id = command_packet_id(command->sequence);
    packet.dup = command->delivery_count > 1;
  }
  ++context_.counters.commands_sent;
  // `asking` stays set meanwhile: publishing may already have room for more, and would ask in our place.
  const bool published = publish(packet);
  if (end_) return;
  if (!published) {
    // What cannot be said in MQTT, such as a topic that is too long, must not keep what stands behind it.
    context_.needs.commands->settle(key(), command->lock, Settlement::reject, "mqtt", [](const HubResult<>&) {});
  } else if (qos == mqtt::QoS::at_least_once) {
    channel.in_flight.push_back({packet.packet_id, std::move(command->lock)});
  } else {
    complete(command->lock);
  }
  channel.asking = false;
  ask_for_command();
}

/// PUBACK.
void MqttConnection::on_delivered(std::uint16_t packet_id) {
  if (commands_) {
    auto& in_flight = commands_->in_flight;
    const auto found = std::ranges::find(in_flight, packet_id, &CommandChannel::Delivery::packet_id);
    if (found != in_flight.end()) {
      const auto lock = std::move(found->lock);
      in_flight.erase(found);
      complete(lock);
      return ask_for_command();
    }
  }
  if (!provisioning_) ++context_.counters.stray_acknowledgements;
}

void MqttConnection::complete(std::string_view lock) {
  ++context_.counters.commands_completed;
  context_.needs.commands->settle(key(), lock, Settlement::complete, "mqtt", [](const HubResult<>&) {});
}

}  // namespace picket::hub
