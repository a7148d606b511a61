#include "table_retention.h"

#include <gtest/gtest.h>

namespace picket::cli {
namespace {

TEST(TableRetention, ReadsDaysAndDaysOfTheArchive) {
  const auto read = parse_table_retention({"LoginEvents=365", "ProcessEvents=30+400", "DeadLetter=0"});
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->at("LoginEvents").keep, Duration::days(365));
  EXPECT_EQ(read->at("LoginEvents").archive, Duration{});
  EXPECT_EQ(read->at("ProcessEvents").keep, Duration::days(30));
  EXPECT_EQ(read->at("ProcessEvents").archive, Duration::days(400));
  EXPECT_EQ(read->at("DeadLetter").keep, Duration{});
  EXPECT_TRUE(parse_table_retention({})->empty());
}

TEST(TableRetention, NamesTheEntryThatIsWrong) {
  for (const char* entry : {"LoginEvents", "LoginEvents=", "=3", "A=x", "A=-1", "A=3+", "A=3+x", "A=36501", "A=1 ",
                            "A=0+5", "A=1+2+3", "A+1=2"}) {
    const auto read = parse_table_retention({"B=1", entry});
    ASSERT_FALSE(read) << entry;
    EXPECT_TRUE(read.error().contains(entry)) << read.error();
  }
  EXPECT_FALSE(parse_table_retention({"A=1", "A=2"}));
}

}  // namespace
}  // namespace picket::cli
