// Login collector against a real sshd on loopback, each tier forced. Makes a user for the test and removes it.
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/core/file.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

extern "C" char** environ;
using Kind = LoginRecord::Kind;

pid_t spawn(const std::vector<std::string>& argv, int in = -1) {
  std::vector<char*> raw;
  for (const auto& text : argv) raw.push_back(const_cast<char*>(text.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int wait_for(pid_t pid) {
  int status = -1;
  if (pid > 0) waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run(const std::vector<std::string>& argv) { return wait_for(spawn(argv)); }

/// An sshd of its own with its own key, port, log and user; everything is gone after it.
class Sshd {
 public:
  Sshd() : user("pkt" + std::to_string(getpid() % 100000)) {
    char pattern[] = "/tmp/picket-sshd-XXXXXX";
    folder = mkdtemp(pattern);
    port = free_port();
    made_ = run({"/usr/sbin/useradd", "-m", "-d", folder + "/home", "-s", "/bin/sh", user}) == 0;
    int pipe_fds[2];
    if (pipe(pipe_fds) == 0) {
      const std::string line = user + ":right-password\n";
      EXPECT_EQ(write(pipe_fds[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
      close(pipe_fds[1]);
      made_ = made_ && wait_for(spawn({"/usr/sbin/chpasswd"}, pipe_fds[0])) == 0;
      close(pipe_fds[0]);
    }
    made_ = made_ && run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder + "/key"}) == 0;
    mkdir("/run/sshd", 0755);
    std::ofstream(folder + "/config") << "Port " << port << "\nListenAddress 127.0.0.1\nHostKey " << folder
                                      << "/key\nUsePAM yes\nPidFile none\nPasswordAuthentication yes\n";
    std::ofstream(log()).flush();
    pid_ = spawn({"/usr/sbin/sshd", "-D", "-f", folder + "/config", "-E", log()});
    for (int i = 0; made_ && i < 200 && !answers(); ++i) usleep(50'000);
  }
  ~Sshd() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    run({"/usr/sbin/userdel", "-r", user});
    run({"rm", "-rf", folder});
  }
  bool ready() const { return made_; }
  std::string log() const { return folder + "/log"; }

  pid_t begin(const std::string& password, const std::string& as, bool terminal = false) const {
    std::vector<std::string> argv{"sshpass", "-p", password, "ssh"};
    if (terminal) argv.emplace_back("-tt");
    for (const char* option : {"StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "NumberOfPasswordPrompts=1",
                               "PubkeyAuthentication=no", "GSSAPIAuthentication=no"}) {
      argv.insert(argv.end(), {"-o", option});
    }
    argv.insert(argv.end(), {"-p", std::to_string(port), as + "@127.0.0.1", "true"});
    return spawn(argv);
  }

  std::string user, folder;
  std::uint16_t port = 0;

 private:
  static sockaddr_in address(std::uint16_t port) {
    return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  }
  static std::uint16_t free_port() {
    for (std::uint16_t port = static_cast<std::uint16_t>(21000 + getpid() % 9000);; ++port) {
      const UniqueFd fd{socket(AF_INET, SOCK_STREAM, 0)};
      const auto at = address(port);
      if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0) return port;
    }
  }
  bool answers() const {
    const UniqueFd fd{socket(AF_INET, SOCK_STREAM, 0)};
    const auto at = address(port);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0;
  }
  pid_t pid_ = -1;
  bool made_ = false;
};

class LoginTier : public testing::TestWithParam<const char*> {};

TEST_P(LoginTier, OneFailureIsOneRecordAndOneSuccessIsOne) {
  PICKET_NEEDS_ROOT();
  const Sshd sshd;
  ASSERT_TRUE(sshd.ready()) << "sshd, sshpass, useradd and chpasswd are needed";
  CollectorSettings settings;
  settings.choose("login").tier = GetParam();
  settings.auth_log = sshd.log();
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  const auto count = [&](Kind kind, const std::string& user) {
    return std::count_if(bench.sink.logins.begin(), bench.sink.logins.end(),
                         [&](const KeptLogin& kept) { return kept.record.kind == kind && kept.user == user; });
  };
  const std::string stranger = "no" + sshd.user;
  // Others may log in on this machine meanwhile.
  const auto ours = [&] {
    std::vector<KeptLogin> out;
    std::ranges::copy_if(bench.sink.logins, std::back_inserter(out),
                         [&](const KeptLogin& kept) { return kept.user == sshd.user || kept.user == stranger; });
    return out;
  };
  const auto attempt = [&](const std::string& password, const std::string& user, Kind kind, long wanted) {
    // wtmp knows sessions with a terminal only: that is what its tier promises.
    const pid_t client = sshd.begin(password, user, kind == Kind::login);
    EXPECT_TRUE(bench.run_until([&] { return count(kind, user) >= wanted; }, 20)) << user;
    wait_for(client);
    bench.run_for(3);  // what repeats it comes up to two seconds later
    EXPECT_EQ(count(kind, user), wanted) << user;
  };
  attempt("wrong", sshd.user, Kind::login_failed, 1);
  attempt("wrong", sshd.user, Kind::login_failed, 2);
  attempt("wrong", stranger, Kind::login_failed, 1);
  EXPECT_EQ(ours().size(), 3u);
  attempt("right-password", sshd.user, Kind::login, 1);
  EXPECT_TRUE(bench.run_until([&] { return count(Kind::logout, sshd.user) == 1; }));
  EXPECT_EQ(ours().size(), 5u);

  for (const KeptLogin& kept : ours()) {
    EXPECT_EQ(kept.record.origin.tier, GetParam());
    EXPECT_EQ(kept.record.remote, (IpAddress{{127, 0, 0, 1}, 4}));
    if (kept.record.kind != Kind::logout) EXPECT_TRUE(kept.executable.ends_with("sshd"));
  }
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.delivered, bench.sink.logins.size());
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
}

INSTANTIATE_TEST_SUITE_P(EachForced, LoginTier, testing::Values("audit", "accounting", "log"),
                         [](const auto& at) { return at.param; });

TEST(LoginWtmp, SeesSessionsWithATerminalAndNoFailures) {
  PICKET_NEEDS_ROOT();
  const Sshd sshd;
  ASSERT_TRUE(sshd.ready());
  CollectorSettings settings;
  settings.choose("login").tier = "wtmp";
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  const auto count = [&](Kind kind) {
    return std::count_if(bench.sink.logins.begin(), bench.sink.logins.end(), [&](const KeptLogin& kept) {
      return kept.record.kind == kind && kept.user == sshd.user && kept.record.origin.tier == "wtmp";
    });
  };
  wait_for(sshd.begin("wrong", sshd.user));
  const pid_t client = sshd.begin("right-password", sshd.user, true);
  EXPECT_TRUE(bench.run_until([&] { return count(Kind::login) == 1; }, 20));
  wait_for(client);
  EXPECT_TRUE(bench.run_until([&] { return count(Kind::logout) == 1; }, 20));
  EXPECT_EQ(count(Kind::login_failed), 0);
  EXPECT_EQ(count(Kind::login), 1);
}

TEST(LoginAudit, SeesALoginWithoutATerminal) {
  PICKET_NEEDS_ROOT();
  const Sshd sshd;
  ASSERT_TRUE(sshd.ready());
  CollectorSettings settings;
  settings.choose("login").tier = "audit";
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start());
  const pid_t client = sshd.begin("right-password", sshd.user);
  EXPECT_TRUE(bench.run_until([&] { return bench.sink.logins.size() >= 2; }, 20));
  wait_for(client);
  bench.run_for(1);
  ASSERT_EQ(bench.sink.logins.size(), 2u);
  EXPECT_EQ(bench.sink.logins[0].record.kind, Kind::login);
  EXPECT_TRUE(bench.sink.logins[0].record.uid_known);
  EXPECT_NE(bench.sink.logins[0].record.session, 0u);
  EXPECT_EQ(bench.sink.logins[1].record.kind, Kind::logout);
}

}  // namespace
}  // namespace picket::agent
