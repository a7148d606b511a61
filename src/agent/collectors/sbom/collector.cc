// Software that is installed: whole once, then differences; again soon after a package manager has worked.
#include "agent/collector.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/file.h"
#include "sbom/rpm.h"
#include "sbom/scan.h"
#include "support/name_watch.h"
#include "support/snapshot_source.h"

namespace picket::agent {
namespace {

/// A package manager writes its file many times: a scan begins once it has been quiet this long.
constexpr Duration kQuiet = Duration::seconds(3);
/// It is not waited for longer than that.
constexpr Duration kBusyMax = Duration::minutes(2);
/// One turn of the loop; between turns others have theirs, so that a scan takes a fifth of a core at most.
constexpr Duration kTurn = Duration::milliseconds(2);
constexpr Duration kBetweenTurns = Duration::milliseconds(8);

class Sbom final : public Source {
 public:
  Sbom(const Environment& environment, std::string_view tier, std::optional<NameWatch> watch)
      : environment_(environment),
        tier_(tier),
        difference_(snapshot_path(environment.settings, "sbom")),
        watch_(std::move(watch)),
        fd_(watch_ ? watch_->fd() : -1) {}

  std::span<const int> fds() const override { return {&fd_, fd_ >= 0 ? 1U : 0U}; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    if (watch_->drain()) {
      const Duration now = environment_.clock.monotonic();
      if (!busy_since_) busy_since_ = now;
      due_ = std::min(now + kQuiet, *busy_since_ + kBusyMax);
    }
    return on_timer();
  }

  Duration on_timer() override {
    const Duration now = environment_.clock.monotonic();
    if (!scan_ && (!begun_ || now >= due_)) begin(now);
    if (scan_) {
      if (work(now)) return kBetweenTurns;
      end();
    } else if (save_at_ && now >= *save_at_) {
      save_at_.reset();
      (void)difference_.save();
    }
    const Duration next = save_at_ ? std::min(*save_at_, due_) : due_;
    return std::max(next - environment_.clock.monotonic(), Duration{});
  }

 private:
  void begin(Duration now) {
    begun_ = true;
    busy_since_.reset();
    due_ = now + environment_.every;
    const std::string& root = environment_.settings.root;
    utsname names{};
    const bool live = root.empty() && uname(&names) == 0;
    report_.emplace(difference_, environment_, Origin{"sbom", tier_, false}, message::SBoM::kEvent,
                    environment_.priority, counters_);
    scan_ = std::make_unique<SoftwareScan>(root, live ? names.release : "",
                                           [this](const Package& package) { found(package); });
  }

  /// False: the scan is complete.
  bool work(Duration now) {
    while (scan_->step()) {
      if (environment_.clock.monotonic() - now >= kTurn) return true;
    }
    return false;
  }

  void end() {
    counters_.seen += scan_->past_bounds();
    counters_.dropped_user += scan_->past_bounds();
    counters_.incomplete += scan_->unreadable();
    scan_.reset();
    report_->finish([this](std::string_view text, auto send) {
      message::SBoM gone{.source = tier_};
      gone.package_type = take_field(text);
      gone.name = take_field(text);
      gone.architecture = take_field(text);
      take_field(text);  // of several versions beside each other, which
      gone.version = take_field(text);
      send(gone);
    });
    report_.reset();
    save_at_ = environment_.clock.monotonic() + kSnapshotSaveDelay;
  }

  void found(const Package& package) {
    // Databases have one version of a name and architecture; packages of languages may stand in many places.
    const bool many = !package.evidence.empty() || package.type == "rpm";
    std::string identity(package.type);
    for (const std::string_view part : {std::string_view(package.name), std::string_view(package.architecture),
                                        many ? std::string_view(package.version) : std::string_view{}}) {
      identity += SnapshotDifference::kFieldEnd;
      identity += part;
    }
    const std::string url = package_url(package, scan_->distribution());
    const message::Detail evidence{"Evidence", package.evidence};
    message::SBoM item{.name = package.name,
                       .version = package.version,
                       .vendor = package.vendor,
                       .architecture = package.architecture,
                       .package_type = package.type,
                       .source_name = package.source_name,
                       .source_version = package.source_version,
                       .purl = url,
                       .source = tier_};
    if (!package.evidence.empty()) item.extra_details = {&evidence, 1};
    report_->item(identity, package.version, item);
  }

  Environment environment_;
  std::string_view tier_;
  SnapshotDifference difference_;
  std::optional<NameWatch> watch_;
  int fd_;
  std::optional<SnapshotReport> report_;
  std::unique_ptr<SoftwareScan> scan_;  ///< While one runs.
  bool begun_ = false;
  Duration due_;
  std::optional<Duration> busy_since_, save_at_;
  Counters counters_;
};

std::optional<NameWatch> watch_databases(const std::string& root) {
  auto watch = NameWatch::open();
  if (!watch) return std::nullopt;  // then a scan a day must do
  for (const PackageDatabase& database : package_databases()) {
    const std::string path = root + std::string(database.path);
    const auto slash = path.rfind('/');
    // A folder that is not there is a package manager that is not.
    if (database.folder) {
      (void)watch->add(path, {});
    } else {
      (void)watch->add(path.substr(0, slash), {path.substr(slash + 1)});
    }
  }
  for (const char* const folder : {"/usr/lib/sysimage/rpm", "/var/lib/rpm"}) {
    (void)watch->add(root + folder, {"rpmdb.sqlite", "rpmdb.sqlite-wal"});
  }
  return *std::move(watch);
}

Result<std::unique_ptr<Source>> open_snapshot(const Environment& environment) {
  const auto rpm = RpmDatabase::open(environment.settings.root);
  if (!rpm && rpm.error().code == Errc::unsupported) return std::unexpected(rpm.error());
  return std::make_unique<Sbom>(environment, "snapshot", watch_databases(environment.settings.root));
}

Result<std::unique_ptr<Source>> open_without_rpm(const Environment& environment) {
  return std::make_unique<Sbom>(environment, "without_rpm", watch_databases(environment.settings.root));
}

constexpr Tier kTiers[] = {
    {"snapshot", "packages of dpkg, rpm, apk, opkg, Python and Node; kernel, busybox, openssl, dropbear",
     "the files of package managers; of rpm's databases SQLite", false, open_snapshot},
    {"without_rpm", "the same where rpm's database is of an old kind", "nothing", false, open_without_rpm}};

}  // namespace

const CollectorSpec& sbom_collector() {
  static constexpr CollectorSpec spec{"sbom", "software that is installed", kTiers, Priority::low, Duration::hours(24)};
  return spec;
}

}  // namespace picket::agent
