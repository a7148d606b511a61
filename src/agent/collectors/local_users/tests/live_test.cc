// Adds, changes and removes a real account with Debian's tools, in a root directory of its own, once per tier.
#include "tests/live.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/wait.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

class LocalUsersLive : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    std::string name = ::testing::TempDir() + "picket-users-XXXXXX";
    root_ = mkdtemp(name.data());
    std::filesystem::create_directories(root_ + "/etc");
    write("passwd", "root:x:0:0:root:/root:/bin/bash\n");
    write("group", "root:x:0:\nsudo:x:27:\n");
    write("shadow", "root:$y$j9T$topsecretsalt$topsecrethash:19700:0:99999:7:::\n");
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }
  void write(const std::string& name, std::string_view text) const { std::ofstream(root_ + "/etc/" + name) << text; }
  /// useradd and its like with the option that names another root.
  void tool(const std::string& command) const {
    const auto space = command.find(' ');
    const std::string line =
        "/usr/sbin/" + command.substr(0, space) + " -P " + root_ + command.substr(space) + " >" + root_ + "/log 2>&1";
    ASSERT_EQ(std::system(line.c_str()), 0) << line << "\n" << read_file(root_ + "/log", 4096).value_or("");
  }
  CollectorSettings settings() const {
    CollectorSettings out;
    out.root = root_;
    out.choose("local_users").tier = GetParam();
    // The tier must notice by itself; poll looks at least as often as a snapshot is due.
    out.choose("local_users").every =
        Duration::hours(std::string_view(GetParam()) == "watch" ? 1 : 0) + Duration::seconds(1);
    return out;
  }
  static std::string all_items(const Recorder& sink) {
    std::string out;
    for (const KeptEvent& event : sink.events) out += event.items + "\n";
    return out;
  }
  std::string root_;
};

TEST_P(LocalUsersLive, AddedChangedAndRemovedUsersAreDifferences) {
  Bench bench("local_users", settings());
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  EXPECT_EQ(bench.sink.events[0].items,
            std::string(R"({"UserId":"0","UserName":"root","GroupIds":"0","GroupNames":"root","Shell":"/bin/bash",)") +
                R"("HomeDirectory":"/root","PasswordState":"set","Source":")" + GetParam() +
                R"(","ExtraDetails":{"PasswordChanged":"2023-12-09"}})");
  EXPECT_EQ(bench.sink.events[0].record.priority, Priority::low);

  bench.sink.events.clear();
  tool("useradd -u 4242 -g 0 -G sudo -s /bin/sh -d /home/mallory mallory");
  const auto seen = [&](std::string_view text) { return all_items(bench.sink).contains(text); };
  ASSERT_TRUE(bench.run_until([&] { return seen(R"("UserName":"mallory")"); }, 60)) << all_items(bench.sink);
  EXPECT_THAT(all_items(bench.sink),
              HasSubstr(R"({"UserId":"4242","UserName":"mallory","GroupIds":"0;27","GroupNames":"root;sudo",)"
                        R"("Shell":"/bin/sh","HomeDirectory":"/home/mallory","PasswordState":"locked",)"));
  EXPECT_THAT(all_items(bench.sink), HasSubstr(R"("Change":"added")"));
  EXPECT_THAT(all_items(bench.sink), Not(HasSubstr(R"("UserName":"root")")));
  EXPECT_EQ(bench.sink.events.back().record.priority, Priority::high);

  bench.sink.events.clear();
  tool("usermod -p '' mallory");
  ASSERT_TRUE(bench.run_until([&] { return seen(R"("PasswordState":"empty")"); }, 60)) << all_items(bench.sink);
  EXPECT_THAT(all_items(bench.sink), HasSubstr(R"("Change":"changed")"));

  bench.sink.events.clear();
  tool("userdel mallory");
  ASSERT_TRUE(bench.run_until([&] { return seen(R"("Change":"removed")"); }, 60)) << all_items(bench.sink);
  EXPECT_THAT(all_items(bench.sink),
              HasSubstr(R"({"UserId":"4242","UserName":"mallory","GroupIds":"","GroupNames":"",)"));
  EXPECT_THAT(all_items(bench.sink), Not(HasSubstr("topsecret")));
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_user);
}

INSTANTIATE_TEST_SUITE_P(Tiers, LocalUsersLive, testing::Values("watch", "poll"));

}  // namespace
}  // namespace picket::agent
