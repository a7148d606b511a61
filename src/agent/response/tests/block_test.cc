// What is blocked is kept, and where programs can be is found.
#include "../block.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../mount_points.h"
#include "base/core/encoding.h"

namespace picket::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Timestamp kNow{1'800'000'000'000'000};

class BlockTest : public ::testing::Test {
 protected:
  BlockTest() {
    std::string pattern = ::testing::TempDir() + "picket-block-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/blocked";
  }
  ~BlockTest() override { std::filesystem::remove_all(directory_); }
  static Sha256 hash(int number) { return sha256(as_bytes(std::to_string(number))); }

  std::string directory_, path_;
};

TEST_F(BlockTest, KeepsTheListForTheNextStartAndFromOthers) {
  BlockList list(path_);
  ASSERT_TRUE(list.load());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(list.add(hash(i), "command-" + std::to_string(i)));
  EXPECT_EQ(list.remove(hash(7)), true);
  EXPECT_EQ(list.remove(hash(7)), false);
  BlockList next(path_);
  ASSERT_TRUE(next.load());
  EXPECT_EQ(next.size(), 19u);
  for (int i = 0; i < 20; ++i) {
    const BlockedProgram* const found = next.find(hash(i));
    ASSERT_EQ(found != nullptr, i != 7) << i;
    if (found != nullptr) EXPECT_EQ(found->command_id, "command-" + std::to_string(i));
  }
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(BlockTest, ADamagedListIsAnErrorAndEmpty) {
  const std::string good = to_hex(hash(1));
  for (const std::string& text : {std::string(), std::string("["), std::string("[]"), "{\"" + good + "\":1}",
                                  "{\"" + good.substr(2) + "\":\"c\"}",
                                  "{\"" + good + "\":\"" + std::string(65, 'c') + "\"}", "{\"" + good + "\":\"c\""}) {
    std::ofstream(path_) << text;
    BlockList list(path_);
    EXPECT_FALSE(list.load()) << text;
    EXPECT_EQ(list.size(), 0u);
  }
}

TEST_F(BlockTest, TheListHasAnEnd) {
  std::string text = "{";
  for (std::size_t i = 0; i < BlockList::kProgramsMax; ++i) {
    text += (i == 0 ? "\"" : ",\"") + to_hex(hash(static_cast<int>(i))) + "\":\"c\"";
  }
  std::ofstream(path_) << text << "}";
  BlockList list(path_);
  ASSERT_TRUE(list.load());
  ASSERT_EQ(list.size(), BlockList::kProgramsMax);
  EXPECT_EQ(list.add(hash(-1), "c").error().code, Errc::limit_exceeded);
  EXPECT_TRUE(list.add(hash(1), "c"));
  EXPECT_EQ(BlockList::parse(text + ",\"" + to_hex(hash(-1)) + "\":\"c\"}").error().code, Errc::limit_exceeded);
}

TEST_F(BlockTest, SaysAtTheStartThatTheListIsDamagedOrNotAllowedAnyMore) {
  const ManualClock clock{kNow};
  EventLoop loop = EventLoop::create(clock).value();
  const ResponseSettings settings;
  std::vector<std::string> said;
  const auto start = [&] {
    Block block(loop, settings, path_,
                [&said](Block::Notice, std::string_view, const std::string&, const std::string& text) {
                  said.push_back(text);
                });
    block.resume();
  };
  start();
  EXPECT_TRUE(said.empty());
  std::ofstream(path_) << "{";
  start();
  std::ofstream(path_) << "{\"" << to_hex(hash(1)) << "\":\"c\"}";
  start();
  EXPECT_THAT(said, ElementsAre(HasSubstr("damaged"), HasSubstr("response.block is not true")));
}

TEST(MountPoints, AreThoseThatHoldPrograms) {
  EXPECT_THAT(parse_mount_points("22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                                 "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n"
                                 "28 27 0:27 / /media/two\\040words\\134 rw - tmpfs none rw\n"
                                 "29 27 0:28 / /remote rw - nfs4 server:/ rw\n"
                                 "30 27 0:29 / /ours rw - fuse.sshfs server:/ rw\n"
                                 "31 27 0:30 / relative rw - ext4 /dev/vdb rw\n"
                                 "32 27 0:31 / /no-separator rw ext4\n"
                                 "\n"
                                 "33 27 0:32 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw"),
              ElementsAre("/", "/media/two words\\", "/var/lib/docker/overlay2/x/merged"));
}

TEST(MountPoints, HaveAnEnd) {
  std::string text;
  for (std::size_t i = 0; i < kMountPointsMax + 9; ++i) text += "1 1 0:1 / /a rw - ext4 x rw\n";
  EXPECT_EQ(parse_mount_points(text).size(), kMountPointsMax);
}

}  // namespace
}  // namespace picket::agent
