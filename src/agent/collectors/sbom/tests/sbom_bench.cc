// What one whole software snapshot costs. Input: this machine's dpkg status, repeated under other names up to COUNT
// packages (default 1,136), in a root of its own. Prints sbom_packages, sbom_cpu_ms (CPU of the scan, all turns),
// sbom_turn_ms (the longest turn of the loop, wall), sbom_rss_kib (peak above what the process had before).
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "agent/collector.h"
#include "base/core/file.h"

namespace {

using namespace picket;
using namespace picket::agent;

class Counting final : public RecordSink {
 public:
  void emit(const ProcessRecord&) override {}
  void emit(const ConnectionRecord&) override {}
  void emit(const LoginRecord&) override {}
  void emit(const SystemRecord&) override {}
  void emit(const HeartbeatRecord&) override {}
  void emit(const StatisticsRecord&) override {}
  void emit(const EventRecord& record) override { bytes += record.items.size(); }
  std::size_t bytes = 0;
};

long status_kib(const char* name) {
  const std::string text = read_file("/proc/self/status", 65536).value_or("");
  const auto at = text.find(name);
  return at == std::string::npos ? 0 : std::atol(text.c_str() + at + std::string_view(name).size());
}
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::size_t write_status(const std::string& path, std::size_t count) {
  const std::string whole = read_file("/var/lib/dpkg/status", 64 << 20).value_or("");
  std::ofstream out(path);
  std::size_t packages = 0;
  for (int round = 0; packages < count && !whole.empty(); ++round) {
    std::string_view rest(whole);
    while (!rest.empty() && packages < count) {
      const auto end = rest.find("\n\n");
      std::string stanza(rest.substr(0, end));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
      if (!stanza.starts_with("Package: ") || !stanza.contains("\nStatus: install ok installed\n")) continue;
      if (round > 0) stanza.insert(stanza.find('\n'), "-" + std::to_string(round));
      out << stanza << "\n\n";
      ++packages;
    }
    if (packages == 0) break;
  }
  return packages;
}

}  // namespace

int main(int argc, char** argv) {
  std::string root = "/tmp/picket-sbom-bench-XXXXXX";
  if (mkdtemp(root.data()) == nullptr) return 1;
  std::filesystem::create_directories(root + "/var/lib/dpkg");
  const std::size_t packages =
      write_status(root + "/var/lib/dpkg/status", argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1136);
  CollectorSettings settings;
  settings.root = root;
  settings.state_dir = root;
  Counting sink;
  const CollectorSpec* spec = nullptr;
  for (const CollectorSpec& each : collector_table()) {
    if (each.name == "sbom") spec = &each;
  }
  if (spec == nullptr) return 1;
  Collector collector(*spec, {settings, system_clock(), sink});
  if (!collector.start()) return 1;
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const long before_kib = status_kib("VmRSS:");
  const double before = cpu_ms();
  double turn_max = 0;
  for (;;) {
    const auto begin = system_clock().monotonic();
    const Duration next = collector.on_timer();
    turn_max = std::max(turn_max, static_cast<double>((system_clock().monotonic() - begin).us) / 1e3);
    if (next > Duration::seconds(1)) break;
  }
  std::printf("sbom_packages %zu\nsbom_cpu_ms %.1f\nsbom_turn_ms %.1f\nsbom_rss_kib %ld\nsbom_event_kib %zu\n",
              packages, cpu_ms() - before, turn_max, status_kib("VmHWM:") - before_kib, sink.bytes >> 10);
  std::filesystem::remove_all(root);
  return 0;
}
