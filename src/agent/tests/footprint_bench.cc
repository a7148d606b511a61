// What the agent costs, with all collectors and a TLS connection: idle, and while programs start and connect.
// Prints `metric value unit` lines. Run as root for the best tiers.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/time.h"
#include "mini_hub.h"

namespace {

using picket::Duration;

long field_of(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtol(line.c_str() + name.size(), nullptr, 10);
  }
  return 0;
}

/// User and system time of a process, milliseconds.
long cpu_ms(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  long user = 0, system = 0;
  std::sscanf(text.c_str() + text.rfind(')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
              &system);
  return (user + system) * 1000 / ::sysconf(_SC_CLK_TCK);
}

void print(const char* metric, long value, const char* unit) { std::printf("%s %ld %s\n", metric, value, unit); }

void report(const std::string& when, pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/smaps_rollup";
  print(("agent_pss_" + when + "_kib").c_str(), field_of(path, "Pss:"), "KiB");
  print(("agent_rss_" + when + "_kib").c_str(), field_of(path, "Rss:"), "KiB");
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
  const picket::agent::test::TestAuthority authority;
  picket::agent::test::MiniHub hub(authority.issue("IP:127.0.0.1"));
  std::string directory = (std::filesystem::temp_directory_path() / "picket-footprint-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  std::ofstream(directory + "/ca.pem") << authority.pem();
  std::ofstream(directory + "/connection")
      << "HostName=h;DeviceId=d;SharedAccessKey=a2V5;GatewayHostName=127.0.0.1:" << hub.port();
  ::chmod((directory + "/connection").c_str(), 0600);
  const std::string data = directory + "/data", ca = directory + "/ca.pem", identity = directory + "/connection";
  const pid_t agent = ::fork();
  if (agent == 0) {
    const int log = ::open((directory + "/log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(log, 2);
    ::execl(PICKET_AGENT, PICKET_AGENT, "run", "--data", data.c_str(), "--ca-file", ca.c_str(),
            "--connection-string-file", identity.c_str(), "--config", "/dev/null", nullptr);
    ::_exit(127);
  }
  std::this_thread::sleep_for(std::chrono::seconds(5));
  print("agent_binary_bytes", static_cast<long>(std::filesystem::file_size(PICKET_AGENT)), "bytes_with_symbols");
  report("idle", agent);
  const long idle_before = cpu_ms(agent);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  print("agent_cpu_idle_ms", cpu_ms(agent) - idle_before, "ms");

  const long before = cpu_ms(agent);
  const auto& clock = picket::system_clock();
  const Duration end = clock.monotonic() + Duration::seconds(seconds);
  long starts = 0;
  while (clock.monotonic() < end) {
    const std::string different = std::to_string(starts % 4'000);
    const char* words[] = {"true", different.c_str(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, "/bin/true", nullptr, nullptr, const_cast<char**>(words), environ) == 0) {
      ::waitpid(child, nullptr, 0);
      ++starts;
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(1 + starts % 1'000))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(fd);
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  report("load", agent);
  print("agent_cpu_load_ms", cpu_ms(agent) - before, "ms");
  print("load_starts", starts, "count");
  print("peak_rss_kib", field_of("/proc/" + std::to_string(agent) + "/status", "VmHWM:"), "KiB");
  print("messages_arrived", static_cast<long>(hub.arrived().size()), "count");
  ::kill(agent, SIGTERM);
  ::waitpid(agent, nullptr, 0);
  std::ifstream log(directory + "/log");
  std::fprintf(stderr, "%s", std::string((std::istreambuf_iterator<char>(log)), {}).c_str());
  std::filesystem::remove_all(directory);
  return 0;
}
