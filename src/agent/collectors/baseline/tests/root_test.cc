#include "baseline/root.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "baseline/tests/content_writer.h"

namespace picket::agent::baseline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RootTest : public testing::Test {
 protected:
  Root open() const {
    auto root = Root::open(files_.path());
    EXPECT_TRUE(root);
    return *std::move(root);
  }
  TestRoot files_;
};

TEST_F(RootTest, LinksLeadWithinIt) {
  files_.write("/etc/inside", "inside\n");
  files_.link("/absolute", "/etc/inside");
  files_.link("/etc/up", "../../../../../etc/inside");
  files_.link("/etc/out", "../../../../../../../../etc/passwd");
  const Root root = open();
  std::string text;
  EXPECT_EQ(root.read("/absolute", 100, text), Found::yes);
  EXPECT_EQ(text, "inside\n");
  EXPECT_EQ(root.read("/etc/up", 100, text), Found::yes);
  EXPECT_EQ(root.read("/etc/out", 1 << 20, text), Found::missing) << "the device's own passwd";
  EXPECT_EQ(root.read("/../../../../etc/passwd", 1 << 20, text), Found::missing);
  EXPECT_EQ(root.link_target("/absolute"), "/etc/inside");
}

TEST_F(RootTest, ReadsUpToTheBoundAndNotBeyond) {
  files_.write("/a", std::string(100, 'x'));
  const Root root = open();
  std::string text;
  EXPECT_EQ(root.read("/a", 100, text), Found::yes);
  EXPECT_EQ(text.size(), 100u);
  EXPECT_EQ(root.read("/a", 99, text), Found::too_large);
  EXPECT_EQ(text, "");
  EXPECT_EQ(root.read("/b", 99, text), Found::missing);
  EXPECT_EQ(root.read("/a/b", 99, text), Found::missing);
}

TEST_F(RootTest, NeitherFoldersNorPipesAreRead) {
  files_.write("/folder/x", "");
  ASSERT_EQ(mkfifo((files_.path() + "/pipe").c_str(), 0600), 0);
  const Root root = open();
  std::string text;
  EXPECT_EQ(root.read("/folder", 100, text), Found::unreadable);
  EXPECT_EQ(root.read("/pipe", 100, text), Found::unreadable) << "and it did not wait for a writer";
}

TEST_F(RootTest, PatternsStandForWhatIsThere) {
  for (const char* const name : {"/etc/d/b.conf", "/etc/d/a.conf", "/etc/d/.c.conf", "/etc/e/a.conf", "/etc/d/a.txt"}) {
    files_.write(name, "");
  }
  const Root root = open();
  EXPECT_THAT(root.glob("/etc/d/*.conf"), ElementsAre("/etc/d/a.conf", "/etc/d/b.conf"));
  EXPECT_THAT(root.glob("/etc/?/a.conf"), ElementsAre("/etc/d/a.conf", "/etc/e/a.conf"));
  EXPECT_THAT(root.glob("/etc/d/.*"), ElementsAre("/etc/d/.c.conf"));
  EXPECT_THAT(root.glob("/etc/*/nothing"), IsEmpty());
  EXPECT_THAT(root.glob("/not/there"), ElementsAre("/not/there"));
}

TEST(Glob, StarsStandForAnything) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "axxbyyc"));
  EXPECT_TRUE(matches_glob("/proc/*", "/proc/1/x"));
  EXPECT_FALSE(matches_glob("a*b", "acd"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("", "a"));
}

}  // namespace
}  // namespace picket::agent::baseline
