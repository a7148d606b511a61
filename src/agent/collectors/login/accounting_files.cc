// Tiers "accounting" and "wtmp" of login: follow btmp and wtmp. A login without a terminal leaves no wtmp record: only
// audit sees it.
#include <cstdio>
#include <optional>

#include <unistd.h>
#include <utmp.h>

#include "login/accounting.h"
#include "login/tiers.h"
#include "support/file_watch.h"
#include "support/procfs.h"
#include "support/tail_file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kReadBytesMax = 64 * kAccountingBytes;
constexpr Duration kHeldCheck = Duration::seconds(1);
constexpr Duration kQuiet = Duration::minutes(1);  // finds what inotify was too late for

bool account_exists(const AccountingEntry& entry) {
  const auto text = read_file("/etc/passwd", 1 << 20);
  if (!text) return true;
  const std::string start = entry.user + ":";
  return text->starts_with(start) || text->find("\n" + start) != std::string::npos;
}

class LoginAccounting final : public Source {
 public:
  LoginAccounting(const Environment& environment, std::string_view tier, FileWatch watch, std::optional<TailFile> btmp,
                  std::optional<TailFile> wtmp)
      : environment_(environment),
        tier_(tier),
        watch_(std::move(watch)),
        poll_fd_(watch_.fd()),
        btmp_(std::move(btmp)),
        wtmp_(std::move(wtmp)),
        assembler_(
            [this](const LoginRecord& record) { emit(record); }, account_exists,
            [this](const AccountingEntry& entry) { return process_exists(environment_.settings.procfs, entry.pid); }) {}

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    watch_.drain();
    return on_timer();
  }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (btmp_) follow(*btmp_, btmp_rest_, [&](const AccountingEntry& entry) { assembler_.take_btmp(entry, now); });
    if (wtmp_) follow(*wtmp_, wtmp_rest_, [&](const AccountingEntry& entry) { assembler_.take_wtmp(entry, now); });
    return assembler_.tick(now) ? kHeldCheck : kQuiet;
  }

 private:
  template <class Take>
  void follow(TailFile& file, Buffer& rest, Take take) {
    for (bool done = false; !done;) {
      done = file.poll(kReadBytesMax, rest);
      std::size_t at = 0;
      while (rest.size() - at >= kAccountingHeadBytes) {
        record_bytes_ = accounting_bytes(Bytes(rest).subspan(at)).value_or(record_bytes_);
        if (rest.size() - at < record_bytes_) break;
        const auto entry = parse_accounting(Bytes(rest).subspan(at, record_bytes_));
        if (entry) take(*entry);
        at += record_bytes_;
      }
      rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  void emit(LoginRecord record) {
    record.origin.tier = tier_;
    char path[64];
    char executable[kPathBytesMax];
    // utmp(5) has no field for the program; its process is still there when somebody has just come in.
    std::snprintf(path, sizeof(path), "/proc/%u/exe", record.pid);
    const ssize_t n = record.pid != 0 ? readlink(path, executable, sizeof(executable)) : 0;
    if (n > 0) record.executable = {executable, static_cast<std::size_t>(n)};
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  std::string_view tier_;
  FileWatch watch_;
  int poll_fd_;
  std::optional<TailFile> btmp_, wtmp_;
  std::size_t record_bytes_ = sizeof(struct utmp) == kAccountingWideBytes ? kAccountingWideBytes : kAccountingBytes;
  Buffer btmp_rest_, wtmp_rest_;  // the front of a record whose end is not written yet
  Counters counters_;
  AccountingAssembler assembler_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_login_accounting(const Environment& environment) {
  TRY(auto btmp, TailFile::open(environment.settings.btmp));
  std::vector<std::string> paths{btmp.path()};
  std::optional<TailFile> sessions;
  if (auto wtmp = TailFile::open(environment.settings.wtmp); wtmp) {
    paths.push_back(wtmp->path());
    sessions = *std::move(wtmp);
  }
  TRY(auto watch, FileWatch::open(paths));
  return std::make_unique<LoginAccounting>(environment, "accounting", std::move(watch), std::move(btmp),
                                           std::move(sessions));
}

Result<std::unique_ptr<Source>> open_login_wtmp(const Environment& environment) {
  TRY(auto wtmp, TailFile::open(environment.settings.wtmp));
  TRY(auto watch, FileWatch::open({wtmp.path()}));
  return std::make_unique<LoginAccounting>(environment, "wtmp", std::move(watch), std::nullopt, std::move(wtmp));
}

}  // namespace picket::agent
