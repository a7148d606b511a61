// A device's requests about its own twin, and what it is told of it.
#include "device_topics.h"
#include "mqtt_connection.h"
#include "mqtt_limits.h"

namespace picket::hub {
namespace {

/// Of one connection, asked and not answered; more are refused.
constexpr std::size_t kTwinRequestsMax = 16;

}  // namespace

/// The request's id, when the request goes on to the service. Without an id nothing could be answered, and nothing is
/// done.
std::optional<std::string> MqttConnection::begin_twin_request(std::string_view tail, Meter meter) {
  auto& counters = context_.counters;
  ++counters.twin_requests;
  const auto request_id = request_id_of(tail);
  if (!request_id) {
    ++counters.unanswered;
    return std::nullopt;
  }
  if (context_.needs.twins == nullptr) {
    ++counters.not_offered;
    twin_answer(*request_id, 501, error_body({501000, "This hub does not serve twins."}));
    return std::nullopt;
  }
  if (twin_requests_ >= kTwinRequestsMax) {
    twin_answer(*request_id, 429, error_body({kThrottled, "Too many twin requests at a time. Try again."}));
    return std::nullopt;
  }
  if (auto* throttle = context_.needs.throttle) {
    const auto now = context_.needs.clock.monotonic();
    const auto verdict = throttle->take(key(), meter, 1, now);
    if (verdict.delay.us != 0) throttled(meter == Meter::twin_reads ? "twin_reads" : "twin_updates");
    if (verdict.refused) {
      count_twin(meter == Meter::twin_reads ? Operation::twin_read : Operation::twin_report,
                 HubResult<>(hub_fail(kThrottled, "rate")), 0);
      twin_answer(*request_id, 429, error_body({kThrottled, "Too many twin requests. Try again later."}));
      return std::nullopt;
    }
    if (verdict.delay.us != 0) {  // this one is done, the next is read later
      paused_ = true;
      paused_until_ = now + verdict.delay;
    }
  }
  return std::string(*request_id);
}

/// Unlike the answer, what was done counts also when the client has gone meanwhile; but then nobody is here to count.
template <class Answer>
void MqttConnection::count_twin(Operation operation, const HubResult<Answer>& result, std::size_t bytes) {
  auto* counters = context_.needs.counters;
  if (counters == nullptr) return;
  if (result) return counters->count(sender_.identity, operation, Protocol::mqtt, bytes);
  counters->fail({.identity = sender_.identity,
                  .operation = operation,
                  .protocol = Protocol::mqtt,
                  .code = result.error().code,
                  .reason = result.error().message,
                  .source_address = connection_.stream->peer().address},
                 context_.needs.clock.now());
}

void MqttConnection::on_twin_get(std::string_view tail) {
  auto request_id = begin_twin_request(tail, Meter::twin_reads);
  if (!request_id) return;
  if (!filters_.has(mqtt::Filter::twin_responses)) {
    ++context_.counters.unanswered;
    return;
  }
  ++twin_requests_;
  context_.needs.twins->read(
      sender_.identity,
      answer<std::string>([id = *std::move(request_id)](MqttConnection& self, const HubResult<std::string>& twin) {
        --self.twin_requests_;
        self.count_twin(Operation::twin_read, twin, twin ? twin->size() : 0);
        if (twin) return self.twin_answer(id, 200, *twin);
        self.twin_answer(id, twin.error().status(), error_body(twin.error()));
      }));
}

void MqttConnection::on_twin_reported(std::string_view tail, Bytes patch) {
  auto request_id = begin_twin_request(tail, Meter::twin_updates);
  if (!request_id) return;
  ++twin_requests_;
  context_.needs.twins->report(
      sender_.identity, std::string(as_text(patch)),
      answer<std::uint64_t>([id = *std::move(request_id), bytes = patch.size()](
                                MqttConnection& self, const HubResult<std::uint64_t>& version) {
        --self.twin_requests_;
        self.count_twin(Operation::twin_report, version, bytes);
        if (version) return self.twin_answer(id, 204, {}, *version);
        self.twin_answer(id, version.error().status(), error_body(version.error()));
      }));
}

/// Only to a client that listens.
void MqttConnection::twin_answer(std::string_view request_id, int status, std::string_view body,
                                 std::optional<std::uint64_t> version) {
  if (!filters_.has(mqtt::Filter::twin_responses)) {
    ++context_.counters.unanswered;
    return;
  }
  const auto topic = twin_response_topic(status, request_id, version);
  publish({.topic = topic, .payload = {as_bytes(body)}});
}

bool MqttConnection::notify_desired(const DesiredPatch& desired) {
  if (!filters_.has(mqtt::Filter::twin_desired)) return false;
  const auto topic = desired_topic(desired.version);
  return publish({.topic = topic, .payload = {as_bytes(*desired.patch)}});
}

}  // namespace picket::hub
