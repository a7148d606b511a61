// An hour without a hub, on a clock of the test's own: records through aggregation, outbox, spool and uplink.
#include <map>

#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/aggregate.h"
#include "agent/event_encoder.h"
#include "agent/lost_events.h"
#include "agent/outbox.h"
#include "uplink_fixture.h"

namespace picket::agent {
namespace {

constexpr int kMinutesRefused = 30;  // nobody listens; then for as long somebody does who never says a word
constexpr int kRepeatsEachSecond = 5;
constexpr Duration kStep = Duration::seconds(1);

/// A port of loopback that is ours as long as this lives. Whoever connects is refused, or, after listen(), not
/// answered.
class QuietPort {
 public:
  QuietPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void listen() const { EXPECT_EQ(::listen(fd_.get(), 128), 0); }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

class HubGoneTest : public UplinkTest {
 protected:
  void SetUp() override {
    UplinkTest::SetUp();
    loop_ = *EventLoop::create(clock_);
  }
  void TearDown() override {
    uplink_.reset();  // before the clock
    UplinkTest::TearDown();
  }

  void open_spool(std::size_t bytes_max) {
    spool_ = *Spool::open({.directory = folder_ + "/spool", .bytes_max = bytes_max}, clock_.now());
    spool_.tell_losses_to(lost_);
  }

  void run_program(const std::string& command) {
    std::string argv = command;
    argv.push_back('\0');
    ProcessRecord record{.time = {clock_.now(), clock_.monotonic()}, .origin = {"process", "ebpf", false}};
    record.executable = "/usr/bin/program";
    record.argv = argv;
    aggregator_.emit(record);
    ++happened_[command];
  }

  /// Lets the clock go on, and everything do what is due.
  void pass(Duration by, Duration longest) {
    clock_.advance(by);
    aggregator_.on_time(clock_.monotonic());
    outbox_.on_time(clock_.monotonic());
    uplink_->wake();
    ASSERT_TRUE(loop_.run_once(longest));
  }

  void one_second(int second) {
    if (second % 2 == 0) run_program("once-" + std::to_string(second));
    for (int i = 0; i < kRepeatsEachSecond; ++i) run_program("again-" + std::to_string(i % 3));
    pass(kStep, Duration{});
  }

  void an_hour_without_a_hub() {
    std::uint16_t port = 0;
    {
      const QuietPort refusing;
      port = refusing.port();
      connect_to(port);
      for (int second = 0; second < kMinutesRefused * 60; ++second) one_second(second);
      refusing.listen();
      for (int second = 0; second < kMinutesRefused * 60; ++second) one_second(kMinutesRefused * 60 + second);
    }
    const UplinkStatus& status = uplink_->status();
    EXPECT_NE(status.state, UplinkState::connected);
    EXPECT_EQ(status.problem, UplinkProblem::network) << status.reason;
    // A minute at most between two attempts, half of one on average; at first they come faster.
    EXPECT_GT(status.attempts, 40u);
    EXPECT_LT(status.attempts, 400u);
    EXPECT_EQ(spool_.in_flight(), 0u);
    aggregator_.flush();
    outbox_.flush();
    hub_.emplace(authority_.issue("IP:127.0.0.1", -60, 1'000'000), port);
  }

  /// Until the hub has acknowledged all. While the uplink waits for its next attempt time flies; else it is the real
  /// one.
  void hub_is_back() {
    const Duration end = system_clock().monotonic() + Duration::seconds(120);
    Duration before = system_clock().monotonic();
    while (spool_.pending() > 0) {
      const Duration now = system_clock().monotonic();
      ASSERT_LT(now, end) << uplink_->status().reason << "; " << spool_.pending() << " messages";
      const bool waits = uplink_->status().state == UplinkState::waiting;
      pass(waits ? kStep : now - before, waits ? Duration{} : Duration::milliseconds(20));
      before = now;
    }
  }

  /// Happenings by command line, as they stand in what arrived. Each message once.
  [[nodiscard]] std::map<std::string, std::uint64_t> told() const {
    std::map<std::string, std::uint64_t> out;
    std::map<std::string, std::string> bodies;
    for (const auto& message : hub_->arrived()) bodies.emplace(message.message_id, message.body);
    for (const auto& [id, body] : bodies) {
      constexpr std::string_view kName = R"("Name":"ProcessCreate")", kCommand = R"("CommandLine":")",
                                 kHits = R"("HitCount":)";
      for (std::size_t at = body.find(kName); at != std::string::npos;) {
        const std::size_t next = body.find(kName, at + 1);
        const std::string event = body.substr(at, next - at);
        const std::size_t command = event.find(kCommand) + kCommand.size(), hits = event.find(kHits);
        out[event.substr(command, event.find('"', command) - command)] +=
            hits == std::string::npos ? 1 : std::stoull(event.substr(hits + kHits.size()));
        at = next;
      }
    }
    return out;
  }

  ManualClock clock_{system_clock().now()};
  LostEvents lost_;
  UserNames users_{"/dev/null"};
  Outbox outbox_{{}, spool_, clock_};
  EventEncoder encoder_{outbox_, users_, [] { return AgentFacts{}; }};
  Aggregator aggregator_{{}, encoder_};
  std::optional<test::MiniHub> hub_;
  std::map<std::string, std::uint64_t> happened_;
};

TEST_F(HubGoneTest, AnHourLosesNothingAndCountsEachHappening) {
  open_spool(8 << 20);
  an_hour_without_a_hub();
  EXPECT_EQ(spool_.drops().total(), 0u);
  EXPECT_LE(spool_.bytes(), 8u << 20);
  hub_is_back();
  EXPECT_EQ(told(), happened_);
  EXPECT_EQ(outbox_.counters().dropped_events, 0u);
  EXPECT_EQ(spool_.drops().total(), 0u);
}

TEST_F(HubGoneTest, WhatASmallSpoolCannotHoldForAnHourIsCounted) {
  constexpr std::size_t kBytesMax = 128 << 10;
  open_spool(kBytesMax);
  an_hour_without_a_hub();
  EXPECT_LE(spool_.bytes(), kBytesMax);
  EXPECT_GT(spool_.drops().total(), 0u) << "the hour must not fit, or this tests nothing";
  hub_is_back();
  // Each event that the outbox was given has arrived or is told as lost.
  std::uint64_t arrived = 0, lost = 0;
  for (const auto& message : hub_->arrived()) {
    for (std::size_t at = message.body.find(R"("Name":"P)"); at != std::string::npos; ++arrived) {
      at = message.body.find(R"("Name":"P)", at + 1);
    }
  }
  for (const auto& [name, count] : lost_.counts()) lost += count;
  EXPECT_EQ(arrived + lost + outbox_.counters().dropped_events, outbox_.counters().events);
  // What is told is true: nothing more than happened.
  for (const auto& [command, count] : told()) EXPECT_LE(count, happened_.at(command)) << command;
}

}  // namespace
}  // namespace picket::agent
