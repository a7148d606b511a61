#include "block_list.h"

#include <gmock/gmock.h>

#include "hub/files.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string_view where(const std::string& xml) {
  const auto list = parse_block_list(xml);
  return list ? "" : list.error().where;
}

TEST(BlockList, ReadsWhatStorageClientsWrite) {
  EXPECT_THAT(
      *parse_block_list(R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?><BlockList><Latest>YQ==</Latest>)"
                        "<Latest>Yg==</Latest></BlockList>"),
      ElementsAre("a", "b"));
  EXPECT_THAT(
      *parse_block_list(
          "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\r\n<BlockList>\n  <Uncommitted>YQ==</Uncommitted>\n"
          "\t<Latest>YQ==</Latest>\n</BlockList>\n"),
      ElementsAre("a", "a"));
  EXPECT_THAT(*parse_block_list("<BlockList></BlockList>"), IsEmpty());
  EXPECT_THAT(*parse_block_list("<BlockList/>"), IsEmpty());
  EXPECT_THAT(*parse_block_list("<BlockList />"), IsEmpty());
}

TEST(BlockList, RefusesEverythingElse) {
  EXPECT_EQ(where(""), "files.block_list.root");
  EXPECT_EQ(where("<blocklist/>"), "files.block_list.root");
  EXPECT_EQ(where("<!DOCTYPE x [<!ENTITY a \"b\">]><BlockList/>"), "files.block_list.root");
  EXPECT_EQ(where("<?xml version='1.0'<BlockList/>"), "files.block_list.declaration");
  EXPECT_EQ(where("<BlockList x='y'></BlockList>"), "files.block_list.root");
  EXPECT_EQ(where("<BlockList><Other>YQ==</Other></BlockList>"), "files.block_list.element");
  EXPECT_EQ(where("<BlockList><!-- --></BlockList>"), "files.block_list.element");
  EXPECT_EQ(where("<BlockList>x</BlockList>"), "files.block_list.element");
  EXPECT_EQ(where("<BlockList>"), "files.block_list.element");
  EXPECT_EQ(where("<BlockList><Latest>YQ==</Uncommitted></BlockList>"), "files.block_list.id");
  EXPECT_EQ(where("<BlockList><Latest></Latest></BlockList>"), "files.block_list.id");
  EXPECT_EQ(where("<BlockList><Latest> YQ== </Latest></BlockList>"), "files.block_list.id");
  EXPECT_EQ(where("<BlockList><Latest>&#89;Q==</Latest></BlockList>"), "files.block_list.id");
  EXPECT_EQ(where("<BlockList/>x"), "files.block_list.end");
  EXPECT_EQ(where("<BlockList></BlockList><BlockList/>"), "files.block_list.end");
  EXPECT_EQ(where("<BlockList><Committed>YQ==</Committed></BlockList>"), "files.block_list.committed");
}

TEST(BlockList, RefusesEveryTruncation) {
  const std::string whole = "<?xml version='1.0'?><BlockList><Latest>YQ==</Latest></BlockList>";
  ASSERT_TRUE(parse_block_list(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_block_list(whole.substr(0, n))) << n;
}

TEST(BlockList, BoundsTheBlocksAndTheirIds) {
  std::string blocks;
  for (std::size_t i = 0; i < kBlocksMax; ++i) blocks += "<Latest>YQ==</Latest>";
  EXPECT_EQ(where("<BlockList>" + blocks + "</BlockList>"), "");
  EXPECT_EQ(where("<BlockList>" + blocks + "<Latest>YQ==</Latest></BlockList>"), "files.block_list.blocks");
  const auto id = [](std::size_t n) { return "<BlockList><Latest>" + std::string(n, 'A') + "</Latest></BlockList>"; };
  EXPECT_EQ(where(id(84)), "") << "63 bytes";
  EXPECT_EQ(where(id(88)), "files.block_list.id") << "66 bytes";
}

}  // namespace
}  // namespace picket::hub
