// /devices/{d}[/modules/{m}]/methods/devicebound: direct methods. Calls go out on the client's receiver, answers come
// on its sender; the correlation id of both is the number of the call.
#include <charconv>

#include "base/core/encoding.h"
#include "hub/methods.h"
#include "links.h"
#include "message.h"

namespace picket::hub::amqp {
namespace {

constexpr int kResponseCredit = 32;

/// SDKs want a UUID (version 4 by its form).
Uuid uuid_of(std::uint64_t call) {
  Uuid out{};
  out[0] = static_cast<std::byte>(call >> 56);
  out[6] = std::byte{0x40};
  out[8] = std::byte{0x80};
  for (std::size_t i = 0; i < 7; ++i) out[15 - i] = static_cast<std::byte>(call >> (8 * i));
  return out;
}

/// 0: it is no call of ours.
std::uint64_t call_of(const Value& correlation) {
  Uuid uuid{};
  if (const auto* exact = correlation.get<Uuid>()) {
    uuid = *exact;
  } else if (const auto* bytes = correlation.get<Buffer>(); bytes != nullptr && bytes->size() == uuid.size()) {
    std::ranges::copy(*bytes, uuid.begin());
  } else {
    auto text = to_text(correlation);
    std::erase(text, '-');
    const auto decoded = from_hex(text);
    if (!decoded || decoded->size() != uuid.size()) return 0;
    std::ranges::copy(*decoded, uuid.begin());
  }
  auto call = std::to_integer<std::uint64_t>(uuid[0]) << 56;
  for (std::size_t i = 0; i < 7; ++i) call |= std::to_integer<std::uint64_t>(uuid[15 - i]) << (8 * i);
  return uuid_of(call) == uuid ? call : 0;
}

/// Calls, from the hub to the client.
class MethodCallLink final : public Link {
 public:
  MethodCallLink(Connection& connection, LinkId id, Device& device)
      : Link(connection, id), methods_(*connection.services().methods), key_(key_of(device.grant.identity)) {}

  void credit() override {
    if (!std::exchange(available_, true)) methods_.available(key_);
  }
  bool notify(const Notification& notification) override {
    const auto* call = std::get_if<MethodCall>(&notification);
    if (call == nullptr) return false;
    Message message{.correlation_id = uuid_of(call->id)};
    message.application = {{"IoThub-methodname", call->name}};
    message.data.assign(as_bytes(call->payload).begin(), as_bytes(call->payload).end());
    const auto sent = connection().engine().send(id(), connection().next_number(), write_message(message));
    return sent != Engine::Sent::no;
  }
  void closed() override {
    if (available_) methods_.gone(key_);
  }

 private:
  Methods& methods_;
  IdentityKey key_;
  bool available_ = false;
};

/// Answers, from the client.
class MethodResponseLink final : public Link {
 public:
  MethodResponseLink(Connection& connection, LinkId id, Device& device)
      : Link(connection, id), methods_(*connection.services().methods), key_(key_of(device.grant.identity)) {}

  void opened() override { connection().engine().give_credit(id(), kResponseCredit); }
  void received(DeliveryId delivery, Bytes bytes, std::uint32_t) override {
    auto& engine = connection().engine();
    engine.give_credit(id(), 1);
    const auto message = read_message(bytes);
    const auto call = message ? call_of(message->correlation_id) : 0;
    const auto* status = message ? find(message->application, "IoThub-status") : nullptr;
    if (call == 0 || status == nullptr) {
      return engine.settle(id(), delivery, Outcome::rejected,
                           {"com.microsoft:argument-error", "No answer to a method: correlation id or status.", {}});
    }
    MethodReply reply{.status = status_of(*status), .payload = std::string(as_text(message->body()))};
    methods_.respond(key_, call, std::move(reply));
    engine.settle(id(), delivery, Outcome::accepted);
  }

 private:
  static int status_of(const Value& value) {
    if (const auto number = value.integer()) return static_cast<int>(*number);
    int out = 0;
    const auto text = to_text(value);
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  }
  Methods& methods_;
  IdentityKey key_;
};

}  // namespace

std::unique_ptr<Link> make_method_link(Connection& connection, LinkId id, Device& device, bool client_sends) {
  if (client_sends) return std::make_unique<MethodResponseLink>(connection, id, device);
  return std::make_unique<MethodCallLink>(connection, id, device);
}

}  // namespace picket::hub::amqp
