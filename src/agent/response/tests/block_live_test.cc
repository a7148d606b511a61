// The kernel asks, real programs start or do not. All in a file system and a mount namespace of the test's own.
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../block.h"
#include "agent/hardening.h"
#include "base/core/encoding.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

/// A program that ends well.
constexpr const char* kProgram = "/bin/true";

class BlockLive : public ::testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    former_.reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    std::string pattern = ::testing::TempDir() + "picket-block-live-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_EQ(::mount("picket", directory_.c_str(), "tmpfs", 0, "size=32m"), 0);
    blocked_ = directory_ + "/blocked-program";
    other_ = directory_ + "/other-program";
    // Both end well; one more byte behind the program makes another content.
    std::string content = read_file(kProgram, 8U << 20).value();
    write_program(blocked_, content + "b");
    write_program(other_, content + "o");
    hash_ = to_hex(sha256(as_bytes(content + "b")));
    settings_.block = true;
    settings_.block_paths = {directory_};
    start();
  }
  void TearDown() override {
    block_.reset();
    if (directory_.empty()) return;
    ::umount2(directory_.c_str(), MNT_DETACH);
    ::rmdir(directory_.c_str());
    EXPECT_EQ(::setns(former_.get(), CLONE_NEWNS), 0);
  }
  static void write_program(const std::string& path, std::string_view content) {
    ASSERT_TRUE(replace_file(path, as_bytes(content), 0755));
  }
  void start() {
    block_.reset();
    block_ = std::make_unique<Block>(
        loop_, settings_, directory_ + "/list",
        [this](Block::Notice notice, std::string_view id, const std::string& arguments, const std::string& text) {
          notices_.push_back({notice, std::string(id), arguments, text});
        });
    block_->resume();
  }
  ActionResult order(bool block, const std::string& hash) {
    const std::string text = R"({"sha256":")" + hash + "\"}";
    const Json arguments = parse_json(text).value();
    return block ? block_->block(arguments, "command-1") : block_->unblock(arguments);
  }
  /// 0: it started and ended well; otherwise the errno of its start. The loop answers meanwhile.
  int starting(const std::string& path) { return result_of(begin(path)); }
  /// Without the descriptors of this process: a child that has the kernel's questions keeps them open.
  static pid_t begin(const std::string& path) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::close_range(3, ~0U, 0);
    ::execl(path.c_str(), path.c_str(), nullptr);
    ::_exit(errno);
  }
  int result_of(pid_t child) {
    int status = 0;
    for (;;) {
      const pid_t done = ::waitpid(child, &status, WNOHANG);
      if (done == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
      if (done < 0) return -errno;
      EXPECT_TRUE(loop_.run_once(Duration::milliseconds(5)));
    }
  }

  struct Said {
    Block::Notice notice;
    std::string id, arguments, text;
  };
  UniqueFd former_;
  std::string directory_, blocked_, other_, hash_;
  ResponseSettings settings_;
  EventLoop loop_ = EventLoop::create(system_clock()).value();
  std::vector<Said> notices_;
  std::unique_ptr<Block> block_;
};

TEST_F(BlockLive, OnlyTheBlockedContentDoesNotStartUntilItIsUnblocked) {
  ASSERT_EQ(starting(blocked_), 0);
  EXPECT_EQ(block_->counters().seen, 0u);
  const ActionResult done = order(true, hash_);
  ASSERT_EQ(done.status, 200) << done.message;
  EXPECT_EQ(starting(blocked_), EPERM);
  EXPECT_EQ(starting(other_), 0);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0].notice, Block::Notice::refused);
  EXPECT_EQ(notices_[0].id, "command-1");
  EXPECT_THAT(notices_[0].arguments, ::testing::HasSubstr(blocked_));
  EXPECT_THAT(notices_[0].text, ::testing::HasSubstr(hash_));
  EXPECT_EQ(block_->counters().seen, 2u);
  EXPECT_EQ(block_->counters().refused, 1u);
  EXPECT_EQ(order(false, hash_).status, 200);
  EXPECT_EQ(starting(blocked_), 0);
  EXPECT_EQ(block_->counters().seen, 2u);
}

TEST_F(BlockLive, AnotherNameOfTheSameContentDoesNotHelp) {
  ASSERT_EQ(order(true, hash_).status, 200);
  const std::string copy = directory_ + "/renamed";
  std::filesystem::copy_file(blocked_, copy);
  EXPECT_EQ(starting(copy), EPERM);
}

TEST_F(BlockLive, AContentThatChangesIsLookedAtAgain) {
  ASSERT_EQ(order(true, hash_).status, 200);
  const std::string one = read_file(blocked_, 8U << 20).value(), two = read_file(other_, 8U << 20).value();
  const auto write_in_place = [this](const std::string& content) {
    const UniqueFd file{::open(other_.c_str(), O_WRONLY | O_CLOEXEC)};
    ASSERT_TRUE(write_all(file.get(), as_bytes(content)));
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(starting(other_), 0);
    write_in_place(one);
    EXPECT_EQ(starting(other_), EPERM);
    write_in_place(two);
  }
}

TEST_F(BlockLive, ARestartKeepsTheListAndAStoppedAgentLetsAllStart) {
  ASSERT_EQ(order(true, hash_).status, 200);
  ASSERT_EQ(starting(blocked_), EPERM);
  block_.reset();
  EXPECT_EQ(starting(blocked_), 0);
  start();
  EXPECT_EQ(starting(blocked_), EPERM);
  EXPECT_EQ(starting(other_), 0);
}

TEST_F(BlockLive, AStartThatWaitsGoesOnWhenTheAgentStops) {
  ASSERT_EQ(order(true, hash_).status, 200);
  const pid_t child = begin(other_);
  block_.reset();  // before or while it waits: either way it starts
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(BlockLive, ALargerProgramStartsAndThatIsSaidOnce) {
  settings_.block_bytes_max = 4 << 10;
  ASSERT_EQ(order(true, hash_).status, 200);
  EXPECT_EQ(starting(blocked_), 0);
  EXPECT_EQ(starting(blocked_), 0);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0].notice, Block::Notice::unchecked);
  EXPECT_THAT(notices_[0].text, ::testing::HasSubstr("response.block_max"));
  EXPECT_EQ(block_->counters().unchecked, 2u);
}

TEST_F(BlockLive, RefusedStartsAreSaidWithinBounds) {
  ASSERT_EQ(order(true, hash_).status, 200);
  for (unsigned i = 0; i < Block::kNoticesMax + 5; ++i) EXPECT_EQ(starting(blocked_), EPERM);
  EXPECT_EQ(notices_.size(), Block::kNoticesMax);
  EXPECT_EQ(block_->counters().refused, Block::kNoticesMax + 5);
}

TEST_F(BlockLive, RefusesWrongArguments) {
  EXPECT_EQ(order(true, "").status, 400);
  EXPECT_EQ(order(true, hash_.substr(2)).status, 400);
  EXPECT_EQ(order(false, "x").status, 400);
  EXPECT_EQ(order(false, hash_).status, 404);
  const std::string self = read_file("/proc/self/exe", 256U << 20).value();
  EXPECT_EQ(order(true, to_hex(sha256(as_bytes(self)))).status, 400);
  settings_.block_paths = {directory_ + "/nothing"};
  EXPECT_EQ(order(true, hash_).status, 500);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/list"));
}

TEST_F(BlockLive, WorksWithWhatHardeningLeaves) {
  // The hardened one may start nothing, so another process does.
  int to_agent[2], to_test[2];
  ASSERT_EQ(::pipe2(to_agent, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(to_test, O_CLOEXEC), 0);
  const pid_t agent = ::fork();
  if (agent == 0) {
    ::close(to_agent[1]);
    for (const HardeningPart& part : harden({}, std::vector{directory_})) {
      if (!part.problem.empty()) ::_exit(2);
    }
    if (order(true, hash_).status != 200 || ::write(to_test[1], "r", 1) != 1) ::_exit(3);
    bool over = false;
    if (!loop_.add(to_agent[0], EPOLLIN, [&over](std::uint32_t) { over = true; })) ::_exit(4);
    while (!over) {
      if (!loop_.run_once(Duration::seconds(1))) ::_exit(5);
    }
    ::_exit(block_->counters().refused == 1 && notices_.size() == 1 && notices_[0].text.contains(blocked_) ? 0 : 6);
  }
  ::close(to_test[1]);
  ::close(to_agent[0]);
  char byte = 0;
  ASSERT_EQ(::read(to_test[0], &byte, 1), 1);
  EXPECT_EQ(starting(blocked_), EPERM);
  EXPECT_EQ(starting(other_), 0);
  ::close(to_agent[1]);
  EXPECT_EQ(result_of(agent), 0);
  ::close(to_test[0]);
}

/// Makes what is mounted at `root` all that there is for this process, but for /proc.
bool see_only(const std::string& root) {
  const std::string proc = root + "/proc";
  return ::unshare(CLONE_NEWNS) == 0 && ::mkdir(proc.c_str(), 0755) == 0 &&
         ::mount("proc", proc.c_str(), "proc", 0, nullptr) == 0 && ::chdir(root.c_str()) == 0 &&
         ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
}

TEST_F(BlockLive, WatchesAllFileSystemsWhenNoneIsNamedAlsoLaterOnes) {
  const pid_t agent = ::fork();
  if (agent == 0) {
    settings_.block_paths = {};
    const std::string content = read_file(blocked_, 8U << 20).value();
    if (!see_only(directory_)) ::_exit(2);
    block_.reset();
    directory_.clear();
    start();
    // What starts ends with ENOENT: here is no dynamic loader.
    if (order(true, hash_).status != 200) ::_exit(3);
    if (starting("/blocked-program") != EPERM || starting("/other-program") != ENOENT) ::_exit(4);
    if (::mkdir("/later", 0755) != 0 || ::mount("later", "/later", "tmpfs", 0, "size=32m") != 0) ::_exit(5);
    if (!replace_file("/later/program", as_bytes(content), 0755)) ::_exit(6);
    if (!loop_.run_once(Duration::seconds(10))) ::_exit(7);
    if (starting("/later/program") != EPERM) ::_exit(8);
    block_.reset();
    ::_exit(starting("/later/program") == ENOENT ? 0 : 9);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(agent, &status, 0), agent);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace picket::agent
