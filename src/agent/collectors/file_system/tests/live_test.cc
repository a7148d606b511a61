// file_system collector against the running kernel, each tier forced. The changes are made by a child, as the agent's
// own are no news.
#include "tests/live.h"

#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"

namespace picket::agent {
namespace {

namespace fs = std::filesystem;

/// Does something in a process of its own, which stays until the object ends, so that it can still be asked about.
class Doer {
 public:
  explicit Doer(const std::function<bool()>& what) {
    int done[2], end[2];
    EXPECT_EQ(pipe(done) | pipe(end), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(done[0]);
      close(end[1]);
      char result = what() ? 'y' : 'n';
      if (write(done[1], &result, 1) != 1) _exit(1);
      _exit(static_cast<int>(read(end[0], &result, 1)));
    }
    close(done[1]);
    close(end[0]);
    end_.reset(end[1]);
    char result = 'n';
    EXPECT_EQ(read(done[0], &result, 1), 1);
    EXPECT_EQ(result, 'y');
    close(done[0]);
  }
  ~Doer() {
    end_.reset();
    waitpid(pid_, nullptr, 0);
  }
  Doer(const Doer&) = delete;
  Doer& operator=(const Doer&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  UniqueFd end_;
};

bool write_file(const std::string& path, std::string_view text, int flags = 0) {
  const UniqueFd fd{open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0640)};
  return fd.valid() && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string self() { return fs::read_symlink("/proc/self/exe"); }
std::string hash_of(std::string_view text) { return to_hex(sha256(as_bytes(text))); }

/// A folder of this test, and a collector that watches it, or what is named below it.
class Stage {
 public:
  Stage(const std::string& tier, std::vector<std::string> names = {""}) : tier_(tier) {
    static int count = 0;
    root_ = fs::canonical(testing::TempDir()) /
            ("picket-files-" + std::to_string(getpid()) + "-" + std::to_string(++count));
    fs::create_directories(root_);
    settings_.choose("file_system").tier = tier;
    settings_.file_system_scan_every = Duration::milliseconds(50);
    for (const std::string& name : names) settings_.file_system_paths.push_back(name.empty() ? root_ : at(name));
  }
  ~Stage() { fs::remove_all(root_); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void start() {
    bench_.emplace("file_system", settings_);
    const auto started = bench_->collector.start();
    ASSERT_TRUE(started) << describe(started.error());
    bench_->collector.on_timer();  // a scan has looked at all
  }
  CollectorSettings& settings() { return settings_; }
  Bench& bench() { return *bench_; }
  std::string at(const std::string& name) const { return root_ + "/" + name; }

  const KeptEvent* find(std::string_view mask, const std::string& name) const {
    const std::string path = R"("Path":")" + at(name) + "\"", what = R"("Mask":")" + std::string(mask) + "\"";
    for (const KeptEvent& kept : bench_->sink.events) {
      if (kept.items.find(path) != std::string::npos && kept.items.find(what) != std::string::npos) return &kept;
    }
    return nullptr;
  }
  bool wait_for(std::string_view mask, const std::string& name) {
    return bench_->run_until([&] { return find(mask, name) != nullptr; }, 20);
  }
  /// The one object that is sent; `who` 0: nobody is known.
  std::string event(std::string_view mask, const std::string& name, pid_t who, std::string_view rest) const {
    std::string out = R"({"Path":")" + at(name) + R"(","Mask":")" + std::string(mask) + "\"";
    if (tier_ == "fanotify" && who != 0) {
      out += R"(,"Executable":")" + self() + R"(","ProcessId":)" + std::to_string(who) +
             R"(,"UserId":"0","UserName":"root")";
    }
    return out + std::string(rest) + R"(,"Source":")" + tier_ + "\"}";
  }
  std::string expected(std::string_view mask, const std::string& name) const {
    const KeptEvent* kept = find(mask, name);
    return kept ? kept->items : "nothing";
  }

 private:
  std::string tier_, root_;
  CollectorSettings settings_;
  std::optional<Bench> bench_;
};

void expect_closed_account(const Stage& stage, Bench& bench) {
  (void)stage;
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  EXPECT_EQ(counters.delivered, bench.sink.events.size());
}

class FileSystemTier : public testing::TestWithParam<const char*> {
 protected:
  std::string tier() const { return GetParam(); }
  bool scans() const { return tier() == "scan"; }
};

TEST_P(FileSystemTier, TellsTheLifeOfAFileWithEveryField) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  ASSERT_NO_FATAL_FAILURE(stage.start());
  umask(0022);
  const std::string path = stage.at("file"), moved = stage.at("moved");
  {
    const Doer child([&] { return write_file(path, ""); });
    ASSERT_TRUE(stage.wait_for("Created", "file"));
    EXPECT_EQ(stage.expected("Created", "file"),
              stage.event("Created", "file", child.pid(), R"(,"Hash":")" + hash_of("") + R"(","Mode":"0640")"));
  }
  {
    const Doer child([&] { return write_file(path, "hello"); });
    ASSERT_TRUE(stage.wait_for("Modified", "file"));
    EXPECT_EQ(stage.expected("Modified", "file"),
              stage.event("Modified", "file", child.pid(), R"(,"Hash":")" + hash_of("hello") + R"(","Mode":"0640")"));
  }
  {
    const Doer child([&] { return chmod(path.c_str(), 0400) == 0; });
    ASSERT_TRUE(stage.wait_for("MetadataChanged", "file"));
    EXPECT_EQ(stage.expected("MetadataChanged", "file"),
              stage.event("MetadataChanged", "file", child.pid(), R"(,"Mode":"0400")"));
  }
  {
    const Doer child([&] { return rename(path.c_str(), moved.c_str()) == 0; });
    const std::string state = R"(,"Hash":")" + hash_of("hello") + R"(","Mode":"0400")";
    if (scans()) {  // two looks cannot tell a move
      ASSERT_TRUE(stage.wait_for("Created", "moved"));
      ASSERT_TRUE(stage.wait_for("Deleted", "file"));
      EXPECT_EQ(stage.expected("Created", "moved"), stage.event("Created", "moved", 0, state));
    } else {
      ASSERT_TRUE(stage.wait_for("Moved", "moved"));
      EXPECT_EQ(stage.expected("Moved", "moved"),
                stage.event("Moved", "moved", child.pid(), R"(,"OldPath":")" + path + "\"" + state));
    }
  }
  {
    const Doer child([&] { return unlink(moved.c_str()) == 0; });
    ASSERT_TRUE(stage.wait_for("Deleted", "moved"));
    EXPECT_EQ(stage.expected("Deleted", "moved"), stage.event("Deleted", "moved", child.pid(), ""));
  }
  EXPECT_EQ(stage.find("Deleted", "moved")->record.origin.sampled, scans());
  EXPECT_EQ(stage.find("Deleted", "moved")->record.priority, Priority::low);
  expect_closed_account(stage, stage.bench());
}

TEST_P(FileSystemTier, FollowsIntoFoldersThatCome) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer first([&] {
    return mkdir(stage.at("a").c_str(), 0755) == 0 && mkdir(stage.at("a/b").c_str(), 0755) == 0 &&
           write_file(stage.at("a/b/early"), "1");
  });
  ASSERT_TRUE(stage.wait_for("Created", "a"));
  ASSERT_TRUE(stage.wait_for("Created", "a/b/early"));
  stage.bench().run_until([] { return false; }, 0.2);  // its folders are watched by now
  const Doer second([&] { return write_file(stage.at("a/b/early"), "22"); });
  ASSERT_TRUE(stage.wait_for("Modified", "a/b/early"));
  const Doer third([&] { return fs::remove_all(stage.at("a")) > 0; });
  ASSERT_TRUE(stage.wait_for("Deleted", "a/b/early"));
  ASSERT_TRUE(stage.wait_for("Deleted", "a"));
}

TEST_P(FileSystemTier, KeepsToThePathsItWasGiven) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier(), {"passwd", "later/keys"});
  ASSERT_TRUE(write_file(stage.at("passwd"), "root"));
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer child([&] {
    return write_file(stage.at("other"), "x") && write_file(stage.at("passwd.new"), "root2") &&
           rename(stage.at("passwd.new").c_str(), stage.at("passwd").c_str()) == 0 &&
           mkdir(stage.at("later").c_str(), 0755) == 0 && write_file(stage.at("later/keys"), "k") &&
           write_file(stage.at("later/no"), "n");
  });
  ASSERT_TRUE(stage.wait_for(scans() ? "Modified" : "Moved", "passwd"));
  ASSERT_TRUE(stage.wait_for("Created", "later/keys"));
  const Doer end([&] { return unlink(stage.at("passwd").c_str()) == 0; });
  ASSERT_TRUE(stage.wait_for("Deleted", "passwd"));
  for (const KeptEvent& kept : stage.bench().sink.events) {
    EXPECT_EQ(kept.items.find("other"), std::string::npos) << kept.items;
    EXPECT_EQ(kept.items.find("later/no"), std::string::npos) << kept.items;
  }
}

TEST_P(FileSystemTier, LeavesFoldersBelowOutWhenItShallNotGoDown) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  fs::create_directories(stage.at("sub"));
  stage.settings().file_system_recursive = false;
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer child([&] { return write_file(stage.at("sub/x"), "1") && write_file(stage.at("y"), "1"); });
  ASSERT_TRUE(stage.wait_for("Created", "y"));
  EXPECT_EQ(stage.find("Created", "sub/x"), nullptr);
}

TEST_P(FileSystemTier, HashesNothingLargerThanItMay) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  stage.settings().file_system_hash_max = 4;
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer child(
      [&] { return write_file(stage.at("large"), "12345") && symlink("large", stage.at("link").c_str()) == 0; });
  ASSERT_TRUE(stage.wait_for("Created", "large"));
  ASSERT_TRUE(stage.wait_for("Created", "link"));
  EXPECT_EQ(stage.expected("Created", "large"), stage.event("Created", "large", child.pid(), R"(,"Mode":"0640")"));
  EXPECT_EQ(stage.expected("Created", "link"), stage.event("Created", "link", child.pid(), R"(,"Mode":"0777")"));
}

INSTANTIATE_TEST_SUITE_P(EachForced, FileSystemTier, testing::Values("fanotify", "inotify", "scan"),
                         [](const auto& at) { return std::string(at.param); });

TEST(FileSystemFanotify, DoesNotReportTheAgentsOwnDoings) {
  PICKET_NEEDS_ROOT();
  Stage stage("fanotify");
  ASSERT_NO_FATAL_FAILURE(stage.start());
  ASSERT_TRUE(write_file(stage.at("own"), "x"));
  const Doer child([&] { return write_file(stage.at("other"), "x"); });
  ASSERT_TRUE(stage.wait_for("Created", "other"));
  EXPECT_EQ(stage.find("Created", "own"), nullptr);
}

TEST(FileSystemInotify, TellsWhatWentAwayAndWhatCameFromElsewhere) {
  PICKET_NEEDS_ROOT();
  Stage stage("inotify", {"in"});
  fs::create_directories(stage.at("in"));
  fs::create_directories(stage.at("out"));
  ASSERT_TRUE(write_file(stage.at("in/leaves"), "1"));
  ASSERT_TRUE(write_file(stage.at("out/comes"), "1"));
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer child([&] {
    return rename(stage.at("in/leaves").c_str(), stage.at("out/left").c_str()) == 0 &&
           rename(stage.at("out/comes").c_str(), stage.at("in/came").c_str()) == 0;
  });
  ASSERT_TRUE(stage.wait_for("Moved", "in/leaves"));
  ASSERT_TRUE(stage.wait_for("Moved", "in/came"));
}

/// More happenings than either queue holds, each of another name or file than the one before, so that none is merged.
bool make_a_storm(const std::string& from, const std::string& folder) {
  const int queue = 16384;
  for (int i = 0; i < queue + 2000; ++i) {
    const std::string name = folder + "/storm" + std::to_string(i);
    if (link(from.c_str(), name.c_str()) != 0 || unlink(name.c_str()) != 0) return false;
  }
  return true;
}

/// Until a file is older than the times of files are behind the clock.
void wait_until_old(const std::string& path) {
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  const Timestamp changed{info.st_ctim.tv_sec * 1'000'000 + info.st_ctim.tv_nsec / 1000};
  while (system_clock().now() - changed < Duration::milliseconds(100)) usleep(5000);
}

class FileSystemLoss : public testing::TestWithParam<const char*> {};

TEST_P(FileSystemLoss, IsCountedAndWhatChangedIsFoundByItsTimes) {
  PICKET_NEEDS_ROOT();
  Stage stage(GetParam());
  fs::create_directories(stage.at("calm"));
  ASSERT_TRUE(write_file(stage.at("calm/old"), "1"));
  wait_until_old(stage.at("calm/old"));
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer before([&] { return write_file(stage.at("seed"), "x"); });
  ASSERT_TRUE(stage.wait_for("Created", "seed"));
  const Doer child(
      [&] { return make_a_storm(stage.at("seed"), stage.at("calm")) && write_file(stage.at("calm/after"), "1"); });
  ASSERT_TRUE(stage.wait_for("Created", "calm/after"));
  EXPECT_GE(stage.bench().collector.counters().dropped_kernel, 1u);
  EXPECT_EQ(stage.find("Created", "calm/old"), nullptr);
  expect_closed_account(stage, stage.bench());
}

INSTANTIATE_TEST_SUITE_P(EachForced, FileSystemLoss, testing::Values("fanotify", "inotify"),
                         [](const auto& at) { return std::string(at.param); });

TEST(FileSystemScan, SeesAChangeWhoseTimesWereSetBack) {
  PICKET_NEEDS_ROOT();
  Stage stage("scan");
  ASSERT_TRUE(write_file(stage.at("file"), "good"));
  ASSERT_NO_FATAL_FAILURE(stage.start());
  const Doer child([&] {
    struct stat info{};
    if (stat(stage.at("file").c_str(), &info) != 0 || !write_file(stage.at("file"), "evil")) return false;
    const timespec times[] = {info.st_atim, info.st_mtim};
    return utimensat(AT_FDCWD, stage.at("file").c_str(), times, 0) == 0;
  });
  ASSERT_TRUE(stage.wait_for("Modified", "file"));
  EXPECT_NE(stage.expected("Modified", "file").find(hash_of("evil")), std::string::npos);
}

}  // namespace
}  // namespace picket::agent
