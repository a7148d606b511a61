// The self tests that run: an event that leaves at once, its acknowledgement, and the server's word of the alert.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/event_loop.h"
#include "agent/outbox.h"
#include "agent/uplink.h"
#include "agent/user_names.h"

namespace picket::agent {

/// Why the agent, or a self test, ended; also the exit code (decisions: errors).
enum class Outcome : std::uint8_t { done = 0, failed = 1, usage = 2, unreachable = 3, denied = 4 };

/// What a self test waits for. A hub other than Picket's stores the event and confirms no alert.
enum class SelfTestGoal : std::uint8_t { stored, alert };

/// How a self test ended.
struct SelfTestResult {
  Outcome outcome = Outcome::failed;
  bool stored = false;     ///< The hub has acknowledged the event.
  std::string alert_id{};  ///< Of the alert that the server has raised and stored; it says so by a direct method.
  std::string event_id{};
  std::string message_id{};  ///< `$.mid`.
  std::string text{};        ///< For people, when it did not succeed.
};
std::string self_test_json(const SelfTestResult& result);
/// The direct method by which the server confirms the alert of a self test: {"testId":…,"alertId":…}.
inline constexpr std::string_view kSelfTestMethod = "PicketSelfTest";

/// "ID [stored|alert] [SECONDS]", as the control socket has it.
struct SelfTestRequest {
  std::string_view test_id;
  SelfTestGoal goal = SelfTestGoal::alert;
  Duration patience = Duration::seconds(30);  ///< At most an hour.
};
SelfTestRequest parse_self_test(std::string_view text);

/// At most kMax at a time: a client that gave up leaves its entry, and the oldest makes room. One thread: the loop's.
class SelfTests {
 public:
  static constexpr std::size_t kMax = 8;
  /// `client` is what start() got.
  using OnEnd = std::function<void(std::uint64_t client, const SelfTestResult& result)>;

  /// All outlive this.
  SelfTests(EventLoop& loop, Outbox& outbox, UserNames& users, OnEnd on_end);

  /// The uplink whose state explains a failure; must be set before the first start().
  void set_uplink(const Uplink& uplink) { uplink_ = &uplink; }
  /// Errors: as Outbox::deliver_alone.
  Result<> start(const SelfTestRequest& request, std::uint64_t client);
  void on_acknowledged(StreamId id);
  MethodAnswer on_method(const MethodCall& call);
  /// Ends the oldest, whatever it waits for.
  void give_up(std::string text);
  [[nodiscard]] bool empty() const { return tests_.empty(); }

 private:
  struct Test {
    StreamId id;
    std::string test_id;
    SelfTestGoal goal = SelfTestGoal::alert;
    Duration deadline;  ///< Then the client gets what is known.
    std::uint64_t client = 0;
    SelfTestResult result;
  };
  void end(std::vector<Test>::iterator test, std::string text);
  void end_late();

  EventLoop& loop_;
  Outbox& outbox_;
  UserNames& users_;
  OnEnd on_end_;
  const Uplink* uplink_ = nullptr;
  std::uint32_t timer_;
  std::vector<Test> tests_;
};

}  // namespace picket::agent
