// Mining by what it does to a device, whatever it is called: two of three signs within a day. A program that keeps a
// processor busy; a long connection with little traffic, or one to a port of mining pools; a processor tuned for it.
#include <array>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/process_rule.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

constexpr Duration kDay = Duration::hours(24);
constexpr Duration kBusyMin = Duration::minutes(10);  ///< spec: threat catalogue, crypto miner.
constexpr std::int64_t kBusyPercentMin = 80;
constexpr std::int64_t kFlowBytesPerSecondMax = 1'024;
/// Ports on which pools listen for stratum.
constexpr std::array<std::string_view, 9> kPoolPorts{"3333",  "4444",  "5555",  "7777", "14433",
                                                     "14444", "45700", "45560", "3334"};
/// Settings of a processor that only mining and a few databases ask for.
constexpr std::array<std::string_view, 4> kTuning{"nr_hugepages", "wrmsr", "modprobe msr", "/dev/cpu/0/msr"};
/// Long connections with little traffic are everyday work on these ports: shells, mail, messages of devices, our own.
constexpr std::array<std::string_view, 10> kQuietPorts{"22",   "53",   "123",  "143",  "993",
                                                       "1883", "5222", "5671", "5672", "8883"};
constexpr std::size_t kDevicesMax = 16'384;

enum Sign : std::uint8_t { kBusy, kFlow, kTuned, kSigns };
constexpr std::array<std::string_view, kSigns> kNames{"busy processor", "pool connection", "tuned processor"};

struct Signs {
  std::array<Timestamp, kSigns> seen{};
  std::array<std::string, kSigns> what{};
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.seen[0], self.seen[1], self.seen[2], self.what[0], self.what[1], self.what[2], self.last);
  }
};

bool among(const auto& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

class Miner final : public RememberingDetector<Signs> {
 public:
  Miner() : RememberingDetector("behavior.miner", kDevicesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kDay); }

 private:
  void note(Sign sign, std::string what, const DetectorEvent& event, std::vector<Finding>& findings);
  /// Only an end of a process tells what it took.
  static bool was_busy(const DetectorEvent& event, std::string& what);
  static bool is_pool(const DetectorEvent& event, std::string& what);
};

bool Miner::was_busy(const DetectorEvent& event, std::string& what) {
  const auto details = event.details();
  const auto used = details ? details->find("CpuTimeMs") : std::nullopt;
  const auto lasted = details ? details->find("DurationMs") : std::nullopt;
  const std::int64_t cpu_ms = used ? used->integer().value_or(0) : 0;
  const std::int64_t whole_ms = lasted ? lasted->integer().value_or(0) : 0;
  if (whole_ms < kBusyMin.us / 1000 || cpu_ms * 100 < whole_ms * kBusyPercentMin) return false;
  what = std::string(event.text(Field::Executable)) + ": " + std::to_string(cpu_ms * 100 / whole_ms) + " % for " +
         std::to_string(whole_ms / 60'000) + " min";
  return true;
}

bool Miner::is_pool(const DetectorEvent& event, std::string& what) {
  if (event.text(Field::Direction) != "Out" || failures_of(event) >= hits_of(event)) return false;
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  const auto port = event.text(Field::RemotePort);
  if (address.empty() || is_loopback(address)) return false;
  what = address + ":" + std::string(port);
  if (among(kPoolPorts, port)) return true;
  const TimeSpan span = span_of(event);
  const std::int64_t seconds = (span.last - span.first).us / 1'000'000;
  const std::int64_t bytes = event.integer(Field::BytesIn, 0) + event.integer(Field::BytesOut, 0);
  const bool single = hits_of(event) <= 2;  // a client that comes again and again is no miner
  return single && seconds >= kBusyMin.us / 1'000'000 && bytes > 0 && bytes < seconds * kFlowBytesPerSecondMax &&
         !among(kQuietPorts, port);
}

void Miner::note(Sign sign, std::string what, const DetectorEvent& event, std::vector<Finding>& findings) {
  Signs& signs = table_.touch(device_key(event));
  signs.last = event.enqueued;
  signs.seen[sign] = std::max(signs.seen[sign], event.time);
  signs.what[sign] = std::move(what);
  std::vector<std::string_view> together;
  for (std::size_t i = 0; i < kSigns; ++i) {
    const Duration apart = event.time - signs.seen[i];
    if (signs.seen[i].us != 0 && apart <= kDay && Duration{} - kDay <= apart) together.push_back(kNames[i]);
  }
  keep_bound();
  if (together.size() < 2) return;
  Finding finding{.alert_type = "IoT_MinerBehavior", .group_key = "signs", .start = event.time, .end = event.time};
  for (std::size_t i = 0; i < kSigns; ++i) {
    if (signs.seen[i].us == 0) continue;
    finding.start = std::min(finding.start, signs.seen[i]);
    finding.properties.emplace_back(std::string(kNames[i]), signs.what[i]);
  }
  finding.properties.emplace_back("Signs", joined(together));
  finding.properties.emplace_back("Executable", std::string(event.text(Field::Executable)));
  finding.evidence.push_back(event.evidence());
  findings.push_back(std::move(finding));
}

void Miner::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  std::string what;
  switch (event.event.kind) {
    case EventKind::ProcessTerminate:
      if (was_busy(event, what)) note(kBusy, std::move(what), event, findings);
      return;
    case EventKind::ConnectionCreate:
      if (is_pool(event, what)) note(kFlow, std::move(what), event, findings);
      return;
    default: {
      const auto line = event.text(Field::CommandLine);
      const bool tuned =
          std::ranges::any_of(kTuning, [&](std::string_view word) { return line.find(word) != line.npos; });
      const bool writes = line.find('=') != line.npos || line.find('>') != line.npos || line.find("msr") != line.npos;
      if (tuned && writes && !line.starts_with("grep")) note(kTuned, std::string(line.substr(0, 200)), event, findings);
    }
  }
}

}  // namespace

std::unique_ptr<Detector> make_miner() { return std::make_unique<Miner>(); }

}  // namespace picket::pipeline
