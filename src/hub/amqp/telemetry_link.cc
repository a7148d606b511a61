// /devices/{d}[/modules/{m}]/messages/events: telemetry into the journal. The records of a delivery stand or fall
// together; it is accepted when they are durable, and credit is given only as far as rates and journal take more.
#include <algorithm>
#include <unordered_map>

#include "held.h"
#include "hub/throttle.h"
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
    auto* const device = connection().device(device_);
    if (device == nullptr) return;
    Delivery taken{.id = delivery, .records = *std::move(records)};
    std::uint64_t blocks = 0;
    for (const auto& record : taken.records) {
      taken.body_bytes += record.body.size();
      blocks += message_blocks(record.body.size());
    }
    const auto due = connection().pay_messages(device->grant.identity, taken.records.size(), blocks);
    if (!due) return refuse_rate(delivery, device->grant.identity, due.error());
    ++unsettled_;
    in_flight_bytes_ += taken.body_bytes;
    waiting_.put(*due, std::move(taken));
    append_waiting();
    refill();
  }

  void stored(Number work, bool good) override {
    const auto found = works_.find(work);
    if (found == works_.end()) return;
    const auto [delivery, bytes] = found->second;
    works_.erase(found);
    in_flight_bytes_ -= bytes;
    --unsettled_;
    // Released: the client may send it again.
    connection().engine().settle(id(), delivery, good ? Outcome::accepted : Outcome::released);
    append_waiting();
    refill();
  }

  void tick() override {
    append_waiting();
    if (storage_waits_until_ && connection().rim().monotonic() > *storage_waits_until_) {
      return connection().close(DisconnectReason::storage);
    }
    refill();
  }

 private:
  struct Delivery {
    DeliveryId id = 0;
    std::vector<TelemetryRecord> records;
    std::size_t body_bytes = 0;
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

  /// No more comes until the rate allows it again, so that a client that tries at once does not spin.
  void refuse_rate(DeliveryId delivery, const Identity& identity, const Connection::Refused& refused) {
    auto& rim = connection().rim();
    auto condition = condition_of(refused.error);
    condition.description = tracked(refused.error.code, refused.error.message, rim.now());
    connection().engine().settle(id(), delivery, Outcome::rejected, condition);
    rim.count_failed(identity, Operation::d2c_message, refused.error);
    refill_after_ = std::max(refill_after_, rim.monotonic() + refused.wait);
  }

  void append_waiting() {
    auto* const device = connection().device(device_);
    if (device == nullptr) return;
    auto& rim = connection().rim();
    while (auto* const next = waiting_.due(rim.monotonic())) {
      std::vector<journal::Record> records;
      for (auto& record : next->records) records.push_back(record.as_record(device->grant, rim.now()));
      const auto work = connection().next_number();
      works_.emplace(work, Work{next->id, next->body_bytes});
      if (!connection().append(id(), records, work)) {
        works_.erase(work);
        if (!storage_waits_until_) storage_waits_until_ = rim.monotonic() + connection().limits().storage_patience;
        return;
      }
      device->messages += records.size();
      rim.count(device->grant.identity, Operation::d2c_message, next->body_bytes, records.size());
      waiting_.pop();
      storage_waits_until_.reset();
    }
  }

  void refill() {
    auto& rim = connection().rim();
    if (storage_waits_until_ || in_flight_bytes_ >= kInFlightBytesMax || !rim.storage_ready()) return;
    if (rim.monotonic() < refill_after_) return;
    const int more = connection().limits().telemetry_credit - credit_ - unsettled_;
    if (more <= 0 || (credit_ > 0 && more * 2 < connection().limits().telemetry_credit)) return;
    credit_ += more;
    connection().engine().give_credit(id(), more);
  }

  Number device_;
  int credit_ = 0;     ///< Given and not used.
  int unsettled_ = 0;  ///< Taken: for their rate, for the journal to take them, or for its answer.
  std::size_t in_flight_bytes_ = 0;
  Held<Delivery> waiting_;  ///< Bounded by the credit.
  std::optional<Duration> storage_waits_until_;
  Duration refill_after_{};
  std::unordered_map<Number, Work> works_;
};

}  // namespace

std::unique_ptr<Link> make_telemetry_link(Connection& connection, LinkId id, Device& device) {
  return std::make_unique<TelemetryLink>(connection, id, device);
}

}  // namespace picket::hub::amqp
