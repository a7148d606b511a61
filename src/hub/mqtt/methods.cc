// Direct methods: the call to the device, and its answer.
#include "device_topics.h"
#include "mqtt_connection.h"

namespace picket::hub {

bool MqttConnection::call_method(const MethodCall& call) {
  if (!filters_.has(mqtt::Filter::methods)) return false;
  const auto topic = method_topic(call.name, call.id);
  if (!publish({.topic = topic, .payload = {as_bytes(call.payload)}})) return false;
  ++context_.counters.method_calls;
  return true;
}

void MqttConnection::on_method_answer(std::string_view tail, Bytes payload) {
  if (context_.needs.methods == nullptr) {
    ++context_.counters.not_offered;
    return;
  }
  const auto answer = parse_method_answer(tail);
  if (!answer) {
    ++context_.counters.unanswered;
    return;
  }
  ++context_.counters.method_answers;
  context_.needs.methods->respond(key(), answer->call,
                                  {.status = answer->status, .payload = std::string(as_text(payload))});
}

}  // namespace picket::hub
