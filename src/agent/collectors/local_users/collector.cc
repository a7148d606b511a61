// Local users: the accounts of this device and what became of their passwords, never the hashes.
#include "agent/collector.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "local_users/accounts.h"
#include "support/name_watch.h"
#include "support/snapshot_source.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFileBytesMax = 2 << 20;
constexpr Duration kPollEvery = Duration::seconds(30);
constexpr std::array<std::string_view, 3> kFiles{"passwd", "group", "shadow"};

/// What tells one state of the three files from the next without reading them.
struct Stamp {
  std::array<std::uint64_t, 4 * kFiles.size()> parts{};
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const std::string& etc) {
  Stamp out;
  for (std::size_t i = 0; i < kFiles.size(); ++i) {
    struct stat info{};
    if (stat((etc + "/" + std::string(kFiles[i])).c_str(), &info) != 0) continue;
    out.parts[4 * i] = info.st_ino;
    out.parts[4 * i + 1] = static_cast<std::uint64_t>(info.st_size);
    out.parts[4 * i + 2] = static_cast<std::uint64_t>(info.st_ctim.tv_sec);
    out.parts[4 * i + 3] = static_cast<std::uint64_t>(info.st_ctim.tv_nsec);
  }
  return out;
}

class LocalUsers : public SnapshotSource {
 public:
  LocalUsers(const Environment& environment, std::string_view tier)
      : SnapshotSource(environment, "local_users"), tier_(tier), etc_(environment.settings.root + "/etc") {}

 protected:
  [[nodiscard]] const std::string& etc() const { return etc_; }

 private:
  void look() override {
    const auto passwd = read_file(etc_ + "/passwd", kFileBytesMax);
    if (!passwd) {  // gone for a moment, or far too large: the last picture stays
      ++counters_.seen;
      ++counters_.dropped_user;
      return;
    }
    Accounts accounts;
    accounts.read_passwd(*passwd);
    if (const auto group = read_file(etc_ + "/group", kFileBytesMax)) accounts.read_group(*group);
    auto shadow = read_file(etc_ + "/shadow", kFileBytesMax);
    if (shadow) {
      accounts.read_shadow(*shadow);
      explicit_bzero(shadow->data(), shadow->size());
    } else {
      ++counters_.incomplete;
    }
    const std::uint64_t left_out = accounts.malformed() + accounts.past_bounds();
    counters_.seen += left_out;
    counters_.dropped_user += left_out;
    report(accounts);
  }

  void report(const Accounts& accounts) {
    SnapshotReport report(difference_, environment_, {"local_users", tier_, false}, message::LocalUsers::kEvent,
                          Priority::high, counters_);
    for (const Account& account : accounts.accounts()) {
      const Accounts::Groups groups = accounts.groups_of(account);
      const std::string id = std::to_string(account.user);
      const std::string changed = date_text(account.password_changed_days), expires = date_text(account.expires_days);
      std::vector<message::Detail> details;
      if (!changed.empty()) details.push_back({"PasswordChanged", changed});
      if (!expires.empty()) details.push_back({"AccountExpires", expires});
      report.item(account.name, id,
                  message::LocalUsers{.user_id = id,
                                      .user_name = account.name,
                                      .group_ids = groups.ids,
                                      .group_names = groups.names,
                                      .shell = account.shell,
                                      .home_directory = account.home,
                                      .password_state = to_string(account.password),
                                      .source = tier_,
                                      .extra_details = details});
    }
    report.finish([this](std::string_view text, auto send) {
      message::LocalUsers gone{.source = tier_};
      gone.user_name = take_field(text);
      gone.user_id = take_field(text);
      send(gone);
    });
  }

  std::string_view tier_;
  std::string etc_;
};

/// useradd and its like replace the files: the folder is what is watched.
class WatchedUsers final : public LocalUsers {
 public:
  WatchedUsers(const Environment& environment, NameWatch watch)
      : LocalUsers(environment, "watch"), watch_(std::move(watch)), fd_(watch_.fd()) {}
  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return watch_.drain() ? changed() : on_timer(); }

 private:
  NameWatch watch_;
  int fd_;
};

class PolledUsers final : public LocalUsers {
 public:
  explicit PolledUsers(const Environment& environment) : LocalUsers(environment, "poll") {}

 private:
  Duration poll_every() const { return std::min(kPollEvery, environment_.every); }
  Duration before_timer() override {
    const Stamp now = stamp_of(etc());
    if (now != stamp_) changed();
    stamp_ = now;
    return poll_every();
  }
  Stamp stamp_;
};

Result<std::unique_ptr<Source>> open_watch(const Environment& environment) {
  TRY(NameWatch watch, NameWatch::open());
  TRY_VOID(watch.add(environment.settings.root + "/etc", {kFiles.begin(), kFiles.end()}));
  return std::make_unique<WatchedUsers>(environment, std::move(watch));
}

Result<std::unique_ptr<Source>> open_poll(const Environment& environment) {
  TRY(const UniqueFd file, open_file(environment.settings.root + "/etc/passwd", O_RDONLY | O_CLOEXEC));
  return std::make_unique<PolledUsers>(environment);
}

constexpr Tier kTiers[] = {{"watch", "accounts, groups, state of passwords; changes at once",
                            "inotify; root for the state of passwords", false, open_watch},
                           {"poll", "the same, changes within half a minute",
                            "etc/passwd; root for the state of passwords", false, open_poll}};

}  // namespace

const CollectorSpec& local_users_collector() {
  static constexpr CollectorSpec spec{"local_users", "accounts and groups of the device", kTiers, Priority::low,
                                      Duration::hours(12)};
  return spec;
}

}  // namespace picket::agent
