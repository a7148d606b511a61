// $management: what a client asks about the built-in endpoint before it reads (Event Hubs' management operations).
#include <charconv>
#include <deque>

#include "hub/event_stream.h"
#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr int kCredit = 16;
constexpr std::size_t kAnswersWaitingMax = 64;

class ManagementReplyLink final : public Link {
 public:
  using Link::Link;
  void opened() override { connection().management_link = this; }
  void credit() override { send_waiting(); }
  void answer(const Message& message) {
    if (waiting_.size() >= kAnswersWaitingMax) return;
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

Map hub_facts(std::string_view name) {
  List partitions;
  for (std::uint16_t i = 0; i < kEventPartitions; ++i) partitions.emplace_back(std::to_string(i));
  return {{"name", name},
          {"type", "com.microsoft:eventhub"},
          {"created_at", Timestamp{}},
          {"partition_count", static_cast<std::int32_t>(kEventPartitions)},
          {"partition_ids", std::move(partitions)}};
}

Map partition_facts(std::string_view name, std::uint16_t partition, const PartitionInfo& info) {
  const auto last = static_cast<std::int64_t>(info.last_sequence);
  return {{"name", name},
          {"type", "com.microsoft:partition"},
          {"partition", std::to_string(partition)},
          {"begin_sequence_number", static_cast<std::int64_t>(info.begin_sequence)},
          {"last_enqueued_sequence_number", info.empty ? std::int64_t{-1} : last},
          {"last_enqueued_offset", info.empty ? std::string("-1") : std::to_string(last)},
          {"last_enqueued_time_utc", info.last_enqueued},
          {"is_partition_empty", info.empty}};
}

class ManagementRequestLink final : public Link {
 public:
  ManagementRequestLink(Connection& connection, LinkId id, std::string hub)
      : Link(connection, id), hub_(std::move(hub)) {}

  void opened() override { connection().engine().give_credit(id(), kCredit); }
  void received(DeliveryId delivery, Bytes bytes, std::uint32_t) override {
    auto& engine = connection().engine();
    engine.give_credit(id(), 1);
    const auto message = read_message(bytes);
    if (!message) {
      return engine.settle(id(), delivery, Outcome::rejected, {"amqp:decode-error", "Not an AMQP message.", {}});
    }
    engine.settle(id(), delivery, Outcome::accepted);
    handle(*message);
  }

 private:
  void handle(const Message& message) {
    const auto property = [&](std::string_view name) {
      const auto* value = find(message.application, name);
      return value == nullptr ? std::string() : to_text(*value);
    };
    const auto type = property("type");
    if (property("operation") != "READ") return answer(message, 400, "There is no such operation.", {});
    if (!same_without_case(property("name"), hub_)) return answer(message, 404, "There is no such event hub.", {});
    if (type == "com.microsoft:eventhub") return answer(message, 200, "OK", hub_facts(hub_));
    if (type != "com.microsoft:partition") return answer(message, 400, "There is no such type.", {});
    const auto text = property("partition");
    std::uint16_t partition = kEventPartitions;
    std::from_chars(text.data(), text.data() + text.size(), partition);
    if (partition >= kEventPartitions) return answer(message, 404, "There is no such partition.", {});
    const auto info = connection().services().events->info(hub_, partition);
    answer(message, 200, "OK", partition_facts(hub_, partition, info));
  }
  void answer(const Message& to, int status, std::string_view text, Map body) {
    Message reply{.correlation_id = to.message_id};
    reply.application = {{"status-code", std::int32_t{status}}, {"status-description", text}};
    reply.value = Value(std::move(body));
    if (auto* const link = connection().management_link) static_cast<ManagementReplyLink*>(link)->answer(reply);
  }
  std::string hub_;
};

}  // namespace

std::unique_ptr<Link> make_management_link(Connection& connection, LinkId id, const ServiceGrant& grant,
                                           const LinkRequest& request) {
  if (request.client_sends) return std::make_unique<ManagementRequestLink>(connection, id, grant.hub);
  return std::make_unique<ManagementReplyLink>(connection, id);
}

}  // namespace picket::hub::amqp
