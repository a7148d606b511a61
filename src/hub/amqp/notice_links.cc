// /messages/serviceBound/feedback and …/filenotifications: what the hub tells the service. Each is asked about once a
// second while the client gives credit: the stores tell one listener only, and this needs none.
#include <unordered_map>

#include "hub/commands.h"
#include "hub/files.h"
#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr Duration kAskAgain = Duration::seconds(1);
constexpr std::size_t kUnsettledMax = 16;

struct FeedbackSource {
  using Item = FeedbackBatch;
  static constexpr std::string_view kContentType = "application/vnd.microsoft.iothub.feedback.json";
  static void receive(const Services& services, std::string_view hub, Done<std::optional<Item>> done) {
    services.commands->receive_feedback(hub, std::move(done));
  }
  static void settle(const Services& services, std::string_view hub, std::string_view lock, Settlement settlement) {
    services.commands->settle_feedback(hub, lock, settlement, [](HubResult<>) {});
  }
};

struct FileSource {
  using Item = FileNotification;
  static constexpr std::string_view kContentType = "application/vnd.microsoft.iothub.filenotification.json";
  static void receive(const Services& services, std::string_view hub, Done<std::optional<Item>> done) {
    services.files->receive_notification(hub, std::move(done));
  }
  static void settle(const Services& services, std::string_view hub, std::string_view lock, Settlement settlement) {
    services.files->settle_notification(hub, lock, settlement, [](HubResult<>) {});
  }
};

template <class Source>
class NoticeLink final : public Link {
 public:
  NoticeLink(Connection& connection, LinkId id, std::string hub) : Link(connection, id), hub_(std::move(hub)) {}

  void credit() override { ask(); }
  void tick() override {
    if (connection().rim().monotonic() >= next_) ask();
  }
  void settled(DeliveryId delivery, Outcome outcome) override {
    const auto found = locks_.find(delivery);
    if (found == locks_.end()) return;
    Source::settle(services(), hub_, found->second,
                   outcome == Outcome::accepted ? Settlement::complete : Settlement::abandon);
    locks_.erase(found);
    if (outcome == Outcome::accepted) ask();  // an abandoned one comes again, but not at once
  }
  void closed() override {
    for (const auto& [delivery, lock] : locks_) Source::settle(services(), hub_, lock, Settlement::abandon);
  }

 private:
  [[nodiscard]] const Services& services() const { return connection().services(); }
  void ask() {
    if (asking_ || locks_.size() >= kUnsettledMax || connection().engine().credit_of(id()) <= 0) return;
    asking_ = true;
    next_ = connection().rim().monotonic() + kAskAgain;
    Source::receive(services(), hub_, on_thread<std::optional<typename Source::Item>>([this](auto result) {
                      asking_ = false;
                      if (result && *result) take(**result);
                    }));
  }
  void take(const typename Source::Item& item) {
    Message message{.user_id = hub_, .content_type = std::string(Source::kContentType)};
    message.content_encoding = "utf-8";
    message.annotations = {{Symbol{"iothub-enqueuedtime"}, item.enqueued}};
    const auto text = to_json(item);
    message.data.assign(as_bytes(text).begin(), as_bytes(text).end());
    const auto delivery = connection().next_number();
    switch (connection().engine().send(id(), delivery, write_message(message))) {
      case Engine::Sent::no:
        return Source::settle(services(), hub_, item.lock, Settlement::abandon);
      case Engine::Sent::settled:
        Source::settle(services(), hub_, item.lock, Settlement::complete);
        break;
      case Engine::Sent::waiting:
        locks_.emplace(delivery, item.lock);
        break;
    }
    ask();
  }

  std::string hub_;
  bool asking_ = false;
  Duration next_{};
  std::unordered_map<DeliveryId, std::string> locks_;
};

}  // namespace

std::unique_ptr<Link> make_feedback_link(Connection& connection, LinkId id, const ServiceGrant& grant) {
  return std::make_unique<NoticeLink<FeedbackSource>>(connection, id, grant.hub);
}
std::unique_ptr<Link> make_file_notification_link(Connection& connection, LinkId id, const ServiceGrant& grant) {
  return std::make_unique<NoticeLink<FileSource>>(connection, id, grant.hub);
}

}  // namespace picket::hub::amqp
