// A commands service with a clock of its own, and short words for what a test does with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hub/command_service.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {

class CommandHarness : public testing::Test {
 protected:
  CommandHarness() {
    state.add_device("dev1");
    state.add_device("dev2");
    start();
  }
  ~CommandHarness() override { commands.reset(); }

  void start() {
    commands =
        make_commands(*state, [this](const IdentityKey& key) { told.push_back(key.device_id); }, clock,
                      {.on_operation = [this](const CommandOperation& operation) { operations.push_back(operation); }});
  }
  void restart() {
    commands.reset();
    state.reopen();
    start();
  }
  static Command text(std::string_view id, FeedbackWish wish = FeedbackWish::full) {
    Command out;
    out.properties = {{"$.mid", std::string(id)}};
    append(out.body, as_bytes(id));
    out.feedback = wish;
    return out;
  }
  HubResult<> send(const IdentityKey& to, Command command) {
    return answer(
        [&](Done<> done) { commands->send(to, std::move(command), {"policy/service", "192.0.2.9"}, std::move(done)); });
  }
  HubResult<> send(Command command) { return send(dev1, std::move(command)); }
  std::optional<LockedCommand> receive(const IdentityKey& device, Duration lock = {},
                                       std::string_view protocol = "mqtt") {
    auto got = answer<std::optional<LockedCommand>>(
        [&](auto done) { commands->receive(device, protocol, lock, std::move(done)); });
    EXPECT_TRUE(got) << got.error().message;
    return got ? *std::move(got) : std::nullopt;
  }
  std::string receive_id(Duration lock = {}) {
    auto got = receive(dev1, lock);
    return got ? std::string(as_text(got->command.body)) : std::string();
  }
  HubResult<> settle(const LockedCommand& command, Settlement settlement, const IdentityKey& device) {
    return answer([&](Done<> done) { commands->settle(device, command.lock, settlement, "mqtt", std::move(done)); });
  }
  HubResult<> settle(const LockedCommand& command, Settlement settlement) { return settle(command, settlement, dev1); }
  std::uint64_t waiting(const IdentityKey& device) { return commands->count(device).value(); }
  void run_due() {
    commands->run_due();
    state.settle();
  }
  std::optional<FeedbackBatch> feedback(std::string_view hub = "hub1") {
    auto got =
        answer<std::optional<FeedbackBatch>>([&](auto done) { commands->receive_feedback(hub, std::move(done)); });
    EXPECT_TRUE(got);
    return got ? *std::move(got) : std::nullopt;
  }
  HubResult<> settle(const FeedbackBatch& batch, Settlement settlement) {
    return answer([&](Done<> done) { commands->settle_feedback("hub1", batch.lock, settlement, std::move(done)); });
  }
  /// "id:status …" of the batch that is ready once its time is over.
  std::string results() {
    clock.advance(Duration::seconds(15));
    std::string out;
    const auto batch = feedback();
    for (const auto& record : batch ? batch->records : std::vector<FeedbackRecord>()) {
      out += (out.empty() ? "" : " ") + record.original_message_id + ":" + record.status_code;
    }
    return out;
  }

  TemporaryState state;
  ManualClock clock{Timestamp{1'795'000'000'000'000}};
  std::vector<std::string> told;
  std::vector<CommandOperation> operations;
  std::unique_ptr<CommandService> commands;
  const IdentityKey dev1{"hub1", "dev1", ""};
  const IdentityKey dev2{"hub1", "dev2", ""};
};

}  // namespace picket::hub
