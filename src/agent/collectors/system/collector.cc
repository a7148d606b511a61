// System information: once at start and on schedule.
#include "agent/collector.h"

#include "base/core/file.h"
#include "system/system_facts.h"

namespace picket::agent {
namespace {

class System final : public Source {
 public:
  explicit System(const Environment& environment) : environment_(environment) {}
  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return {.seen = count_, .delivered = count_}; }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (count_ == 0 || now.monotonic >= due_) {
      due_ = now.monotonic + environment_.every;
      ++count_;
      read();
      SystemRecord record = facts_.record();
      record.time = now;
      record.origin = {"system", "snapshot", false};
      environment_.sink.emit(record);
    }
    return due_ - now.monotonic;
  }

 private:
  /// The device's own facts, then sysinfo.json, then the settings (of the twin too): the later one wins.
  void read() {
    const CollectorSettings& settings = environment_.settings;
    facts_.read(settings.procfs, settings.root);
    if (const auto text = read_file(settings.root + kSysinfoPath, kSysinfoBytesMax)) {
      facts_.override_with(parse_sysinfo(*text));
    }
    facts_.override_with({.hardware_vendor = settings.system_hardware_vendor,
                          .hardware_model = settings.system_hardware_model,
                          .hardware_serial = settings.system_hardware_serial,
                          .firmware_vendor = settings.system_firmware_vendor,
                          .firmware_version = settings.system_firmware_version});
  }

  static constexpr const char* kSysinfoPath = "/etc/picket-agent/sysinfo.json";
  static constexpr std::size_t kSysinfoBytesMax = 16 << 10;

  Environment environment_;
  SystemFacts facts_;
  Duration due_;
  std::uint64_t count_ = 0;
};

Result<std::unique_ptr<Source>> open_snapshot(const Environment& environment) {
  return std::make_unique<System>(environment);
}

constexpr Tier kTiers[] = {{"snapshot", "system facts at start and on schedule", "procfs", false, open_snapshot}};

}  // namespace

const CollectorSpec& system_collector() {
  static constexpr CollectorSpec spec{"system", "hardware, operating system, addresses", kTiers, Priority::low,
                                      Duration::hours(24)};
  return spec;
}

}  // namespace picket::agent
