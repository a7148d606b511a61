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

#include "agent/control.h"
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

/// Time on a CPU of a process of one thread, microseconds, as the scheduler counts it.
long cpu_us(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
  long ns = 0;
  file >> ns;
  return ns / 1000;
}

void print(const char* metric, long value, const char* unit) { std::printf("%s %ld %s\n", metric, value, unit); }

/// A counter of the running agent's status, summed over where it stands.
long counted(const std::string& data, const std::string& name) {
  const auto status = picket::agent::ask_agent(data + "/agent.sock", "status", Duration::seconds(5));
  long sum = 0;
  if (!status) return sum;
  const std::string key = "\"" + name + "\":";
  for (auto at = status->find(key); at != std::string::npos; at = status->find(key, at + 1)) {
    sum += std::strtol(status->c_str() + at + key.size(), nullptr, 10);
  }
  return sum;
}

void report(const std::string& when, pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/smaps_rollup";
  print(("agent_pss_" + when + "_kib").c_str(), field_of(path, "Pss:"), "KiB");
  print(("agent_rss_" + when + "_kib").c_str(), field_of(path, "Rss:"), "KiB");
}

/// An agent of its own, connected to a hub of its own.
class Agent {
 public:
  Agent(const char* program, bool watch_kernel) : hub_(authority_.issue("IP:127.0.0.1")) {
    folder_ = (std::filesystem::temp_directory_path() / "picket-footprint-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) std::exit(1);
    std::ofstream(folder_ + "/ca.pem") << authority_.pem();
    std::ofstream(folder_ + "/connection")
        << "HostName=h;DeviceId=d;SharedAccessKey=a2V5;GatewayHostName=127.0.0.1:" << hub_.port();
    ::chmod((folder_ + "/connection").c_str(), 0600);
    std::ofstream config(folder_ + "/agent.toml");
    config << "data_dir = \"" << data() << "\"\nca_file = \"" << folder_ << "/ca.pem\"\nconnection_string_file = \""
           << folder_ << "/connection\"\n";
    for (const char* each : {"process", "network", "login"}) {
      if (!watch_kernel) config << "[collectors." << each << "]\nenabled = false\n";
    }
    config.close();
    const std::string path = folder_ + "/agent.toml", log = folder_ + "/log";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT, 0600), 2);
      ::execl(program, program, "run", "--config", path.c_str(), nullptr);
      ::_exit(127);
    }
    std::this_thread::sleep_for(std::chrono::seconds(5));
  }
  ~Agent() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::ifstream log(folder_ + "/log");
    std::fprintf(stderr, "%s", std::string((std::istreambuf_iterator<char>(log)), {}).c_str());
    std::filesystem::remove_all(folder_);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string data() const { return folder_ + "/data"; }
  [[nodiscard]] const picket::agent::test::MiniHub& hub() const { return hub_; }

 private:
  picket::agent::test::TestAuthority authority_;
  picket::agent::test::MiniHub hub_;
  std::string folder_;
  pid_t pid_ = 0;
};

/// Costs of `seconds` in which the bench itself does nothing; what others do on this machine is counted beside it.
void measure_idle(const std::string& name, const Agent& agent, int seconds) {
  const long records = counted(agent.data(), "seen"), before = cpu_us(agent.pid());
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const long used = cpu_us(agent.pid()) - before;
  print(("agent_cpu_" + name + "_us").c_str(), used, "us");
  print(("agent_cpu_" + name + "_ppm").c_str(), used / seconds, "ppm_of_a_core");
  print(("agent_records_" + name).c_str(), counted(agent.data(), "seen") - records, "count");
}

/// Starts programs and refused connects, one after another, as fast as the machine can. Returns how many of each.
long make_load(int seconds) {
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
  return starts;
}

}  // namespace

/// Usage: agent_footprint_bench [SECONDS [PROGRAM]]
int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
  const char* program = argc > 2 ? argv[2] : PICKET_AGENT;
  print("agent_binary_bytes", static_cast<long>(std::filesystem::file_size(program)), "bytes_with_symbols");
  {
    const Agent quiet(program, false);
    measure_idle("quiet", quiet, seconds);
  }
  const Agent agent(program, true);
  report("idle", agent.pid());
  measure_idle("idle", agent, seconds);

  const long before = cpu_us(agent.pid()), records = counted(agent.data(), "seen");
  print("load_starts", make_load(seconds), "count");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  report("load", agent.pid());
  print("agent_cpu_load_us", cpu_us(agent.pid()) - before, "us");
  print("agent_records_load", counted(agent.data(), "seen") - records, "count");
  print("agent_records_lost", counted(agent.data(), "droppedKernel") + counted(agent.data(), "droppedUser"), "count");
  print("peak_rss_kib", field_of("/proc/" + std::to_string(agent.pid()) + "/status", "VmHWM:"), "KiB");
  print("messages_arrived", static_cast<long>(agent.hub().arrived().size()), "count");
  return 0;
}
