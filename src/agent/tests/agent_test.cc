// The real program against a real TLS and MQTT peer: start, self test, status, and kill -9 under load.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/control.h"
#include "mini_hub.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;

struct Ran {
  int code = -1;
  std::string out;
};

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-agent-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    std::ofstream(directory_ + "/ca.pem") << authority_.pem();
  }
  void TearDown() override {
    if (agent_ > 0) stop(SIGKILL);
    std::filesystem::remove_all(directory_);
  }
  void identify(std::uint16_t port) {
    const std::string path = directory_ + "/connection";
    std::ofstream(path) << "HostName=hub;DeviceId=dev1;SharedAccessKey=a2V5;GatewayHostName=127.0.0.1:" << port << "\n";
    ::chmod(path.c_str(), 0600);
  }
  std::vector<std::string> arguments(std::string command) const {
    return {PICKET_AGENT,
            std::move(command),
            "--data",
            directory_ + "/data",
            "--ca-file",
            directory_ + "/ca.pem",
            "--connection-string-file",
            directory_ + "/connection",
            "--config",
            "/dev/null"};
  }
  /// Starts a child; its output goes to `out_path`.
  static pid_t spawn(const std::vector<std::string>& words, const std::string& out_path) {
    std::vector<char*> raw;
    for (const auto& word : words) raw.push_back(const_cast<char*>(word.c_str()));
    raw.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int out = ::open(out_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(out, 1);
      ::dup2(out, 2);
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    return child;
  }
  static std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Ran run(const std::vector<std::string>& words) {
    const std::string path = directory_ + "/out" + std::to_string(++outputs_);
    int status = 0;
    ::waitpid(spawn(words, path), &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(path)};
  }
  /// Of this build: those that can be turned off.
  std::vector<std::string> collectors() {
    std::vector<std::string> out;
    std::istringstream lines(run({PICKET_AGENT, "settings"}).out);
    std::string table;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("[")) table = line.substr(1, line.size() - 2);
      if (line.starts_with("# enabled = ")) out.push_back(table.substr(std::string_view("collectors.").size()));
    }
    return out;
  }
  /// No collectors: the sequence then holds only what the test makes, and the test needs no privilege.
  void start_agent(const std::vector<std::string>& more = {}) {
    auto words = arguments("run");
    for (const std::string& name : collectors()) {
      words.push_back("--set");
      words.push_back("collectors." + name + ".enabled=false");
    }
    words.insert(words.end(), more.begin(), more.end());
    agent_ = spawn(words, directory_ + "/log");
    for (int i = 0; i < 6'000 && !std::filesystem::exists(socket()); ++i) ::usleep(10'000);
    ASSERT_TRUE(std::filesystem::exists(socket())) << read_text(directory_ + "/log");
  }
  int stop(int signal) {
    ::kill(agent_, signal);
    int status = 0;
    ::waitpid(agent_, &status, 0);
    agent_ = -1;
    return status;
  }
  std::string socket() const { return directory_ + "/data/agent.sock"; }
  /// Asks for a self test and does not wait for its answer. False: nobody listens.
  bool throw_self_test() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX};
    socket().copy(address.sun_path, sizeof address.sun_path - 1);
    const bool sent = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                      ::send(fd, "selftest x\n", 11, MSG_NOSIGNAL) == 11;
    ::close(fd);
    return sent;
  }

  test::TestAuthority authority_;
  std::string directory_;
  pid_t agent_ = -1;
  int outputs_ = 0;
};

TEST_F(AgentTest, SelfTestWaitsForTheHubWithAndWithoutARunningAgent) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  identify(hub.port());
  const Ran alone = run(arguments("selftest"));
  EXPECT_EQ(alone.code, 0) << alone.out;
  EXPECT_THAT(alone.out, HasSubstr("picket alert show alert-1"));
  ASSERT_EQ(hub.arrived().size(), 1u);
  EXPECT_THAT(hub.arrived()[0].body, HasSubstr(R"("Name":"SelfTest")"));

  start_agent();
  auto words = arguments("selftest");
  words.emplace_back("--json");
  const Ran through = run(words);
  EXPECT_EQ(through.code, 0) << through.out;
  EXPECT_THAT(through.out, HasSubstr(R"("acknowledged":true)"));
  EXPECT_THAT(through.out, HasSubstr(R"("alertId":"alert-1")"));
  EXPECT_THAT(hub.method_answers(), testing::Contains("$iothub/methods/res/200/?$rid=7"));
  EXPECT_EQ(hub.arrived().size(), 2u);
  words[1] = "status";
  const Ran status = run(words);
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.out, HasSubstr(R"("state":"connected")"));
  EXPECT_THAT(status.out, HasSubstr(R"("messages":0)"));
  EXPECT_EQ(stop(SIGTERM), 0) << "SIGTERM ends it with exit code 0";
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(AgentTest, SelfTestSaysWhyItFailed) {
  std::uint16_t port = 0;
  {
    test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
    port = hub.port();
    hub.faults.refuse = 5;
    identify(port);
    const Ran refused = run(arguments("selftest"));
    EXPECT_EQ(refused.code, 4);
    EXPECT_THAT(refused.out, HasSubstr("CONNACK 5"));
  }
  auto words = arguments("selftest");
  words.insert(words.end(), {"--timeout", "1s"});
  const Ran gone = run(words);
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.out, HasSubstr("Connection refused"));
}

TEST_F(AgentTest, SelfTestWithoutAConfirmedAlertFailsUnlessOnlyStorageIsAskedFor) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.confirm_self_tests = false;
  identify(hub.port());
  auto words = arguments("selftest");
  words.insert(words.end(), {"--timeout", "2s"});
  const Ran alone = run(words);
  EXPECT_EQ(alone.code, 1) << alone.out;
  EXPECT_THAT(alone.out, HasSubstr("no alert was confirmed"));
  start_agent();
  const Ran through = run(words);
  EXPECT_EQ(through.code, 1) << through.out;
  EXPECT_THAT(through.out, HasSubstr("no alert was confirmed"));
  words.emplace_back("--stored");
  const Ran stored = run(words);
  EXPECT_EQ(stored.code, 0) << stored.out;
  EXPECT_THAT(stored.out, HasSubstr("has stored the test event"));
}

TEST_F(AgentTest, WrongUseIsExplained) {
  identify(1);
  EXPECT_EQ(run({PICKET_AGENT}).code, 2);
  EXPECT_EQ(run({PICKET_AGENT, "--help"}).code, 0);
  EXPECT_EQ(run({PICKET_AGENT, "version"}).code, 0);
  EXPECT_EQ(run({PICKET_AGENT, "settings"}).code, 0);
  const Ran command = run({PICKET_AGENT, "fly"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(command.out, HasSubstr("unknown command 'fly'"));
  const Ran option = run({PICKET_AGENT, "run", "--fast"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.out, HasSubstr("unknown option '--fast'"));
  EXPECT_EQ(run({PICKET_AGENT, "run", "--config", "/does/not/exist"}).code, 2);
  const Ran tier = run({PICKET_AGENT, "run", "--config", "/dev/null", "--tier", "process=magic"});
  EXPECT_EQ(tier.code, 2);
  EXPECT_THAT(tier.out, HasSubstr("procfs"));
  EXPECT_EQ(run({PICKET_AGENT, "status", "--config", "/dev/null", "--data", directory_}).code, 3);
  ::chmod((directory_ + "/connection").c_str(), 0644);
  const Ran open = run(arguments("run"));
  EXPECT_EQ(open.code, 1);
  EXPECT_THAT(open.out, HasSubstr("chmod 600"));
}

TEST_F(AgentTest, ASecondAgentOnTheSameDirectoryIsRefused) {
  identify(1);
  start_agent();
  const Ran second = run(arguments("run"));
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.out, HasSubstr("another agent uses"));
}

TEST_F(AgentTest, EverySpooledMessageArrivesOverKillNineOfTheAgentUnderLoad) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.close_after = 40;  // and the connection breaks now and then
  identify(hub.port());
  std::size_t thrown = 0;
  for (int round = 0; round < 10; ++round) {
    start_agent();
    // A hub that is away for a while, so that the spool fills and is not only passed through.
    hub.faults.refuse = round % 3 == 1 ? 3 : 0;
    for (int i = 0; i < 150 + round * 13; ++i) thrown += throw_self_test() ? 1 : 0;
    stop(SIGKILL);
  }
  hub.faults.refuse = 0;
  start_agent();
  for (int i = 0; i < 300; ++i) {
    const auto status = ask_agent(socket(), "status", Duration::seconds(2));
    if (status && status->contains(R"("messages":0)") && status->contains(R"("state":"connected")")) break;
    ::usleep(100'000);
  }
  stop(SIGTERM);

  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> unique;
  std::map<std::uint64_t, std::uint64_t> last;
  const auto events_of = [](const std::string& body) { return body.substr(body.find(R"("Events":)")); };
  for (const auto& each : hub.arrived()) {
    const auto [at, fresh] = unique.emplace(std::pair(each.epoch, each.sequence), events_of(each.body));
    // A repeat is the same message: the hub can drop it by its id.
    EXPECT_EQ(at->second, events_of(each.body)) << each.message_id;
    last[each.epoch] = std::max(last[each.epoch], each.sequence);
  }
  EXPECT_EQ(last.size(), 1u) << "kill -9 does not end an epoch";
  std::uint64_t sequences = 0;
  for (const auto& [epoch, sequence] : last) sequences += sequence;
  EXPECT_EQ(unique.size(), sequences) << "no sequence that was given is missing";
  std::set<std::string> events;
  for (const auto& [id, text] : unique) events.insert(text);
  EXPECT_EQ(events.size(), unique.size()) << "no event came in two messages";
  EXPECT_GT(unique.size(), thrown / 2);
  EXPECT_LE(unique.size(), thrown);
}

TEST_F(AgentTest, TheModuleTwinChangesTheRunningAgentAndIsKeptForAStartWithoutAHub) {
  {
    test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
    hub.set_twin(R"({"Heartbeat_Disabled":"False","CollectorsCore_PriorityIntervals":"1,2","$version":3})");
    identify(hub.port());
    start_agent();
    for (int i = 0; i < 6'000 && hub.twin_reported().empty(); ++i) ::usleep(10'000);
    EXPECT_THAT(hub.twin_reported(), HasSubstr(R"("latest_state":"failed")"));
    EXPECT_THAT(hub.twin_reported(), HasSubstr(R"("latest_invalid_fields":["CollectorsCore_PriorityIntervals"])"));
    EXPECT_THAT(hub.twin_reported(), HasSubstr(R"("Name":"heartbeat","Tier":"timer")"));
    const auto named = [&hub](std::string_view name) {
      const auto arrived = hub.arrived();
      return std::ranges::any_of(arrived, [&](const test::Arrived& each) { return each.body.contains(name); });
    };
    for (int i = 0; i < 6'000 && !named("ConfigurationError"); ++i) ::usleep(10'000);
    EXPECT_TRUE(named("ConfigurationError"));
    for (int i = 0; i < 6'000 && !named("Heartbeat"); ++i) ::usleep(10'000);
    EXPECT_TRUE(named(R"("Name":"Heartbeat")")) << "the collector has started while the agent runs";
    EXPECT_EQ(stop(SIGTERM), 0);
  }
  identify(1);  // nobody listens there
  std::filesystem::remove(directory_ + "/log");
  start_agent();
  auto words = arguments("status");
  words.emplace_back("--json");
  std::string status;
  for (int i = 0; i < 6'000 && !status.contains(R"("name":"heartbeat","enabled":true)"); ++i) {
    status = run(words).out;
    ::usleep(10'000);
  }
  EXPECT_THAT(status, HasSubstr(R"("name":"heartbeat","enabled":true)")) << read_text(directory_ + "/log");
}

}  // namespace
}  // namespace picket::agent
