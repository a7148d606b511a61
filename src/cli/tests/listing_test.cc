#include "listing.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "output.h"

namespace picket::cli {
namespace {

TEST(RequestPath, EncodesValuesAndLeavesOutWhatIsEmpty) {
  RequestPath path("/alerts");
  path.with("limit", 20U)
      .with("status", std::vector<std::string>{"new", "in progress,or"})
      .with("device", "a&b=c/ü")
      .with("owner", "")
      .with("severity", std::vector<std::string>{})
      .when(false, "merged")
      .when(true, "open");
  EXPECT_EQ(path.text(), "/alerts?limit=20&status=new,in%20progress%2Cor&device=a%26b%3Dc%2F%C3%BC&open=true");
  EXPECT_EQ(RequestPath("/alerts").text(), "/alerts");
}

Listing names() {
  return {.nothing = "No name.", .header = {"NAME"}, .cell_width_max = 8, .row = [](const boost::json::value& item) {
            return std::vector<std::string>{member(item, "name")};
          }};
}

std::string printed(const std::string& answer, bool json) {
  testing::internal::CaptureStdout();
  EXPECT_TRUE(print_page(answer, json, names()));
  return testing::internal::GetCapturedStdout();
}

TEST(PrintPage, SaysHowManyThereAreOnlyWhenThePageIsNotAll) {
  EXPECT_EQ(printed(R"({"items":[{"name":"a"}],"total":1})", false), "NAME\na\n");
  EXPECT_EQ(printed(R"({"items":[{"name":"a"}]})", false), "NAME\na\n");
  EXPECT_EQ(printed(R"({"items":[{"name":"a"}],"total":7})", false), "NAME\na\n1 of 7; see --limit\n");
  EXPECT_EQ(printed(R"({"items":[],"total":0})", false), "No name.\n");
}

TEST(PrintPage, GivesProgramsTheItemsAndPeopleSafeText) {
  EXPECT_EQ(printed(R"({"items":[],"total":0})", true), "[]\n");
  EXPECT_EQ(printed(R"({"items":[{"name":"\u001b[2J"}],"total":1})", false), "NAME\n\\x1b[2J\n");
}

TEST(PrintPage, FailsWithWhatTheServerSaid) {
  const auto gone = print_page(std::unexpected(Failure{Exit::denied, "not yours"}), false, names());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().exit, Exit::denied);
  EXPECT_FALSE(print_page(std::string("<html>"), false, names()));
}

}  // namespace
}  // namespace picket::cli
