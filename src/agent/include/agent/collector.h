// A collector watches one kind of happening through the best tier that works on this device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/priority.h"
#include "agent/record.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

/// An account without holes: seen == delivered + dropped_kernel + dropped_user, at any moment that user space has read
/// all.
struct Counters {
  std::uint64_t seen = 0;       ///< Happenings the tier knows of, also those it then lost.
  std::uint64_t delivered = 0;  ///< Records given to the sink.
  std::uint64_t dropped_kernel =
      0;  ///< Refused by a full ring or socket buffer. Where the kernel does not count: one a notice.
  std::uint64_t dropped_user = 0;  ///< Unreadable, or past a bound of ours.
  std::uint64_t incomplete = 0;    ///< Delivered, but with a named part missing (argv_lost, no pid, ...).
};

/// What can be chosen for any collector. What is not set is the collector's own default (CollectorSpec).
struct CollectorChoice {
  bool enabled = true;
  std::string tier = "auto";           ///< "auto" or the name of a tier: forced, no fall-back.
  std::optional<Priority> priority;    ///< Of repeats and snapshots.
  std::optional<Duration> every;       ///< Between two snapshots; of collectors that take some.
  std::optional<std::uint32_t> cache;  ///< Different happenings that are counted.
};

/// Settings of all collectors; defaults are what a device gets. Fixed after start.
struct CollectorSettings {
  std::map<std::string, CollectorChoice, std::less<>> choices;  ///< By collector; who is absent has its defaults.
  std::uint32_t process_ring_bytes = 1U << 18;                  ///< Power of two, page multiple, 4 KiB .. 16 MiB.
  std::uint32_t network_ring_bytes = 1U << 17;
  bool process_fork_exit = false;  ///< Also report forks and exits (exec only otherwise).
  bool process_old_kernel = false;  ///< Tier tracepoint works as on kernels before 5.8: for tests on newer ones.
  bool audit_enable = true;        ///< May set the kernel's audit `enabled` to 1 and the backlog to 8192 if it is off.
  Duration procfs_poll_min = Duration::milliseconds(100);
  Duration procfs_poll_max = Duration::seconds(1);
  Duration socket_dump_every = Duration::seconds(5);
  bool conntrack_accounting = false;  ///< May set net.netfilter.nf_conntrack_acct.
  Duration network_idle = Duration::seconds(30);  ///< An exchange over UDP or ICMP is over when nothing came so long.
  std::string state_dir;                     ///< Where a collector may keep a small file of its own; empty: nowhere.
  std::vector<std::string> network_devices;  ///< Interfaces whose connections are reported; empty: all.
  /// What the device says of itself is replaced by these where they are not empty.
  std::string system_hardware_vendor, system_hardware_model, system_hardware_serial;
  std::string system_firmware_vendor, system_firmware_version;
  std::vector<std::string> baseline_groups_disabled, baseline_checks_disabled;
  std::string baseline_content = "/usr/share/picket-agent/baseline.bin";
  std::string baseline_custom_content, baseline_custom_sha256;  ///< The customer's own rules; empty: none.
  bool baseline_custom = true;                                  ///< false: the customer's rules are left out.
  std::uint32_t baseline_level = 1;                             ///< 1, or 2 for the stricter rules too.
  bool baseline_embedded = false;                               ///< Rules of the profile embedded, not server.
  std::string procfs = "/proc";
  std::string root;  ///< Put before the paths of files that snapshots read; "" on a device, else an image of one.
  std::string sysfs = "/sys";
  Duration peripheral_poll_every = Duration::seconds(5);   ///< Tier sysfs of peripheral.
  Duration dns_timeout = Duration::seconds(5);             ///< A look-up without an answer ends then.
  std::vector<std::string> file_system_paths;              ///< Watched; empty: the list of file_system/watch_list.h.
  bool file_system_recursive = true;                       ///< All directories below them too.
  std::size_t file_system_hash_max = 64 << 10;             ///< Larger files are not hashed; 0: none is.
  Duration file_system_scan_every = Duration::minutes(1);  ///< Tier scan of file_system.
  std::string btmp = "/var/log/btmp";
  std::string wtmp = "/var/log/wtmp";
  std::string utmp = "/run/utmp";
  std::string auth_log = "/var/log/auth.log";
  std::string pam_log = "/var/log/picket-pam.log";  ///< Tier pam-log of login.

  [[nodiscard]] CollectorChoice choice(std::string_view collector) const {
    const auto found = choices.find(collector);
    return found == choices.end() ? CollectorChoice{} : found->second;
  }
  CollectorChoice& choose(std::string_view collector) { return choices[std::string(collector)]; }
};

class LogLines;

/// The agent, for collectors that watch it: statistics and log.
class AgentView {
 public:
  virtual ~AgentView() = default;
  /// What each part did since the last call.
  virtual void send_statistics(RecordSink& sink) = 0;
  virtual LogLines& log_lines() = 0;
};

/// What a tier gets when it is opened. Everything outlives the source.
struct Environment {
  const CollectorSettings& settings;
  const Clock& clock;
  RecordSink& sink;
  Priority priority = Priority::medium;  ///< Of this collector's repeats and snapshots. Set by Collector, like `every`.
  Duration every{};                      ///< Between two snapshots.
  AgentView* agent = nullptr;            ///< None in tests of a single collector.
};

/// One opened tier. Owned by its collector; all calls on the collectors' thread.
class Source {
 public:
  virtual ~Source() = default;
  /// Descriptors to wait on for input (level-triggered); the same ones until the source is destroyed. Often one, maybe
  /// none.
  [[nodiscard]] virtual std::span<const int> fds() const = 0;
  /// One of fds() is readable. Bounded work: what is left keeps the descriptor readable. Returns, like on_timer(), the
  /// delay after which on_timer() is due; it replaces what was returned before.
  virtual Duration on_ready(int fd) = 0;
  /// Time has passed; first call right after start. Also drains what was batched below the wake-up threshold. Returns
  /// the delay after which it wants to be called again; callers may come early. 0 or less is taken as 1 ms.
  virtual Duration on_timer() = 0;
  [[nodiscard]] virtual Counters counters() const = 0;
};

/// One row of a collector's table, best first.
struct Tier {
  std::string_view name;   ///< As in `--tier process=NAME`.
  std::string_view gives;  ///< For people: what it reports.
  std::string_view needs;  ///< For people: kernel and privilege.
  bool sampled = false;
  /// Opens everything the tier needs, so that success means it works. Errors: what this device said.
  Result<std::unique_ptr<Source>> (*open)(const Environment&);
};

/// What a collector's folder gives to the table: `const CollectorSpec& NAME_collector()`. Adding one is a folder and a
/// word in the list of src/agent/CMakeLists.txt.
struct CollectorSpec {
  std::string_view name;     ///< Also of its settings: collectors.NAME.enabled, .tier, .priority, .every
  std::string_view watches;  ///< For people: "program starts".
  std::span<const Tier> tiers;
  Priority priority = Priority::medium;  ///< Default, of repeats and snapshots.
  Duration every{};                      ///< Default, between two snapshots; zero: it takes none.
  /// Where not null: stands between the collector and the sink of `environment`.
  std::unique_ptr<RecordSink> (*filter)(const Environment& environment) = nullptr;
};
/// The collectors of this build, in the order of the list.
std::span<const CollectorSpec> collector_table();

/// Chooses and runs a tier. Not started: no fds, no work. Single thread.
class Collector {
 public:
  struct Refusal {
    std::string_view tier;
    Error error;  ///< `describe(error)` is the reason for people.
  };

  Collector(const CollectorSpec& spec, const Environment& environment);

  /// Opens the forced tier, or the first in the table that opens. Errors: not_found (no such tier), else the error of
  /// the last tier tried. On failure the collector is stopped, refusals() has every reason; the agent goes on without
  /// it.
  Result<> start();
  void stop() { source_.reset(); }

  [[nodiscard]] std::string_view name() const { return spec_->name; }
  [[nodiscard]] std::span<const Tier> tiers() const { return spec_->tiers; }
  [[nodiscard]] bool running() const { return source_ != nullptr; }
  /// Name of the tier in use; empty when stopped.
  [[nodiscard]] std::string_view tier_in_use() const { return running() ? tier_->name : std::string_view{}; }
  [[nodiscard]] bool sampled() const { return running() && tier_->sampled; }
  /// Why each better tier is not in use; empty when the best one is, or when one was forced.
  [[nodiscard]] std::span<const Refusal> refusals() const { return refusals_; }

  [[nodiscard]] std::span<const int> fds() const { return running() ? source_->fds() : std::span<const int>{}; }
  /// Both return the delay until on_timer() is due again; see Source.
  Duration on_ready(int fd) { return running() ? source_->on_ready(fd) : Duration::hours(1); }
  Duration on_timer() { return running() ? source_->on_timer() : Duration::hours(1); }
  [[nodiscard]] Counters counters() const { return running() ? source_->counters() : Counters{}; }

 private:
  const CollectorSpec* spec_;
  Environment environment_;
  std::unique_ptr<RecordSink> filter_;
  std::optional<Environment> filtered_;  ///< `environment_` with the filter as its sink.
  const Tier* tier_ = nullptr;
  std::unique_ptr<Source> source_;
  std::vector<Refusal> refusals_;
};

/// Both clocks of `clock`, read together.
Moment moment_of(const Clock& clock);

}  // namespace picket::agent
