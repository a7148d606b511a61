// {entity}/ConsumerGroups/{group}/Partitions/{n}: a service reads device messages of one partition, as from an Event
// Hub.
#include <deque>

#include "event_filter.h"
#include "hub/event_stream.h"
#include "hub/telemetry.h"
#include "links.h"
#include "message.h"
#include "system_properties.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kReadAtOnceMax = 100;

Message message_of(const StreamEvent& event) {
  Message out{.data = event.body};
  auto& annotations = out.annotations;
  annotations = {{Symbol{"x-opt-sequence-number"}, static_cast<std::int64_t>(event.sequence)},
                 {Symbol{"x-opt-offset"}, std::to_string(event.sequence)},
                 {Symbol{"x-opt-enqueued-time"}, event.enqueued},
                 {Symbol{"iothub-enqueuedtime"}, event.enqueued},
                 {Symbol{"iothub-connection-device-id"}, event.identity.device_id},
                 {Symbol{"iothub-connection-auth-generation-id"}, event.identity.generation_id}};
  if (!event.identity.module_id.empty()) {
    annotations.emplace_back(Symbol{"iothub-connection-module-id"}, event.identity.module_id);
  }
  bool source = false;
  for (const auto& [name, value] : event.properties) {
    if (name == "iothub-enqueuedtime") continue;  // stands above
    if (is_reserved(name)) {
      source = source || name == "iothub-message-source";
      annotations.emplace_back(Symbol{name}, value);
    } else {
      put_property(out, name, value);
    }
  }
  if (!source) annotations.emplace_back(Symbol{"iothub-message-source"}, "Telemetry");
  return out;
}

class EventLink final : public Link {
 public:
  EventLink(Connection& connection, LinkId id, std::unique_ptr<EventReader> reader)
      : Link(connection, id), reader_(std::move(reader)) {}

  void credit() override { send_waiting(); }
  void tick() override { send_waiting(); }
  void closed() override { reader_.reset(); }

 private:
  void send_waiting() {
    while (!waiting_.empty()) {
      const auto sent =
          connection().engine().send(id(), connection().next_number(), write_message(message_of(waiting_.front())));
      if (sent == Engine::Sent::no) return;
      waiting_.pop_front();
    }
    const auto credit = connection().engine().credit_of(id());
    if (asking_ || credit <= 0 || !reader_) return;
    asking_ = true;
    reader_->receive(std::min(static_cast<std::size_t>(credit), kReadAtOnceMax),
                     on_thread<std::vector<StreamEvent>>([this](auto events) { take(std::move(events)); }));
  }
  void take(HubResult<std::vector<StreamEvent>> events) {
    asking_ = false;
    if (!events) {
      if (reader_) connection().detach(id(), condition_of(events.error()));
      return;
    }
    for (auto& event : *events) waiting_.push_back(std::move(event));
    send_waiting();
  }

  std::unique_ptr<EventReader> reader_;
  bool asking_ = false;
  std::deque<StreamEvent> waiting_;  ///< At most kReadAtOnceMax.
};

}  // namespace

MadeLink make_event_link(Connection& connection, LinkId id, const ServiceGrant& grant, const Address& address,
                         const LinkRequest& request) {
  const auto start = read_event_filter(request.filter);
  if (!start) return std::unexpected(Condition{"com.microsoft:argument-error", "The filter cannot be read.", {}});
  if (address.partition >= kEventPartitions || !same_without_case(address.entity, grant.hub)) {
    return std::unexpected(Condition{"amqp:not-found", "There is no such partition.", {}});
  }
  auto reader = connection.services().events->open(grant.hub, static_cast<std::uint16_t>(address.partition), *start);
  if (!reader) return std::unexpected(condition_of(reader.error()));
  return std::make_unique<EventLink>(connection, id, *std::move(reader));
}

}  // namespace picket::hub::amqp
