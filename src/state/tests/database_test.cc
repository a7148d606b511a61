#include "state/database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "state/outbox.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

TEST(Database, KeepsItsFilesToTheOwner) {
  TemporaryDatabase database;
  ASSERT_TRUE(Devices(*database).add("hub", "d", "", kTester, kNow));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info{};
    ASSERT_EQ(::stat((database.path() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600) << suffix;
  }
}

TEST(Database, RefusesAFileOfANewerSchemaByName) {
  TemporaryDatabase database;
  ASSERT_TRUE((*database).write([](sqlite3* db) -> Result<> {
    sqlite3_exec(db, "PRAGMA user_version = 1000", nullptr, nullptr, nullptr);
    return {};
  }));
  const auto opened = Database::open(database.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unsupported);
  EXPECT_EQ(opened.error().where, "state.schema_version");
}

TEST(Database, RollsBackWhenTheBodyFails) {
  TemporaryDatabase database;
  const auto done = (*database).write([](sqlite3* db) -> Result<> {
    TRY_VOID(Outbox::add(db, "kind", "d", "{}", kNow));
    return fail(Errc::denied, "test");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::denied);
  EXPECT_TRUE(Outbox(*database).pending(10)->empty());
}

TEST(Database, WritesOfOneBodyAreOneTransactionThatOnlyItsThreadSees) {
  TemporaryDatabase database;
  Outbox outbox(*database);
  const auto add = [&](const char* id, Result<> end) {
    return (*database).write([&](sqlite3* db) -> Result<> {
      TRY_VOID(Outbox::add(db, "kind", id, "{}", kNow));
      return end;
    });
  };
  const auto failed = (*database).write_together([&]() -> Result<> {
    EXPECT_TRUE(add("a", {}));
    EXPECT_FALSE(add("b", fail(Errc::denied, "test")));  // takes back itself only
    EXPECT_EQ(outbox.pending(10)->size(), 1u);
    std::jthread([&] { EXPECT_TRUE(outbox.pending(10)->empty()); }).join();
    return fail(Errc::denied, "test");
  });
  EXPECT_FALSE(failed);
  EXPECT_TRUE(outbox.pending(10)->empty());
  ASSERT_TRUE((*database).write_together([&]() -> Result<> {
    TRY_VOID(add("a", {}));
    return add("c", {});
  }));
  EXPECT_EQ(outbox.pending(10)->size(), 2u);
  EXPECT_TRUE(add("d", {}));
  EXPECT_EQ(outbox.pending(10)->size(), 3u);
}

TEST(Outbox, KeepsRecordsUntilTheyWereSentAndRemembersThem) {
  TemporaryDatabase database;
  Outbox outbox(*database);
  ASSERT_TRUE(Devices(*database).add("hub", "a", "", kTester, kNow));
  ASSERT_TRUE(Devices(*database).remove("hub", "a", kTester, kNow));
  database.reopen();
  Outbox again(*database);
  const auto pending = again.pending(10);
  ASSERT_EQ(pending->size(), 2u);
  EXPECT_EQ((*pending)[0].kind, "device.create");
  EXPECT_EQ((*pending)[1].kind, "device.delete");
  ASSERT_TRUE(again.remove_through((*pending)[0].id));
  ASSERT_EQ(again.pending(10)->size(), 1u);
  const auto history = again.history(0, 1);
  ASSERT_EQ(history->size(), 1u);
  EXPECT_EQ((*history)[0].kind, "device.delete");
  EXPECT_EQ((*again.history((*history)[0].id, 10))[0].kind, "device.create");
}

}  // namespace
}  // namespace picket::state
