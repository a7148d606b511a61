// Login collector against a real sshd on loopback, each tier forced. Makes a user for the test and removes it.
#include "tests/live.h"

#include <fstream>
#include <optional>

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pty.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/core/file.h"

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
    start();
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
  /// The same server anew, in the namespaces that this process has now.
  bool restart() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    start();
    return answers();
  }
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
  void start() {
    pid_ = spawn({"/usr/sbin/sshd", "-D", "-f", folder + "/config", "-E", log()});
    for (int i = 0; made_ && i < 200 && !answers(); ++i) usleep(50'000);
  }
  bool answers() const {
    const UniqueFd fd{socket(AF_INET, SOCK_STREAM, 0)};
    const auto at = address(port);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0;
  }
  pid_t pid_ = -1;
  bool made_ = false;
};

// PAM's settings with the lines of docs/agent.md, for this process and its children only.
class PamLog {
 public:
  explicit PamLog(const std::string& folder) : path(folder + "/pam.log") {
    const std::string copy = folder + "/pam.d";
    ready_ = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             run({"cp", "-a", "/etc/pam.d", copy}) == 0;
    std::ofstream(path).flush();
    chmod(path.c_str(), 0600);
    auto auth = read_file(copy + "/common-auth", 1 << 16);
    ready_ = ready_ && auth.has_value();
    if (!ready_) return;
    const auto at = auth->find("pam_unix.so");
    const auto jump = auth->find("success=1");
    const auto end = auth->find('\n', at) + 1;
    ready_ = at != std::string::npos && jump != std::string::npos && jump < at;
    if (!ready_) return;
    auth->insert(end, line("auth", "2"));
    auth->replace(jump, 9, "success=2");
    std::ofstream(copy + "/common-auth") << *auth;
    for (const char* file : {"/common-session", "/common-session-noninteractive"}) {
      std::ofstream(copy + file, std::ios::app) << line("session", "$c");
    }
    ready_ = mount(copy.c_str(), "/etc/pam.d", nullptr, MS_BIND, nullptr) == 0;
  }
  ~PamLog() { umount2("/etc/pam.d", MNT_DETACH); }
  bool ready() const { return ready_; }
  const std::string path;

 private:
  // From the manual itself, so that it stays true.
  std::string line(const std::string& kind, const std::string& code) const {
    const auto manual = read_file(PICKET_SOURCE_DIR "/docs/agent.md", 1 << 20);
    EXPECT_TRUE(manual);
    const std::string begin = kind + " optional pam_exec.so ";
    const auto at = manual->find(begin);
    EXPECT_NE(at, std::string::npos) << begin;
    std::string text = manual->substr(at, manual->find('\n', at) + 1 - at);
    EXPECT_NE(text.find("," + code + ","), std::string::npos);
    const std::string usual = "/var/log/picket-pam.log";
    text.replace(text.find(usual), usual.size(), path);
    return text;
  }
  bool ready_ = false;
};

class LoginTier : public testing::TestWithParam<const char*> {};

TEST_P(LoginTier, OneFailureIsOneRecordAndOneSuccessIsOne) {
  PICKET_NEEDS_ROOT();
  Sshd sshd;
  ASSERT_TRUE(sshd.ready()) << "sshd, sshpass, useradd and chpasswd are needed";
  CollectorSettings settings;
  settings.choose("login").tier = GetParam();
  settings.auth_log = sshd.log();
  std::optional<PamLog> pam;
  if (std::string_view(GetParam()) == "pam-log") {
    pam.emplace(sshd.folder);
    ASSERT_TRUE(pam->ready());
    settings.pam_log = pam->path;
    ASSERT_TRUE(sshd.restart()) << "in the mount namespace of PAM's settings";
  }
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
    EXPECT_TRUE(bench.run_until([&] { return count(kind, user) >= wanted; })) << user;
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

INSTANTIATE_TEST_SUITE_P(EachForced, LoginTier, testing::Values("audit", "pam-log", "accounting", "log"),
                         [](const auto& at) { return at.param == std::string_view("pam-log") ? "pam" : at.param; });

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

// Runs a program as `user` (or as we are) with its own terminal, and types `lines` as they are asked for.
int type_into(const std::string& user, const std::vector<std::string>& argv,
              const std::vector<std::pair<std::string, std::string>>& lines, std::string* terminal = nullptr) {
  int master = -1;
  const pid_t pid = forkpty(&master, nullptr, nullptr, nullptr);
  if (pid == 0) {
    const passwd* entry = user.empty() ? nullptr : getpwnam(user.c_str());
    if (entry &&
        (initgroups(user.c_str(), entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)) {
      _exit(126);
    }
    std::vector<char*> raw;
    for (const auto& text : argv) raw.push_back(const_cast<char*>(text.c_str()));
    raw.push_back(nullptr);
    execv(raw[0], raw.data());
    _exit(127);
  }
  char name[64] = {};
  ptsname_r(master, name, sizeof(name));
  if (terminal) *terminal = name;
  std::string seen;
  std::size_t next = 0;
  for (;;) {
    char buffer[256];
    pollfd waiting{.fd = master, .events = POLLIN};
    if (poll(&waiting, 1, 60'000) <= 0) kill(pid, SIGKILL);  // it asks for something else
    const ssize_t n = read(master, buffer, sizeof(buffer));
    if (n <= 0) break;  // the last one has closed it
    seen.append(buffer, static_cast<std::size_t>(n));
    if (next == lines.size() || seen.find(lines[next].first) == std::string::npos) continue;
    const std::string line = lines[next++].second + "\n";
    usleep(200'000);  // PAM throws away what was typed before it asks
    if (write(master, line.data(), line.size()) < 0) break;
    seen.clear();
  }
  const int code = wait_for(pid);
  close(master);
  return code;
}

long count_of(const Bench& bench, Kind kind, const std::string& user, const std::string& program,
              const std::string& by) {
  return std::ranges::count_if(bench.sink.logins, [&](const KeptLogin& kept) {
    return kept.record.kind == kind && kept.user == user && kept.executable.ends_with(program) && kept.by == by;
  });
}

// For people who look for a fault.
std::string told(const Bench& bench) {
  std::string out;
  for (const KeptLogin& kept : bench.sink.logins) {
    static constexpr const char* kNames[] = {"login", "failed", "logout"};
    out += std::string(kNames[static_cast<int>(kept.record.kind)]) + " " + kept.user + " by '" + kept.by + "' " +
           kept.executable + " " + kept.operation + " pid " + std::to_string(kept.record.pid) + "\n";
  }
  return out;
}

class LoginBecome : public testing::TestWithParam<const char*> {};

TEST_P(LoginBecome, SuAndSudoAreToldWithWhoAsked) {
  PICKET_NEEDS_ROOT();
  const Sshd account;  // for its user; and root is who it becomes
  ASSERT_TRUE(account.ready());
  const std::string& ada = account.user;
  // sudo's settings for this process and its children only.
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  const std::string sudoers = account.folder + "/sudoers";
  std::ofstream(sudoers) << "Defaults !lecture, timestamp_timeout=0\nroot ALL=(ALL) ALL\n" << ada << " ALL=(ALL) ALL\n";
  chmod(sudoers.c_str(), 0440);
  ASSERT_EQ(mount(sudoers.c_str(), "/etc/sudoers", nullptr, MS_BIND, nullptr), 0) << "sudo is needed";
  CollectorSettings settings;
  settings.choose("login").tier = GetParam();
  std::optional<PamLog> pam;
  if (std::string_view(GetParam()) == "pam-log") {
    pam.emplace(account.folder);
    ASSERT_TRUE(pam->ready());
    settings.pam_log = pam->path;
  }
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);

  EXPECT_EQ(type_into(ada, {"/usr/bin/sudo", "-k", "true"}, {{"password for", "right-password"}}), 0);
  EXPECT_TRUE(bench.run_until([&] { return count_of(bench, Kind::logout, "root", "sudo", ada) == 1; }, 20));
  EXPECT_EQ(count_of(bench, Kind::login, "root", "sudo", ada), 1);

  EXPECT_NE(type_into(ada, {"/usr/bin/sudo", "-k", "-p", "password for", "true"},
                      {{"password for", "wrong"}, {"password for", "wrong"}, {"password for", "wrong"}}),
            0);
  EXPECT_TRUE(bench.run_until([&] { return count_of(bench, Kind::login_failed, ada, "sudo", "") == 3; }, 20))
      << told(bench);

  EXPECT_EQ(type_into(ada, {"/usr/bin/su", "-c", "true", ada}, {{"assword:", "right-password"}}), 0);
  EXPECT_TRUE(bench.run_until([&] { return count_of(bench, Kind::logout, ada, "su", "") == 1; }, 20));
  EXPECT_EQ(count_of(bench, Kind::login, ada, "su", ""), 1);
  EXPECT_NE(type_into(ada, {"/usr/bin/su", "-c", "true", "root"}, {{"assword:", "wrong"}}), 0);
  EXPECT_TRUE(bench.run_until([&] { return count_of(bench, Kind::login_failed, "root", "su", ada) == 1; }, 20));

  // What root does is none.
  const auto before = bench.sink.logins.size();
  EXPECT_EQ(run({"/usr/bin/su", "-c", "true", ada}), 0);
  EXPECT_EQ(run({"/usr/bin/sudo", "-u", ada, "true"}), 0);
  bench.run_for(1);
  const auto of_root =
      std::ranges::count_if(bench.sink.logins.begin() + static_cast<std::ptrdiff_t>(before), bench.sink.logins.end(),
                            [&](const KeptLogin& kept) { return kept.user == ada; });
  EXPECT_EQ(of_root, 0);
  umount2("/etc/sudoers", MNT_DETACH);
}

TEST_P(LoginBecome, AConsoleLoginBeginsAndEnds) {
  PICKET_NEEDS_ROOT();
  const Sshd account;
  ASSERT_TRUE(account.ready());
  CollectorSettings settings;
  settings.choose("login").tier = GetParam();
  std::optional<PamLog> pam;
  if (std::string_view(GetParam()) == "pam-log") {
    pam.emplace(account.folder);
    ASSERT_TRUE(pam->ready());
    settings.pam_log = pam->path;
  }
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start());
  std::string terminal;
  type_into("", {"/usr/bin/login"},
            {{"login:", account.user},
             {"assword:", "wrong"},
             {"login:", account.user},
             {"assword:", "right-password"},
             {"$", "exit"}},
            &terminal);
  EXPECT_TRUE(bench.run_until([&] { return count_of(bench, Kind::logout, account.user, "login", "") == 1; }, 20));
  EXPECT_EQ(count_of(bench, Kind::login, account.user, "login", ""), 1);
  EXPECT_EQ(count_of(bench, Kind::login_failed, account.user, "login", ""), 1);
  for (const KeptLogin& kept : bench.sink.logins) {
    if (kept.user != account.user || kept.record.kind != Kind::login) continue;
    EXPECT_TRUE(kept.terminal.ends_with(terminal.substr(5))) << kept.terminal;
    EXPECT_EQ(kept.record.remote.length, 0);
    EXPECT_NE(kept.record.pid, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(EachForced, LoginBecome, testing::Values("audit", "pam-log"),
                         [](const auto& at) { return at.param == std::string_view("pam-log") ? "pam" : at.param; });

TEST(LoginPamLog, IsNotBelievedWhenOthersCanWriteIt) {
  char path[] = "/tmp/picket-pam-XXXXXX";
  const int fd = mkstemp(path);
  close(fd);
  CollectorSettings settings;
  settings.choose("login").tier = "pam-log";
  settings.pam_log = path;
  chmod(path, 0666);
  Bench bench("login", settings);
  const auto started = bench.collector.start();
  EXPECT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::denied);
  unlink(path);
}

TEST(LoginPamLog, FollowsARotatedLog) {
  PICKET_NEEDS_ROOT();
  char folder[] = "/tmp/picket-pam-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/pam.log";
  const auto write = [&](const std::string& user) {
    std::ofstream(path, std::ios::app) << "2026-11-22T09:11:18+0100,0,0,open_session,sshd," << user
                                       << ",192.0.2.7,ssh,0,pid=7,ses=12,by=\n";
  };
  write("old");  // stood there before
  CollectorSettings settings;
  settings.choose("login").tier = "pam-log";
  settings.pam_log = path;
  Bench bench("login", settings);
  ASSERT_TRUE(bench.collector.start());
  write("first");
  EXPECT_TRUE(bench.run_until([&] { return bench.sink.logins.size() == 1; }));
  std::rename(path.c_str(), (path + ".1").c_str());
  write("second");
  EXPECT_TRUE(bench.run_until([&] { return bench.sink.logins.size() == 2; }));
  ASSERT_EQ(bench.sink.logins.size(), 2u);
  EXPECT_EQ(bench.sink.logins[0].user, "first");
  EXPECT_EQ(bench.sink.logins[1].user, "second");
  EXPECT_EQ(bench.sink.logins[1].record.session, 12u);
  EXPECT_EQ(bench.sink.logins[1].record.pid, 7u);
  EXPECT_EQ(bench.sink.logins[1].record.remote, (IpAddress{{192, 0, 2, 7}, 4}));
  run({"rm", "-rf", folder});
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
  // Others of this machine may log in meanwhile.
  const auto ours = [&] {
    auto out = bench.sink.logins;
    std::erase_if(out, [&](const auto& each) { return each.user != sshd.user; });
    return out;
  };
  EXPECT_TRUE(bench.run_until([&] { return ours().size() >= 2; }));
  wait_for(client);
  bench.run_for(1);
  const auto logins = ours();
  ASSERT_EQ(logins.size(), 2u);
  EXPECT_EQ(logins[0].record.kind, Kind::login);
  EXPECT_TRUE(logins[0].record.uid_known);
  EXPECT_NE(logins[0].record.session, 0u);
  EXPECT_EQ(logins[1].record.kind, Kind::logout);
}

}  // namespace
}  // namespace picket::agent
