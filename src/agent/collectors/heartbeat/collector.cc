// Heartbeat: a counted sign of life, so that silence and gaps are seen on the other side.
#include "agent/collector.h"

#include <charconv>

#include "base/core/file.h"

namespace picket::agent {
namespace {

/// How many beats are taken from the file at once: one write an hour spares the flash. After a power loss or kill -9
/// the rest of them is skipped, so the count may jump but never goes back.
constexpr std::uint64_t kReserved = 60;
constexpr std::string_view kFileName = "/heartbeat-count";

class Heartbeat final : public Source {
 public:
  explicit Heartbeat(const Environment& environment) : environment_(environment) {
    if (const auto text = path().empty() ? fail(Errc::not_found, "") : read_file(path(), 32)) {
      std::from_chars(text->data(), text->data() + text->size(), count_);
    }
    reserved_ = count_;
  }
  ~Heartbeat() override {
    if (reserved_ != count_) keep(count_);
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return {.seen = beats_, .delivered = beats_}; }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (beats_ == 0 || now.monotonic >= due_) {
      due_ = now.monotonic + environment_.every;
      if (count_ >= reserved_) keep(reserved_ = count_ + kReserved);
      ++beats_;
      environment_.sink.emit(HeartbeatRecord{now, {"heartbeat", "timer", false}, ++count_});
    }
    return due_ - now.monotonic;
  }

 private:
  [[nodiscard]] std::string path() const {
    const std::string& directory = environment_.settings.state_dir;
    return directory.empty() ? std::string() : directory + std::string(kFileName);
  }
  /// A device that cannot write begins at 1 after each start.
  void keep(std::uint64_t count) const {
    if (!path().empty()) (void)replace_file(path(), as_bytes(std::to_string(count) + "\n"));
  }

  Environment environment_;
  Duration due_;
  std::uint64_t beats_ = 0;     ///< Of this run.
  std::uint64_t count_ = 0;     ///< Of this installation.
  std::uint64_t reserved_ = 0;  ///< What the file says.
};

Result<std::unique_ptr<Source>> open_timer(const Environment& environment) {
  return std::make_unique<Heartbeat>(environment);
}

constexpr Tier kTiers[] = {{"timer", "a counted sign of life", "nothing", false, open_timer}};

}  // namespace

const CollectorSpec& heartbeat_collector() {
  static constexpr CollectorSpec spec{"heartbeat", "a sign of life", kTiers, Priority::low, Duration::minutes(1)};
  return spec;
}

}  // namespace picket::agent
