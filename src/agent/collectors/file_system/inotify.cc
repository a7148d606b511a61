// Tier "inotify" of file_system: a watch on each folder. New folders get theirs when they are seen; what came into them
// before that is found by a walk.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <unordered_map>

#include <sys/inotify.h>
#include <unistd.h>

#include "base/core/file.h"
#include "file_system/file_reporter.h"
#include "file_system/inotify_message.h"
#include "file_system/tiers.h"
#include "file_system/tree_walk.h"

namespace picket::agent {
namespace {

using message::FileMask;

constexpr std::uint32_t kWanted = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
constexpr std::size_t kWatchesMax = 8192;
constexpr std::size_t kFilesAStep = 100;
constexpr std::size_t kFilesAtOnce = 5000;  // at the start: some 20 ms
constexpr int kReadsMax = 16;               // a call
constexpr Duration kNextStep = Duration::milliseconds(2);
constexpr Duration kOtherHalf = Duration::milliseconds(20);  // of a move: both come together
constexpr Duration kTimesLag = Duration::milliseconds(20);   // of files behind the clock
constexpr Duration kNothingDue = Duration::hours(1);

class FileSystemInotify final : public Source {
 public:
  FileSystemInotify(const Environment& environment, UniqueFd events)
      : environment_(environment),
        list_(environment.settings.file_system_paths, environment.settings.file_system_recursive),
        walk_(list_),
        reporter_(environment, {"file_system", "inotify", false}),
        events_(std::move(events)),
        fd_(events_.get()) {
    complete_ = environment_.clock.now() - kTimesLag;
    watch_everything();
    // Short lists are watched from the beginning, long ones as the loop has time.
    for (std::size_t i = 0; walk_.going() && i < kFilesAtOnce; i += kFilesAStep) walk_some({});
    first_walk_ = walk_.going();
  }
  [[nodiscard]] bool watches_anything() const { return !folders_.empty(); }

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Counters counters() const override { return reporter_.counters(); }

  Duration on_ready(int) override {
    const Moment now = moment_of(environment_.clock);
    reporter_.begin_batch();
    for (int i = 0; i < kReadsMax; ++i) {
      const ssize_t n = read(events_.get(), buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        complete_ = now.wall - kTimesLag;
        break;
      }
      Bytes rest = Bytes(buffer_).first(static_cast<std::size_t>(n));
      for (InotifyEvent event; next_inotify(rest, event);) take(event, now);
    }
    return on_timer();
  }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (!moved_from_.empty() && now.monotonic >= moved_due_) end_move(now);
    if (walk_.going()) walk_some(now);
    if (walk_.going()) return kNextStep;
    return moved_from_.empty() ? kNothingDue : std::max(moved_due_ - now.monotonic, kNextStep);
  }

 private:
  void take(const InotifyEvent& event, Moment now) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      reporter_.lost();
      return look_again();
    }
    const auto at = folders_.find(event.watch);
    if (at == folders_.end()) return;
    if ((event.mask & IN_IGNORED) != 0) return forget(at);
    if (event.name.empty()) return;  // the folder above tells it by name
    path_ = at->second == "/" ? std::string() : at->second;
    path_.append(1, '/').append(event.name);
    const bool is_folder = (event.mask & IN_ISDIR) != 0;
    const bool covered = list_.covers(path_);
    if (!moved_from_.empty() && (event.mask & IN_MOVED_TO) != 0 && event.cookie == moved_cookie_) {
      if (covered || list_.covers(moved_from_)) report(FileMask::Moved, path_, moved_from_, is_folder, now);
      moved_from_.clear();
    } else if (covered) {
      take_covered(event, is_folder, now);
    }
    if (!is_folder || !(covered || list_.leads_to(path_))) return;
    if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) look_into(path_);
    if ((event.mask & IN_MOVED_FROM) != 0) unwatch_below(path_);
  }

  void take_covered(const InotifyEvent& event, bool is_folder, Moment now) {
    if ((event.mask & IN_MOVED_FROM) != 0) {
      if (!moved_from_.empty()) end_move(now);
      moved_from_ = path_;
      moved_cookie_ = event.cookie;
      moved_folder_ = is_folder;
      moved_due_ = now.monotonic + kOtherHalf;
      return;
    }
    if ((event.mask & IN_MOVED_TO) != 0) return report(FileMask::Moved, path_, {}, is_folder, now);
    if ((event.mask & IN_CREATE) != 0) return report(FileMask::Created, path_, {}, is_folder, now);
    if ((event.mask & IN_DELETE) != 0) return report(FileMask::Deleted, path_, {}, is_folder, now);
    if ((event.mask & IN_MODIFY) != 0) return report(FileMask::Modified, path_, {}, is_folder, now);
    if ((event.mask & IN_ATTRIB) != 0) return report(FileMask::MetadataChanged, path_, {}, is_folder, now);
  }

  /// Moved to where nobody watches: all that is known is that it went.
  void end_move(Moment now) {
    report(FileMask::Moved, moved_from_, moved_from_, moved_folder_, now);
    moved_from_.clear();
  }

  void report(FileMask mask, std::string_view path, std::string_view old_path, bool is_folder, Moment now) {
    reporter_.report({.mask = mask, .path = path, .old_path = old_path, .is_folder = is_folder}, now);
  }

  // ---- which folders are watched ----

  void watch_everything() {
    // The folder of each path too, so that a path that is replaced, or comes later, is seen.
    for (const std::string& path : list_.paths()) {
      if (path != "/") watch(existing_part(std::string(parent_of(path))));
    }
    walk_.start();
  }

  /// After a loss: what changed since all was well is found by its times. What was deleted is not.
  void look_again() {
    since_ = complete_;
    watch_everything();
  }

  /// A folder came: what came with it, and into it before it was watched, is new as well.
  void look_into(const std::string& path) {
    if (!walk_.going()) since_ = complete_;
    if (list_.covers(path)) {
      watch(path);
      walk_.add(path);
    } else {
      watch_everything();
    }
  }

  void walk_some(Moment now) {
    const bool report_news = !first_walk_ && now.wall.us != 0;  // what is there at the start is none
    const bool more = walk_.step(kFilesAStep, [&](const WalkedFile& file) {
      if (file.is_folder() && list_.interest_in(file.path) != Interest::none) watch(std::string(file.path));
      if (!report_news || file.is_folder()) return;
      if (const auto mask = change_since(file, since_)) report(*mask, file.path, {}, false, now);
    });
    if (!more) first_walk_ = false;
    for (std::size_t left = walk_.take_left_out(); left > 0; --left) reporter_.refused();
  }

  void watch(const std::string& folder) {
    if (folders_.size() >= kWatchesMax) return reporter_.refused();
    const int watch = inotify_add_watch(events_.get(), folder.c_str(), kWanted);
    if (watch >= 0) {
      folders_[watch] = folder;
    } else if (errno == ENOSPC || errno == ENOMEM) {
      reporter_.refused();  // fs.inotify.max_user_watches
    }
  }

  void forget(std::unordered_map<int, std::string>::iterator at) { folders_.erase(at); }

  /// The watches of a folder that moved would tell of paths that are no more.
  void unwatch_below(std::string_view path) {
    for (const auto& [watch, folder] : folders_) {
      const bool below = folder.starts_with(path) && (folder.size() == path.size() || folder[path.size()] == '/');
      if (below) inotify_rm_watch(events_.get(), watch);
    }
  }

  Environment environment_;
  WatchList list_;
  TreeWalk walk_;
  FileReporter reporter_;
  UniqueFd events_;
  int fd_;
  alignas(inotify_event) std::array<std::byte, 16384> buffer_;
  std::unordered_map<int, std::string> folders_;  // by watch
  Timestamp complete_, since_;
  std::string path_, moved_from_;
  std::uint32_t moved_cookie_ = 0;
  bool moved_folder_ = false, first_walk_ = true;
  Duration moved_due_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_file_system_inotify(const Environment& environment) {
  UniqueFd events{inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!events.valid()) return fail_errno("agent.file_system.inotify");
  auto source = std::make_unique<FileSystemInotify>(environment, std::move(events));
  if (!source->watches_anything()) return fail_errno("agent.file_system.inotify_watch");
  return source;
}

}  // namespace picket::agent
