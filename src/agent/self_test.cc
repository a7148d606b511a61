#include "agent/self_test.h"

#include <algorithm>

#include <unistd.h>

#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "message/events.h"
#include "message/message_builder.h"

namespace picket::agent {
namespace {

constexpr std::int64_t kPatienceMaxS = 3'600;

std::string current_user(UserNames& users) {
  const std::string_view name = users.find(::geteuid());
  return name.empty() ? std::to_string(::geteuid()) : std::string(name);
}

/// The text of a member of a flat JSON object that the server wrote; ids need no escapes.
std::string_view text_member(std::string_view json, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  auto at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at = json.find('"', json.find(':', at + quoted.size()));
  if (at == std::string_view::npos) return {};
  const auto end = json.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view{} : json.substr(at + 1, end - at - 1);
}

}  // namespace

std::string self_test_json(const SelfTestResult& result) {
  JsonWriter json;
  json.begin_object().key("acknowledged").value(result.stored).key("confirmed").value(!result.alert_id.empty());
  json.key("alertId").value(result.alert_id);
  json.key("eventId").value(result.event_id).key("messageId").value(result.message_id).key("text").value(result.text);
  json.key("exitCode").value(static_cast<unsigned>(result.outcome));
  return json.end_object().take();
}

SelfTestRequest parse_self_test(std::string_view text) {
  SelfTestRequest out;
  const auto word = [&text] {
    const auto end = std::min(text.find(' '), text.size());
    const auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
  };
  out.test_id = word();
  if (word() == "stored") out.goal = SelfTestGoal::stored;
  std::int64_t seconds = 0;
  for (const char c : word()) seconds = std::min(kPatienceMaxS, seconds * 10 + (c >= '0' && c <= '9' ? c - '0' : 0));
  if (seconds > 0) out.patience = Duration::seconds(seconds);
  return out;
}

SelfTests::SelfTests(EventLoop& loop, Outbox& outbox, UserNames& users, OnEnd on_end)
    : loop_(loop),
      outbox_(outbox),
      users_(users),
      on_end_(std::move(on_end)),
      timer_(loop.add_timer([this] { end_late(); })) {}

Result<> SelfTests::start(const SelfTestRequest& request, std::uint64_t client) {
  // A client that gave up leaves its entry; the oldest makes room.
  if (tests_.size() == kMax) tests_.erase(tests_.begin());
  outbox_.flush();
  const std::string event_id = random_uuid();
  const std::string user = current_user(users_);
  const std::string event =
      message::encode_event({event_id, loop_.clock().now(), 0},
                            message::SelfTest{.test_id = request.test_id,
                                              .message = "Harmless test of the way from this device to the alert",
                                              .user_name = user,
                                              .source = "selftest"});
  TRY(const StreamId id, outbox_.deliver_alone(Priority::urgent, event));
  tests_.push_back({.id = id,
                    .test_id = std::string(request.test_id),
                    .goal = request.goal,
                    .deadline = loop_.clock().monotonic() + request.patience,
                    .client = client,
                    .result = {.event_id = event_id, .message_id = message_id(id)}});
  end_late();
  return {};
}

void SelfTests::on_acknowledged(StreamId id) {
  const auto found = std::ranges::find(tests_, id, &Test::id);
  if (found == tests_.end()) return;
  found->result.stored = true;
  if (found->goal == SelfTestGoal::stored) end(found, {});
}

MethodAnswer SelfTests::on_method(const MethodCall& call) {
  const auto found = std::ranges::find(tests_, text_member(call.payload, "testId"), &Test::test_id);
  if (found == tests_.end()) return {.status = 404, .payload = R"({"error":"no such self test waits"})"};
  found->result.stored = true;  // its acknowledgement may come later, or not over this connection
  found->result.alert_id = text_member(call.payload, "alertId");
  end(found, {});
  return {.status = 200, .payload = {}};
}

void SelfTests::give_up(std::string text) {
  if (!tests_.empty()) end(tests_.begin(), std::move(text));
}

void SelfTests::end(std::vector<Test>::iterator test, std::string text) {
  const bool reached = test->goal == SelfTestGoal::stored ? test->result.stored : !test->result.alert_id.empty();
  const UplinkStatus& connection = uplink_->status();
  const bool refused = connection.problem == UplinkProblem::denied;
  test->result.outcome = reached               ? Outcome::done
                         : test->result.stored ? Outcome::failed
                         : refused             ? Outcome::denied
                                               : Outcome::unreachable;
  test->result.text = std::move(text);
  const auto [client, result] = std::pair(test->client, std::move(test->result));
  tests_.erase(test);
  on_end_(client, result);
}

/// Also sets the timer for the next one.
void SelfTests::end_late() {
  const auto late = [this](const Test& test) { return test.deadline <= loop_.clock().monotonic(); };
  for (auto test = std::ranges::find_if(tests_, late); test != tests_.end();
       test = std::ranges::find_if(tests_, late)) {
    const UplinkStatus& connection = uplink_->status();
    end(test, test->result.stored
                  ? "the hub has stored the event, but no alert was confirmed in time (only Picket's server does)"
              : connection.reason.empty()
                  ? "no acknowledgement in time (state: " + std::string(to_string(connection.state)) + ")"
                  : connection.reason);
  }
  const auto next = std::ranges::min_element(tests_, {}, &Test::deadline);
  if (next != tests_.end()) loop_.set_timer(timer_, next->deadline);
}

}  // namespace picket::agent
