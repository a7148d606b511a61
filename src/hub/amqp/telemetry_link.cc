// /devices/{d}[/modules/{m}]/messages/events: telemetry into the journal. A delivery is accepted when all of its
// records are durable, and credit is given only as far as the journal takes more.
#include <deque>
#include <map>
#include <unordered_map>

#include "links.h"
#include "message.h"
#include "telemetry_record.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kInFlightBytesMax = 1 << 20;

class TelemetryLink final : public Link {
 public:
  TelemetryLink(Connection& connection, LinkId id, Device& device) : Link(connection, id), device_(device.number) {}

  void opened() override { refill(); }

  void received(DeliveryId delivery, Bytes bytes, std::uint32_t format) override {
    --credit_;
    auto records = read_telemetry(bytes, format);
    if (!records) return refuse(delivery, records.error());
    auto& pending = deliveries_[delivery];
    for (auto& record : *records) {
      in_flight_bytes_ += record.body.size();
      ++pending.left;
      waiting_.push_back({delivery, std::move(record)});
    }
    append_waiting();
    refill();
  }

  void stored(Number work, bool good) override {
    const auto found = works_.find(work);
    if (found == works_.end()) return;
    const auto [delivery, bytes] = found->second;
    works_.erase(found);
    in_flight_bytes_ -= bytes;
    finish_one(delivery, good);
    append_waiting();
    refill();
  }

  void tick() override {
    append_waiting();
    if (!waiting_.empty() && connection().rim().monotonic() > patience_until_) {
      return connection().close(DisconnectReason::storage);
    }
    refill();
  }

 private:
  struct Waiting {
    DeliveryId delivery;
    TelemetryRecord record;
  };
  struct Pending {
    std::size_t left = 0;
    bool failed = false;
  };
  struct Work {
    DeliveryId delivery;
    std::size_t bytes;
  };

  void refuse(DeliveryId delivery, const HubError& error) {
    connection().engine().settle(id(), delivery, Outcome::rejected, condition_of(error));
    if (auto* device = connection().device(device_)) {
      connection().log(HubEventKind::topic_denied, device->grant.identity, "message_refused", error.message,
                       error.code);
    }
    // As IoT Hub does: a message over the limit ends the link.
    if (error.code == kTooLarge) return connection().detach(id(), condition_of(error));
    refill();
  }

  void append_waiting() {
    auto* const device = connection().device(device_);
    while (device != nullptr && !waiting_.empty()) {
      auto& [delivery, record] = waiting_.front();
      const auto work = connection().next_number();
      works_.emplace(work, Work{delivery, record.body.size()});
      if (!connection().append(id(), record.as_record(device->grant, connection().rim().now()), work)) {
        works_.erase(work);
        if (!waits_) patience_until_ = connection().rim().monotonic() + connection().limits().storage_patience;
        waits_ = true;
        return;
      }
      ++device->messages;
      connection().rim().count(device->grant.identity, Operation::d2c_message, record.body.size());
      waiting_.pop_front();
      waits_ = false;
    }
  }

  void finish_one(DeliveryId delivery, bool good) {
    const auto found = deliveries_.find(delivery);
    if (found == deliveries_.end()) return;
    found->second.failed = found->second.failed || !good;
    if (--found->second.left > 0) return;
    const bool failed = found->second.failed;
    deliveries_.erase(found);
    // Released: the client may send it again.
    connection().engine().settle(id(), delivery, failed ? Outcome::released : Outcome::accepted);
  }

  void refill() {
    if (!waiting_.empty() || in_flight_bytes_ >= kInFlightBytesMax || !connection().rim().storage_ready()) return;
    const int more = connection().limits().telemetry_credit - credit_ - static_cast<int>(deliveries_.size());
    if (more <= 0 || (credit_ > 0 && more * 2 < connection().limits().telemetry_credit)) return;
    credit_ += more;
    connection().engine().give_credit(id(), more);
  }

  Number device_;
  int credit_ = 0;  ///< Given and not used.
  std::size_t in_flight_bytes_ = 0;
  std::deque<Waiting> waiting_;  ///< For the journal to take them; bounded by the credit.
  bool waits_ = false;
  Duration patience_until_{};
  std::unordered_map<DeliveryId, Pending> deliveries_;
  std::unordered_map<Number, Work> works_;
};

}  // namespace

std::unique_ptr<Link> make_telemetry_link(Connection& connection, LinkId id, Device& device) {
  return std::make_unique<TelemetryLink>(connection, id, device);
}

}  // namespace picket::hub::amqp
