// What each tier of the process collector tells of the running kernel, and how a tier is chosen.
#include <fstream>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/core/file.h"
#include "process/tests/process_live.h"

namespace picket::agent {
namespace {

TEST(ProcessConnector, SeesEveryExecOfAStormAndCountsLostArgv) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("proc-connector"));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  constexpr int kCount = 5000;
  const auto expected = storm(bench, kCount);
  const auto found = [&] {
    int count = 0;
    std::map<std::uint32_t, int> seen;
    for (const auto& kept : bench.sink.processes) ++seen[kept.record.pid];
    for (const auto& [argv, pid] : expected) count += seen.contains(static_cast<std::uint32_t>(pid)) ? 1 : 0;
    return count;
  };
  bench.run_until([&] { return found() == kCount; }, 30);
  EXPECT_EQ(found(), kCount);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  std::uint64_t lost = 0;
  for (const auto& kept : bench.sink.processes) lost += kept.record.argv_lost || kept.executable.empty() ? 1 : 0;
  EXPECT_EQ(counters.incomplete, lost);
}

class ProcessTier : public testing::TestWithParam<const char*> {};

TEST_P(ProcessTier, DescribesAProgramThatLives) {
  if (std::string_view(GetParam()) != "procfs") PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  EXPECT_EQ(bench.collector.tier_in_use(), GetParam());
  const std::vector<std::string> argv{"/bin/sleep", "300"};
  const pid_t pid = spawn(argv);
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->argv, joined(argv));
  EXPECT_TRUE(kept->executable.ends_with("/sleep"));
  EXPECT_EQ(kept->record.ppid, static_cast<std::uint32_t>(getpid()));
  EXPECT_FALSE(kept->parent.empty());
  EXPECT_EQ(kept->record.uid, getuid());
  EXPECT_EQ(kept->record.origin.sampled, std::string_view(GetParam()) == "procfs");
}

// What a reverse shell does: a socket becomes stdin and stdout, then a shell starts.
TEST_P(ProcessTier, ShowsTheSocketBehindAShell) {
  if (std::string_view(GetParam()) != "procfs") PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(pair[0], 0);
    dup2(pair[0], 1);
    execl("/bin/sh", "sh", "-i", nullptr);
    _exit(1);
  }
  close(pair[0]);
  EXPECT_TRUE(bench.run_until([&] {
    const auto* kept = find_exec(bench.sink, pid);
    return kept && kept->record.stdio[0].kind == StdioFact::Kind::socket;
  }));
  kill(pid, SIGKILL);
  close(pair[1]);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->record.stdio[0].kind, StdioFact::Kind::socket);
  EXPECT_EQ(kept->record.stdio[1].kind, StdioFact::Kind::socket);
  EXPECT_EQ(kept->record.stdio[0].inode, kept->record.stdio[1].inode);
  EXPECT_NE(kept->record.stdio[0].inode, 0u);
  EXPECT_NE(kept->record.stdio[2].inode, kept->record.stdio[0].inode);
}

// The mount of a hierarchy of control groups, by what /proc/mounts says of it; empty: not there.
std::string cgroup_mount(std::string_view type, std::string_view option) {
  std::ifstream mounts("/proc/mounts");
  std::string device, path, kind, options, rest;
  while (mounts >> device >> path >> kind >> options && std::getline(mounts, rest)) {
    if (kind == type && ("," + options + ",").find("," + std::string(option) + ",") != std::string::npos) return path;
  }
  return {};
}

// A group that is named like a container's; gone again with the last process in it.
class ContainerGroup {
 public:
  ContainerGroup(const std::string& mount, const std::string& name) : path_(mount + "/" + name) {
    if (mount.empty() || mkdir(path_.c_str(), 0755) != 0) {
      path_.clear();
      return;
    }
    for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {  // version 1 takes no process without them
      if (const auto above = read_file(mount + "/" + file, 4096)) std::ofstream(path_ + "/" + file) << *above;
    }
  }
  ~ContainerGroup() {
    for (int i = 0; !path_.empty() && rmdir(path_.c_str()) != 0 && errno == EBUSY && i < 500; ++i) usleep(10'000);
  }
  bool made() const { return !path_.empty(); }
  void enter() const { std::ofstream(path_ + "/cgroup.procs") << getpid(); }

 private:
  std::string path_;
};

const std::string kContainer = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// A login makes a session and a terminal, an engine a control group; the program is a grandchild of ours.
TEST_P(ProcessTier, TellsWhereAProgramRuns) {
  PICKET_NEEDS_ROOT();
  const ContainerGroup group(cgroup_mount("cgroup2", "rw"), "docker-" + kContainer + ".scope");
  ASSERT_TRUE(group.made()) << "a cgroup2 tree is needed";
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  char slave[64];
  ASSERT_EQ(ptsname_r(terminal, slave, sizeof(slave)), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    const int fd = open(slave, O_RDWR);
    ioctl(fd, TIOCSCTTY, 0);
    group.enter();
    std::ofstream("/proc/self/loginuid") << getuid();
    std::uint32_t session = 0;
    std::ifstream("/proc/self/sessionid") >> session;
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sleep", "/bin/sleep", "30", nullptr);
      _exit(1);
    }
    const std::uint32_t words[2] = {static_cast<std::uint32_t>(child), session};
    if (write(told[1], words, sizeof(words)) < 0) _exit(1);
    signal(SIGHUP, SIG_IGN);
    waitpid(child, nullptr, 0);
    _exit(0);
  }
  std::uint32_t words[2] = {};
  ASSERT_EQ(read(told[0], words, sizeof(words)), static_cast<ssize_t>(sizeof(words)));
  const auto pid = static_cast<pid_t>(words[0]);
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(parent, nullptr, 0);
  for (const int fd : {told[0], told[1], terminal}) close(fd);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->container, kContainer);
  EXPECT_EQ(kept->terminal, std::string_view(slave).substr(5)) << "without /dev/";
  ASSERT_NE(words[1], 0xffffffffU);
  EXPECT_EQ(kept->record.session, words[1]);
  char self[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  EXPECT_EQ(kept->parent, self);
  EXPECT_EQ(kept->grandparent, self);
  EXPECT_EQ(kept->record.ppid, static_cast<std::uint32_t>(parent));
}

TEST_P(ProcessTier, KnowsAContainerOfTheOlderHierarchies) {
  PICKET_NEEDS_ROOT();
  const std::string mount = cgroup_mount("cgroup", "cpuset");
  if (mount.empty()) return;  // Version 2 only: nothing of it could be missed here; container_id_test has the paths.
  const ContainerGroup group(mount, "docker-" + kContainer + ".scope");
  ASSERT_TRUE(group.made());
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  const pid_t pid = fork();
  if (pid == 0) {
    group.enter();
    execl("/bin/sleep", "/bin/sleep", "30", nullptr);
    _exit(1);
  }
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->container, kContainer);
  EXPECT_EQ(kept->terminal, "");
}

TEST_P(ProcessTier, TellsADeletedProgramFromOneThatIsNamedSo) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  const auto program = read_file("/bin/sleep", 4 << 20);
  ASSERT_TRUE(program);
  const std::string path = "/tmp/picket-test-" + std::to_string(getpid()) + " (deleted)";
  for (const bool deleted : {false, true}) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ASSERT_TRUE(write_all(fd, as_bytes(*program)));
    close(fd);
    const int run = open(path.c_str(), O_RDONLY);  // an exec of a path that is gone needs a descriptor
    if (deleted) unlink(path.c_str());
    const pid_t pid = fork();
    if (pid == 0) {
      char name[] = "sleep", time[] = "30";
      char* argv[] = {name, time, nullptr};
      fexecve(run, argv, environ);
      _exit(1);
    }
    close(run);
    EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    unlink(path.c_str());
    const KeptProcess* kept = find_exec(bench.sink, pid);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->executable, deleted ? path + " (deleted)" : path);
    EXPECT_EQ(kept->record.executable_deleted, deleted);
    EXPECT_FALSE(kept->record.executable_memfd);
  }
}

INSTANTIATE_TEST_SUITE_P(EachForced, ProcessTier,
                         testing::Values("ebpf", "tracepoint", "audit", "proc-connector", "procfs"),
                         [](const auto& at) {
                           return at.param == std::string_view("proc-connector") ? "connector" : at.param;
                         });

TEST(Collector, FallsBackInOrderAndSaysWhy) {
  CollectorSettings settings;
  settings.process_ring_bytes = 1000;  // no ring has that size: the first tier refuses
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_FALSE(bench.collector.refusals().empty());
  EXPECT_EQ(bench.collector.refusals()[0].tier, "ebpf");
  EXPECT_EQ(bench.collector.refusals()[0].error.where, "agent.settings.ring_bytes");
  if (geteuid() == 0) EXPECT_EQ(bench.collector.tier_in_use(), "audit");
}

TEST(Collector, RefusesATierThatIsNotInItsTable) {
  Bench bench("process", forced("telepathy"));
  const auto started = bench.collector.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::not_found);
  EXPECT_FALSE(bench.collector.running());
}

TEST(Collector, ForcedTierHasNoFallBack) {
  CollectorSettings settings = forced("ebpf");
  settings.process_ring_bytes = 1000;
  Bench bench("process", settings);
  EXPECT_FALSE(bench.collector.start());
}

}  // namespace
}  // namespace picket::agent
