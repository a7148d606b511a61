#include "hub/method_broker.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "json_check.h"

namespace picket::hub {
namespace {

/// Where a call is on its way.
enum class Stage : std::uint8_t {
  offered,  ///< The directory has it; it will say whether a link took it.
  waiting,  ///< For the device to come online.
  sent,     ///< A link has it.
};

struct Call {
  IdentityKey target;
  MethodRequest request;
  std::string caller;
  Done<MethodReply> done;
  Stage stage = Stage::offered;
  bool came_online = false;  ///< While it was offered: offer it again, should that fail.
  Duration started;
  Duration connect_deadline;
  Duration response_deadline;
};

std::optional<HubError> check(const MethodRequest& request) {
  const auto invalid = [](std::string text) { return HubError{kArgumentInvalid, std::move(text)}; };
  if (request.name.empty() || request.name.size() > kMethodNameMax) {
    return invalid(fmt::format("A method name has 1 to {} characters.", kMethodNameMax));
  }
  if (!is_utf8(request.name)) return invalid("A method name is UTF-8.");
  for (const char c : request.name) {
    // It is one segment of an MQTT topic.
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '/' || c == '+' || c == '#' || c == '?') {
      return invalid("A method name has no spaces, control characters, '/', '+', '#' or '?'.");
    }
  }
  if (request.response_timeout < kResponseTimeoutMin || request.response_timeout > kMethodTimeoutMax) {
    return invalid("responseTimeoutInSeconds is 5 to 300.");
  }
  if (request.connect_timeout.us < 0 || request.connect_timeout > kMethodTimeoutMax) {
    return invalid("connectTimeoutInSeconds is 0 to 300.");
  }
  if (request.payload.size() > kMethodPayloadBytesMax) {
    return HubError{kTooLarge, fmt::format("A method's payload has at most {} bytes.", kMethodPayloadBytesMax)};
  }
  if (!request.payload.empty() && !is_json(request.payload)) return invalid("The payload is not JSON.");
  return std::nullopt;
}

/// Shared by the broker and the callbacks that the directory still holds.
class Broker : public std::enable_shared_from_this<Broker> {
 public:
  Broker(NotifyLink notify, const Clock& clock, MethodOptions options)
      : notify_(std::move(notify)), clock_(clock), options_(std::move(options)) {}

  void invoke(const IdentityKey& target, MethodRequest request, std::string_view caller, Done<MethodReply> done);
  void available(const IdentityKey& identity);
  void respond(const IdentityKey& from, std::uint64_t id, MethodReply reply);
  void gone(const IdentityKey& identity);
  void run_due();
  void stop();
  [[nodiscard]] MethodStats stats() const;

 private:
  using Calls = std::map<std::uint64_t, Call>;
  struct Ended {
    Call call;
    HubResult<MethodReply> result;
  };
  using EndedList = std::vector<Ended>;

  void offer(std::uint64_t id, const IdentityKey& target, MethodCall call);
  void offered(std::uint64_t id, bool taken);
  // With the mutex held: takes the call out; its end is told later, without the mutex.
  Calls::iterator end(Calls::iterator at, HubResult<MethodReply> result, EndedList& ended);
  void tell(EndedList ended);
  [[nodiscard]] HubError not_online(const IdentityKey& target) const;

  const NotifyLink notify_;
  const Clock& clock_;
  const MethodOptions options_;
  mutable std::mutex mutex_;
  Calls calls_;
  std::map<IdentityKey, std::set<std::uint64_t>> of_identity_;
  MethodStats stats_;
  bool stopped_ = false;
};

void Broker::invoke(const IdentityKey& target, MethodRequest request, std::string_view caller, Done<MethodReply> done) {
  auto refusal = check(request);
  const auto now = clock_.monotonic();
  const MethodCall call{random_u64() >> 1, request.name, request.payload};
  {
    const std::scoped_lock lock(mutex_);
    const auto own = of_identity_.find(target);
    if (!refusal && stopped_) refusal = HubError{kUnavailable, "The hub is shutting down."};
    if (!refusal &&
        (calls_.size() >= kCallsMax || (own != of_identity_.end() && own->second.size() >= kCallsPerDeviceMax))) {
      refusal = HubError{kThrottled, "Too many methods are waiting for their answers. Try again."};
    }
    if (refusal) {
      ++stats_.refused;
    } else {
      ++stats_.invoked;
      const auto response = request.response_timeout;
      const auto connect = request.connect_timeout;
      calls_.emplace(call.id, Call{target, std::move(request), std::string(caller), std::move(done), Stage::offered,
                                   false, now, now + connect, now + connect + response});
      of_identity_[target].insert(call.id);
    }
  }
  if (refusal) return done(std::unexpected(*std::move(refusal)));
  offer(call.id, target, call);
}

void Broker::offer(std::uint64_t id, const IdentityKey& target, MethodCall call) {
  notify_(target, std::move(call), [weak = weak_from_this(), id](bool taken) {
    if (const auto self = weak.lock()) self->offered(id, taken);
  });
}

void Broker::offered(std::uint64_t id, bool taken) {
  IdentityKey target;
  std::optional<MethodCall> again;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = calls_.find(id);
    if (at == calls_.end() || at->second.stage != Stage::offered) return;
    auto& call = at->second;
    target = call.target;
    const auto now = clock_.monotonic();
    if (taken) {
      call.stage = Stage::sent;
      call.response_deadline = now + call.request.response_timeout;
      return;
    }
    if (std::exchange(call.came_online, false)) {
      again = MethodCall{id, call.request.name, call.request.payload};
    } else if (call.connect_deadline > now) {
      call.stage = Stage::waiting;
      return;
    }
  }
  if (again) return offer(id, target, *std::move(again));
  auto error = not_online(target);  // asks the store: not under the mutex
  EndedList ended;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = calls_.find(id);
    if (at == calls_.end() || at->second.stage != Stage::offered) return;
    end(at, std::unexpected(std::move(error)), ended);
  }
  tell(std::move(ended));
}

HubError Broker::not_online(const IdentityKey& target) const {
  const auto name = target.module_id.empty() ? target.device_id : target.device_id + "/" + target.module_id;
  if (options_.exists && !options_.exists(target)) {
    return {target.module_id.empty() ? kDeviceNotFound : kModuleNotFound, fmt::format("{} does not exist.", name)};
  }
  return {kNotOnline, fmt::format("{} is not connected, or takes no methods.", name)};
}

void Broker::available(const IdentityKey& identity) {
  std::vector<MethodCall> again;
  {
    const std::scoped_lock lock(mutex_);
    const auto own = of_identity_.find(identity);
    if (own == of_identity_.end()) return;
    for (const auto id : own->second) {
      auto& call = calls_.at(id);
      if (call.stage == Stage::offered) call.came_online = true;
      if (call.stage != Stage::waiting) continue;
      call.stage = Stage::offered;
      again.push_back({id, call.request.name, call.request.payload});
    }
  }
  for (auto& call : again) {
    const auto id = call.id;
    offer(id, identity, std::move(call));
  }
}

void Broker::respond(const IdentityKey& from, std::uint64_t id, MethodReply reply) {
  const bool usable =
      reply.payload.size() <= kMethodPayloadBytesMax && (reply.payload.empty() || is_json(reply.payload));
  EndedList ended;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = calls_.find(id);
    // A call that is only offered may be answered already: the device is quicker than the directory's word.
    if (at == calls_.end() || at->second.target != from || at->second.stage == Stage::waiting) {
      ++stats_.foreign_replies;
      return;
    }
    if (usable) {
      end(at, std::move(reply), ended);
    } else {
      end(at,
          hub_fail(kBadDeviceResponse,
                   fmt::format("The device's answer is no JSON, or over {} bytes.", kMethodPayloadBytesMax)),
          ended);
    }
  }
  tell(std::move(ended));
}

void Broker::gone(const IdentityKey& identity) {
  EndedList ended;
  {
    const std::scoped_lock lock(mutex_);
    const auto own = of_identity_.find(identity);
    if (own == of_identity_.end()) return;
    const auto ids = own->second;  // end() changes it
    for (const auto id : ids) {
      const auto at = calls_.find(id);
      if (at->second.stage != Stage::sent) continue;
      end(at, hub_fail(kNotOnline, "The device's connection ended before it answered."), ended);
    }
  }
  tell(std::move(ended));
}

void Broker::run_due() {
  const auto now = clock_.monotonic();
  EndedList ended;
  {
    const std::scoped_lock lock(mutex_);
    for (auto at = calls_.begin(); at != calls_.end();) {
      const auto& call = at->second;
      if (call.stage == Stage::waiting && call.connect_deadline <= now) {
        at = end(at, hub_fail(kNotOnline, "The device did not come online in time."), ended);
      } else if (call.stage != Stage::waiting && call.response_deadline <= now) {
        at = end(at, hub_fail(kGatewayTimeout, "The device did not answer in time."), ended);
      } else {
        ++at;
      }
    }
  }
  tell(std::move(ended));
}

void Broker::stop() {
  EndedList ended;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    for (auto at = calls_.begin(); at != calls_.end();) {
      at = end(at, hub_fail(kUnavailable, "The hub is shutting down."), ended);
    }
  }
  tell(std::move(ended));
}

Broker::Calls::iterator Broker::end(Calls::iterator at, HubResult<MethodReply> result, EndedList& ended) {
  const auto own = of_identity_.find(at->second.target);
  own->second.erase(at->first);
  if (own->second.empty()) of_identity_.erase(own);
  ++(result ? stats_.answered : stats_.failed);
  ended.push_back({std::move(at->second), std::move(result)});
  return calls_.erase(at);
}

void Broker::tell(EndedList ended) {
  for (auto& [call, result] : ended) {
    if (options_.on_operation) {
      options_.on_operation({.time = clock_.now(),
                             .target = call.target,
                             .name = call.request.name,
                             .caller = call.caller,
                             .code = result ? 0 : result.error().code,
                             .status = result ? result->status : 0,
                             .request_bytes = call.request.payload.size(),
                             .response_bytes = result ? result->payload.size() : 0,
                             .took = clock_.monotonic() - call.started});
    }
    call.done(std::move(result));
  }
}

MethodStats Broker::stats() const {
  const std::scoped_lock lock(mutex_);
  auto out = stats_;
  out.open = calls_.size();
  return out;
}

class SharedBroker final : public MethodBroker {
 public:
  explicit SharedBroker(std::shared_ptr<Broker> broker) : broker_(std::move(broker)) {}
  ~SharedBroker() override { broker_->stop(); }
  void invoke(const IdentityKey& target, MethodRequest request, std::string_view caller,
              Done<MethodReply> done) override {
    broker_->invoke(target, std::move(request), caller, std::move(done));
  }
  void available(const IdentityKey& identity) override { broker_->available(identity); }
  void respond(const IdentityKey& from, std::uint64_t call, MethodReply reply) override {
    broker_->respond(from, call, std::move(reply));
  }
  void gone(const IdentityKey& identity) override { broker_->gone(identity); }
  void run_due() override { broker_->run_due(); }
  void stop() override { broker_->stop(); }
  [[nodiscard]] MethodStats stats() const override { return broker_->stats(); }

 private:
  std::shared_ptr<Broker> broker_;  ///< Weakly known to the directory's callbacks.
};

}  // namespace

std::unique_ptr<MethodBroker> make_methods(NotifyLink notify, const Clock& clock, MethodOptions options) {
  return std::make_unique<SharedBroker>(std::make_shared<Broker>(std::move(notify), clock, std::move(options)));
}

}  // namespace picket::hub
