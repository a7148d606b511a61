// Tier "uprobe" of dns against the running kernel: a program asks its C library, in a network and with files of its
// own.
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/live.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

// Of this run: others look names up, too.
std::string name_of(const char* what) {
  static const std::string number = std::to_string(getpid());
  return what + number + ".example";
}

/// Puts a file of `text` in place of another, for this mount namespace.
bool replace(const char* path, const std::string& text, const std::string& folder) {
  const std::string mine = folder + "/" + std::string(path).substr(std::string(path).rfind('/') + 1);
  std::ofstream(mine) << text;
  return mount(mine.c_str(), path, nullptr, MS_BIND, nullptr) == 0;
}

/// Answers every question with NXDOMAIN, until the process ends.
void deny_everything(int server) {
  for (;;) {
    unsigned char message[512];
    sockaddr_in client{};
    socklen_t size = sizeof(client);
    const ssize_t n = recvfrom(server, message, sizeof(message), 0, reinterpret_cast<sockaddr*>(&client), &size);
    if (n < 12) continue;
    message[2] = 0x81;  // a response
    message[3] = 0x83;  // RA, NXDOMAIN
    sendto(server, message, static_cast<std::size_t>(n), 0, reinterpret_cast<sockaddr*>(&client), size);
  }
}

void ask(const std::string& name, int want) {
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, nullptr, &found) != want) _exit(6);
  if (found) freeaddrinfo(found);
}

/// Looks up, in a process of its own, a name that a file has and one that nobody has; then it waits to be ended.
pid_t start_asking(const std::string& folder) {
  const std::string known = name_of("known"), denied = name_of("denied");
  const pid_t child = fork();
  if (child != 0) return child;
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 || !NetworkNamespace::up("lo")) _exit(1);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(2);
  if (!replace("/etc/hosts", "192.0.2.7 " + known + "\n2001:db8::7 " + known + "\n", folder)) _exit(3);
  if (!replace("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)) _exit(4);
  const int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) _exit(5);
  std::thread(deny_everything, server).detach();
  ask(known, 0);
  ask("127.0.0.1", 0);  // no look-up
  ask(denied, EAI_NONAME);
  pause();
  _exit(0);
}

std::string self() {
  char path[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  return path;
}

const KeptEvent* find(const Bench& bench, const std::string& begin) {
  for (const KeptEvent& each : bench.sink.events) {
    if (each.items.starts_with(begin)) return &each;
  }
  return nullptr;
}

TEST(DnsUprobe, TellsNameAnswersCodeAndProcess) {
  PICKET_NEEDS_ROOT();
  char folder[] = "/tmp/picket-uprobe-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  for (const char* file : {"/etc/hosts", "/etc/resolv.conf"}) ASSERT_EQ(access(file, F_OK), 0) << file;
  CollectorSettings settings;
  settings.choose("dns").tier = "uprobe";
  Bench bench("dns", settings);
  const auto started = bench.collector.start();
  ASSERT_TRUE(started) << describe(started.error());
  const pid_t child = start_asking(folder);
  const std::string known = R"({"QueryName":")" + name_of("known") + R"(","QueryType":")";
  const std::string denied = R"({"QueryName":")" + name_of("denied") + R"(",)";
  EXPECT_TRUE(bench.run_until([&] { return find(bench, denied) != nullptr; }, 30));
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
  const std::string process = R"("ProcessId":)" + std::to_string(child) + R"(,"Executable":")" + self() + "\"";
  const KeptEvent* v4 = find(bench, known + "A\"");
  ASSERT_NE(v4, nullptr);
  EXPECT_NE(v4->items.find(R"("ResponseCode":"NOERROR","Answers":["192.0.2.7"],)" + process), std::string::npos)
      << v4->items;
  EXPECT_NE(v4->items.find(R"("Source":"uprobe")"), std::string::npos) << v4->items;
  EXPECT_FALSE(v4->record.failed);
  const KeptEvent* v6 = find(bench, known + "AAAA\"");
  ASSERT_NE(v6, nullptr);
  EXPECT_NE(v6->items.find(R"("Answers":["2001:db8::7"],)" + process), std::string::npos) << v6->items;
  const KeptEvent* none = find(bench, denied);
  ASSERT_NE(none, nullptr);
  EXPECT_NE(none->items.find(R"("ResponseCode":"NXDOMAIN",)" + process), std::string::npos) << none->items;
  EXPECT_TRUE(none->record.failed);
  EXPECT_EQ(find(bench, R"({"QueryName":"127.0.0.1)"), nullptr);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  for (const char* file : {"/hosts", "/resolv.conf"}) unlink((std::string(folder) + file).c_str());
  rmdir(folder);
}

}  // namespace
}  // namespace picket::agent
