#include "state/table_retention.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/core/random.h"
#include "state/outbox.h"

namespace picket::state {
namespace {

TEST(TableRetentions, AreRememberedReplacedAndForgottenWithTheirAudit) {
  const std::string folder = (std::filesystem::temp_directory_path() / ("retention-" + random_uuid())).string();
  std::filesystem::create_directories(folder);
  {
    const auto database = Database::open(folder + "/state.sqlite");
    ASSERT_TRUE(database);
    TableRetentions store(**database);
    const Actor who{"root", "local"};
    ASSERT_TRUE(store.put({.table = "B", .days = 3}, who, {1}));
    ASSERT_TRUE(store.put({.table = "A", .days = 30, .archive_days = 365}, who, {2}));
    ASSERT_TRUE(store.put({.table = "B", .days = 4}, who, {3}));
    const auto rows = store.list();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].archive_days, 365);
    EXPECT_EQ((*rows)[1].days, 4);
    EXPECT_EQ((*rows)[1].changed_by, "root");
    EXPECT_EQ((*rows)[1].changed, Timestamp{3});
    EXPECT_TRUE(*store.remove("B", who, {4}));
    EXPECT_FALSE(*store.remove("B", who, {5}));
    EXPECT_EQ(store.list()->size(), 1u);
    const auto records = Outbox(**database).pending(10);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 4u);
    EXPECT_EQ((*records)[0].kind, "retention.set");
    EXPECT_EQ((*records)[3].kind, "retention.reset");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace picket::state
