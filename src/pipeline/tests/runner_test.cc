// The runner with its thread, the journals and the alert table.
#include "pipeline/runner.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "pipeline/projector.h"
#include "pipeline_harness.h"
#include "sealing_sink.h"

namespace picket::pipeline {
namespace {

constexpr journal::Property kMarked[] = {{"$.ifid", kSecurityInterface}};

/// A sink that counts, for several threads.
class CountingSink final : public RowSink {
 public:
  Result<> append(std::string_view stream, std::uint64_t, std::span<const workspace::Row> rows) override {
    const std::lock_guard lock(mutex_);
    if (stream == "messages" && refusals_ > 0) {
      --refusals_;
      return fail(Errc::limit_exceeded, "workspace.append.full");
    }
    (stream == "messages" ? rows_ : alert_rows_) += rows.size();
    return {};
  }
  std::uint64_t sealed_through(std::string_view) const override { return 0; }
  std::size_t rows() const {
    const std::lock_guard lock(mutex_);
    return rows_;
  }
  std::size_t alert_rows() const {
    const std::lock_guard lock(mutex_);
    return alert_rows_;
  }
  void refuse(int times) {
    const std::lock_guard lock(mutex_);
    refusals_ = times;
  }

 private:
  mutable std::mutex mutex_;
  std::size_t rows_ = 0;
  std::size_t alert_rows_ = 0;
  int refusals_ = 0;
};

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    messages_ = open("/journal");
    derived_ = open("/derived");
  }
  std::unique_ptr<journal::Journal> open(const std::string& name) {
    auto opened = journal::open_embedded({.directory = folder_.path() + name,
                                          .segment_bytes_max = 4096,
                                          .reserve_bytes = 1,
                                          .free_bytes = [this](const std::string& of) -> Result<std::uint64_t> {
                                            return of.ends_with("derived") && derived_full_ ? 0U : 100U;
                                          }});
    EXPECT_TRUE(opened.has_value());
    return std::move(opened->journal);
  }
  std::unique_ptr<Runner> start() {
    auto runner = start_runner({.checkpoint_directory = folder_.path() + "/checkpoints", .installation_id = "i"},
                               *messages_, *derived_, sink_, system_clock());
    EXPECT_TRUE(runner.has_value()) << describe(runner.error());
    return *std::move(runner);
  }
  void send(const std::vector<TestEvent>& events) {
    const Identity identity{"hub", "d", "", "g"};
    const std::string body = message_json(events);
    ASSERT_TRUE(messages_
                    ->append({.partition = partition_of(identity),
                              .enqueued = kNoon,
                              .identity = identity,
                              .properties = kMarked,
                              .body = as_bytes(body)},
                             {})
                    .has_value());
  }
  template <class Condition>
  void wait_until(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  TempFolder folder_;
  std::atomic<bool> derived_full_{false};
  CountingSink sink_;
  std::unique_ptr<journal::Journal> messages_;
  std::unique_ptr<journal::Journal> derived_;
};

TEST_F(RunnerTest, TurnsMessagesIntoRowsAndAlertRows) {
  const auto runner = start();
  const auto table = start_alert_table(*derived_, sink_, "i").value();
  send({process("/tmp/xmrig", "xmrig"), process("/bin/ls", "ls")});
  wait_until([&] { return sink_.alert_rows() == 1; });
  EXPECT_EQ(sink_.rows(), 2u);
  wait_until([&] { return runner->stats().records == 1; });
  const Stats stats = runner->stats();
  EXPECT_EQ(stats.alerts, 1u);
  EXPECT_EQ(stats.rows, 2u);
  EXPECT_EQ(stats.position, stats.journal_end);
  EXPECT_EQ(stats.processed_time, kNoon);
}

TEST_F(RunnerTest, FullWorkspaceMakesItWaitNotLose) {
  sink_.refuse(3);
  const auto runner = start();
  send({process("/bin/ls", "ls")});
  wait_until([&] { return sink_.rows() == 1; });
  wait_until([&] { return runner->stats().rows == 1; });
  EXPECT_EQ(runner->stats().sink_full_waits, 3u);
}

TEST_F(RunnerTest, StopsAlsoWhileTheWorkspaceStaysFull) {
  sink_.refuse(1'000'000'000);
  auto runner = start();
  send({process("/bin/ls", "ls")});
  wait_until([&] { return runner->stats().sink_full_waits > 0; });
  runner.reset();
  sink_.refuse(0);
  const auto next = start();
  wait_until([&] { return sink_.rows() == 1; });
}

TEST_F(RunnerTest, FullDerivedJournalMakesItWaitNotLoseNorDouble) {
  const auto runner = start();
  send({TestEvent{"SelfTest", {{"TestId", "first"}}}});
  wait_until([&] { return runner->stats().alerts == 1; });
  derived_full_ = true;
  send({TestEvent{"SelfTest", {{"TestId", "second"}}}});  // the journal looks at the disk after each group
  wait_until([&] { return runner->stats().alerts == 2; });
  wait_until([&] { return derived_->stats().reserve_reached; });
  send({TestEvent{"SelfTest", {{"TestId", "third"}}}});
  wait_until([&] { return runner->stats().derived_retries > 1; });
  derived_full_ = false;
  wait_until([&] { return runner->stats().alerts == 3; });
  EXPECT_EQ(derived_->end(), journal::Position::at(0, 4));
  EXPECT_EQ(sink_.rows(), 3u);
}

TEST_F(RunnerTest, RestartDoesNotRaiseAgain) {
  {
    const auto runner = start();
    send({process("/tmp/xmrig", "xmrig")});
    wait_until([&] { return runner->stats().alerts == 1; });
  }
  {
    const auto runner = start();
    wait_until([&] { return sink_.rows() == 2; });  // made again for a workspace that has sealed nothing
    send({process("/tmp/xmrig", "xmrig --other")});
    wait_until([&] { return runner->stats().alerts == 1; });
    EXPECT_EQ(runner->stats().alert_changes_suppressed, 0u) << "detection goes on where it was";
    EXPECT_EQ(derived_->end(), journal::Position::at(0, 3));
  }
  std::filesystem::remove_all(folder_.path() + "/checkpoints");
  const auto runner = start();
  wait_until([&] { return runner->stats().records == 2; });
  wait_until([&] { return !runner->stats().replaying; });
  EXPECT_EQ(runner->stats().alert_changes_suppressed, 2u);
  EXPECT_EQ(derived_->end(), journal::Position::at(0, 3));
}

TEST_F(RunnerTest, CorruptJournalStopsItVisiblyUntilTheLossIsAccepted) {
  for (int i = 0; i < 40; ++i) send({process("/bin/ls", "ls " + std::to_string(i))});
  messages_->flush();
  const auto second = [&] {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/journal")) {
      if (entry.path().extension() == ".journal") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }();
  ASSERT_FALSE(second.empty());
  {
    std::fstream file(second[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64 + 50);
    file.put('\xFF');
  }
  const auto runner = start();
  wait_until([&] { return runner->stats().stopped_at_corruption; });
  auto reader = messages_->reader({}).value();
  while (reader->read(1 << 20).has_value()) {
  }
  ASSERT_TRUE(reader->corruption().has_value());
  ASSERT_TRUE(messages_->accept_loss(*reader->corruption()).has_value());
  wait_until([&] { return runner->stats().position == runner->stats().journal_end; });
  wait_until([&] { return !runner->stats().stopped_at_corruption; });
  EXPECT_EQ(sink_.rows(), 39u);
}

TEST_F(RunnerTest, WorkspaceAheadOfTheJournalIsRefused) {
  class AheadSink final : public RowSink {
   public:
    Result<> append(std::string_view, std::uint64_t, std::span<const workspace::Row>) override { return {}; }
    std::uint64_t sealed_through(std::string_view) const override { return 500; }
  } ahead;
  const auto runner =
      start_runner({.checkpoint_directory = folder_.path() + "/c"}, *messages_, *derived_, ahead, system_clock());
  ASSERT_FALSE(runner.has_value());
  EXPECT_EQ(runner.error().where, "pipeline.open.journal_behind");
}

}  // namespace
}  // namespace picket::pipeline
