#include "group_commit.h"

#include <future>
#include <semaphore>

#include <sqlite3.h>

#include "state/outbox.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

WriteBody record(std::string kind) {
  return [kind = std::move(kind)](sqlite3* db) { return Outbox::add(db, kind, "", "{}", kNow); };
}

/// Holds the writing thread until it is told to go on.
class Gate {
 public:
  explicit Gate(Database& database) {
    database.submit([](sqlite3*) -> Result<> { return {}; },
                    [this](const Result<>&) {
                      reached_.release();
                      open_.acquire();
                      left_.release();
                    });
    reached_.acquire();
  }
  void open() { open_.release(); }
  ~Gate() { left_.acquire(); }

 private:
  std::binary_semaphore reached_{0};
  std::binary_semaphore open_{0};
  std::binary_semaphore left_{0};
};

Result<> submit_and_wait(Database& database, WriteBody body) {
  std::promise<Result<>> done;
  database.submit(std::move(body), [&](Result<> result) { done.set_value(result); });
  return done.get_future().get();
}

std::vector<std::string> kinds(Database& database) {
  std::vector<std::string> out;
  const auto pending = Outbox(database).pending(100'000);
  for (const auto& one : *pending) out.push_back(one.kind);
  return out;
}

TEST(GroupCommit, IsVisibleToReadersWhenDoneIsCalled) {
  TemporaryDatabase database;
  std::promise<std::size_t> seen;
  (*database).submit(record("a"), [&](const Result<>& result) {
    ASSERT_TRUE(result);
    seen.set_value(Outbox(*database).pending(10)->size());
  });
  EXPECT_EQ(seen.get_future().get(), 1u);
}

TEST(GroupCommit, OneFailingBodySpoilsNoOther) {
  TemporaryDatabase database;
  std::vector<Result<>> results(3);
  {
    Gate gate(*database);
    const auto store = [&](std::size_t i) { return [&results, i](Result<> result) { results[i] = result; }; };
    (*database).submit(record("first"), store(0));
    (*database).submit(
        [](sqlite3* db) -> Result<> {
          TRY_VOID(Outbox::add(db, "half", "", "{}", kNow));
          return fail(Errc::denied, "test");
        },
        store(1));
    (*database).submit(record("third"), store(2));
    gate.open();
  }
  ASSERT_TRUE(submit_and_wait(*database, record("last")));
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, Errc::denied);
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(kinds(*database), (std::vector<std::string>{"first", "third", "last"}));
}

TEST(GroupCommit, OneTransactionTakesManyBodies) {
  TemporaryDatabase database;
  {
    Gate gate(*database);
    for (int i = 0; i < 500; ++i) (*database).submit(record("x"), [](const Result<>&) {});
    gate.open();
  }
  ASSERT_TRUE(submit_and_wait(*database, record("last")));
  EXPECT_EQ(kinds(*database).size(), 501u);
  EXPECT_LE((*database).stats().commits, 3u) << "the gate's, the 500, perhaps the last alone";
  EXPECT_EQ((*database).stats().submitted, 502u);
}

TEST(GroupCommit, ABodyThatEndsTheTransactionFailsItself) {
  TemporaryDatabase database;
  EXPECT_FALSE(submit_and_wait(*database, [](sqlite3* db) -> Result<> {
    sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
    return {};
  }));
  EXPECT_TRUE(submit_and_wait(*database, record("after")));
  EXPECT_EQ(kinds(*database), std::vector<std::string>{"after"});
}

TEST(GroupCommit, RefusesAboveItsBoundAndCountsIt) {
  TemporaryDatabase database;
  std::size_t refused = 0;
  {
    Gate gate(*database);
    for (std::size_t i = 0; i < GroupCommit::kQueueMax + 3; ++i) {
      (*database).submit([](sqlite3*) -> Result<> { return {}; },
                         [&, caller = std::this_thread::get_id()](const Result<>& result) {
                           if (result) return;
                           EXPECT_EQ(result.error().code, Errc::unavailable);
                           EXPECT_EQ(std::this_thread::get_id(), caller);
                           ++refused;
                         });
    }
    EXPECT_EQ((*database).stats().waiting, GroupCommit::kQueueMax);
    gate.open();
  }
  ASSERT_TRUE(submit_and_wait(*database, record("last")));
  EXPECT_EQ(refused, 3u);
  EXPECT_EQ((*database).stats().refused, 3u);
}

TEST(GroupCommit, DestructionRunsWhatWaits) {
  TemporaryDatabase database;
  std::atomic<int> done = 0;
  {
    Gate gate(*database);
    for (int i = 0; i < 100; ++i)
      (*database).submit(record("x"), [&](const Result<>& result) { done += result ? 1 : 0; });
    gate.open();
  }
  database.reopen();
  EXPECT_EQ(done, 100);
  EXPECT_EQ(kinds(*database).size(), 100u);
}

TEST(GroupCommit, GoesOnBesideDirectWrites) {
  TemporaryDatabase database;
  std::atomic<int> done = 0;
  std::thread other([&] {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(Outbox(*database).record("direct", "", "{}", kNow));
  });
  for (int i = 0; i < 200; ++i)
    (*database).submit(record("submitted"), [&](const Result<>& result) { done += result ? 1 : 0; });
  other.join();
  ASSERT_TRUE(submit_and_wait(*database, record("last")));
  EXPECT_EQ(done, 200);
  EXPECT_EQ(kinds(*database).size(), 251u);
}

}  // namespace
}  // namespace picket::state
