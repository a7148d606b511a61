#include "schema.h"

#include <sqlite3.h>

#include "statement.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

/// A file as the first release left it, with a device in it.
class OldFile {
 public:
  OldFile() {
    std::string pattern = testing::TempDir() + "picket_schema_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_TRUE(execute(db, upgrade_steps().front().scripts.front().sql));
    EXPECT_TRUE(execute(db,
                        "INSERT INTO device VALUES ('hub', 'd', 'g', 0, 'line-1', 'a2V5', 'a2V5', 1, 2);"
                        "INSERT INTO module VALUES ('hub', 'd', 'm', 'gm', 1, 'a2V5', 'a2V5', 1);"
                        "PRAGMA user_version = 1;"));
    sqlite3_close(db);
  }
  ~OldFile() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/state.sqlite"; }

 private:
  std::string folder_;
};

TEST(Schema, StepsEndAtTheVersionThatIsWritten) {
  int before = 0;
  for (const auto& step : upgrade_steps()) EXPECT_EQ(step.version, ++before);
  EXPECT_EQ(before, kSchemaVersion);
}

TEST(Schema, UpgradesAFileOfTheFirstReleaseAndKeepsItsDevices) {
  const OldFile file;
  const auto database = Database::open(file.path());
  ASSERT_TRUE(database);
  const auto device = Devices(**database).find("hub", "d");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->generation_id, "g");
  EXPECT_FALSE(device->enabled);
  EXPECT_EQ(device->group, "line-1");
  ASSERT_EQ(device->modules.size(), 1u);
  ASSERT_TRUE((*database)->read([](sqlite3* db) -> Result<> {
    TRY(auto count,
        Statement::prepare(db, "SELECT count FROM identity_count WHERE hub='hub' AND module=0 AND enabled=0"));
    TRY(const bool row, count.step());
    EXPECT_TRUE(row);
    EXPECT_EQ(count.integer(0), 1);
    return {};
  }));
  EXPECT_TRUE(Database::open(file.path())) << "a second time there is nothing left to do";
}

TEST(Schema, AStepIsAllOrNothing) {
  const OldFile file;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.path().c_str(), &db), SQLITE_OK);
  ASSERT_TRUE(execute(db, "CREATE TABLE policy (x)"));  // in the way of the second step
  EXPECT_FALSE(upgrade(db));
  EXPECT_TRUE(execute(db, "DROP TABLE policy"));
  EXPECT_TRUE(upgrade(db)) << "nothing of the failed attempt has stayed";
  sqlite3_close(db);
}

}  // namespace
}  // namespace picket::state
