#include "provisioning_session.h"

#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::string_view kAnswers = "$dps/registrations/res/#";
constexpr std::string_view kRegister = "$dps/registrations/PUT/iotdps-register/?$rid=";
constexpr std::string_view kStatus = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=";
constexpr Duration kTokenLife = Duration::hours(1);

}  // namespace

void ProvisioningSession::begin(const ProvisioningOptions& options, std::string_view client_version,
                                Duration connect_timeout) {
  options_ = &options;
  operation_id_.clear();
  polls_ = 0;
  assigned_ = false;
  mqtt::ClientOptions session{};
  session.connect_timeout = connect_timeout;
  const std::string token =
      options.key.empty() ? std::string() : provisioning_token(options, loop_.clock().now() + kTokenLife);
  channel_.begin(*this, session, options.registration_id, provisioning_user_name(options, client_version), token, true);
}

void ProvisioningSession::on_ended(UplinkProblem problem, std::string reason) {
  forget();
  events.ended(problem, "provisioning: " + std::move(reason));
}

void ProvisioningSession::on_turn() {
  if (!channel_.flush()) return;
  channel_.watch();
  if (assigned_) events.assigned(assignment_);
}

bool ProvisioningSession::on_event(const mqtt::ClientEvent& event) {
  if (std::holds_alternative<mqtt::ClientConnected>(event)) return subscribe();
  if (const auto* subscribed = std::get_if<mqtt::ClientSubscribed>(&event)) {
    if (subscribed->codes.empty() || subscribed->codes.front() == mqtt::SubackCode::failure) {
      return channel_.end(UplinkProblem::protocol, "the service does not give answers");
    }
    return send(std::string(kRegister) + std::to_string(++request_),
                R"({"registrationId":")" + options_->registration_id + R"("})");
  }
  if (const auto* received = std::get_if<mqtt::ClientReceived>(&event)) return on_answer(received->message);
  return true;
}

bool ProvisioningSession::subscribe() {
  const mqtt::Subscription answers{.filter = kAnswers, .qos = mqtt::QoS::at_least_once};
  if (channel_.session().subscribe({&answers, 1}, channel_.now(), channel_.out())) return true;
  return channel_.end(UplinkProblem::lost, "the service's answers cannot be asked for");
}

bool ProvisioningSession::send(const std::string& topic, std::string_view body) {
  const auto sent = channel_.session().publish(request_, topic, as_bytes(body), channel_.now(), channel_.out());
  return sent || channel_.end(UplinkProblem::lost, "a request cannot be sent: " + describe(sent.error()));
}

bool ProvisioningSession::on_answer(const mqtt::Publish& message) {
  const auto topic = parse_registration_topic(message.topic);
  if (!topic || topic->request_id != std::to_string(request_) || assigned_) return true;  // of an older request
  const auto body = parse_registration_answer(as_text(message.payload.bytes));
  const Duration again = topic->retry_after.value_or(kPollEvery);
  if (topic->status == 429 || topic->status >= 500) {
    return channel_.end(UplinkProblem::busy, "the service is busy (" + std::to_string(topic->status) + ")");
  }
  if (topic->status >= 300) {
    const std::string why = body && !body->error.empty() ? ": " + body->error : std::string();
    return channel_.end(UplinkProblem::denied,
                        "the service refuses this registration (" + std::to_string(topic->status) + ")" + why);
  }
  if (!body) return channel_.end(UplinkProblem::protocol, "an answer cannot be read: " + describe(body.error()));
  if (!body->operation_id.empty()) operation_id_ = body->operation_id;
  if (body->status == "assigned") {
    assignment_ = body->assignment;
    assigned_ = true;  // told at the end of the turn
    return true;
  }
  if (body->status != "assigning" && body->status != "unassigned") {
    const std::string why = body->error.empty() ? std::string() : ": " + body->error;
    return channel_.end(UplinkProblem::denied, "the service has not assigned a hub (" + body->status + ")" + why);
  }
  if (operation_id_.empty() || ++polls_ > kPollsMax) {
    return channel_.end(UplinkProblem::busy, "the service does not come to a decision");
  }
  loop_.set_timer(poll_timer_, channel_.now() + again);
  return true;
}

void ProvisioningSession::poll() {
  if (!channel_.active() || assigned_) return;
  const std::string topic =
      std::string(kStatus) + std::to_string(++request_) + "&operationId=" + percent_encode(operation_id_);
  if (send(topic, " ")) channel_.service();  // one space, as the SDKs send
}

}  // namespace picket::agent
