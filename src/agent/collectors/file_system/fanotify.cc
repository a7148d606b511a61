// Tier "fanotify" of file_system. What comes, goes, moves or gets other metadata is asked of whole file systems, since
// only so nothing is missed in new folders; what is written, which is far more, only of the watched folders.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/core/file.h"
#include "file_system/fanotify_message.h"
#include "file_system/file_reporter.h"
#include "file_system/folder_table.h"
#include "file_system/tiers.h"
#include "file_system/tree_walk.h"

namespace picket::agent {
namespace {

using message::FileMask;

constexpr std::uint64_t kEverywhere = FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ATTRIB | FAN_ONDIR;
constexpr std::uint64_t kInFolders = FAN_MODIFY | FAN_EVENT_ON_CHILD;
constexpr std::size_t kFilesAStep = 100;
constexpr std::size_t kFilesAtOnce = 5000;  // at the start: some 20 ms
constexpr int kReadsMax = 16;               // a call
constexpr Duration kNextStep = Duration::milliseconds(2);
constexpr Duration kTimesLag = Duration::milliseconds(20);  // of files behind the clock
constexpr Duration kNothingDue = Duration::hours(1);

class FileSystemFanotify final : public Source {
 public:
  FileSystemFanotify(const Environment& environment, UniqueFd events)
      : environment_(environment),
        list_(environment.settings.file_system_paths, environment.settings.file_system_recursive),
        walk_(list_),
        folders_(list_),
        reporter_(environment, {"file_system", "fanotify", false}),
        events_(std::move(events)),
        fd_(events_.get()),
        own_pid_(getpid()),
        complete_(environment.clock.now() - kTimesLag) {}

  /// Errors: io, when a file system cannot be watched so.
  Result<> begin() {
    for (const std::string& path : list_.paths()) TRY_VOID(watch_file_system(nearest_folder(path)));
    mark_everything();
    // Short lists are watched from the beginning, long ones as the loop has time.
    for (std::size_t i = 0; walk_.going() && i < kFilesAtOnce; i += kFilesAStep) walk_some({});
    return {};
  }

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
      for (FanotifyEvent event; next_fanotify(rest, event);) take(event, now);
    }
    return on_timer();
  }

  Duration on_timer() override {
    if (walk_.going()) walk_some(moment_of(environment_.clock));
    return walk_.going() ? kNextStep : kNothingDue;
  }

 private:
  static std::string nearest_folder(const std::string& path) {
    std::string out = existing_part(path);
    struct stat info{};
    if (stat(out.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) out = parent_of(out);
    return out;
  }

  // ---- events ----

  void take(const FanotifyEvent& event, Moment now) {
    if ((event.mask & FAN_Q_OVERFLOW) != 0) {
      reporter_.lost();
      since_ = complete_;
      lost_ = true;
      return mark_everything();
    }
    const bool is_folder = (event.mask & FAN_ONDIR) != 0;
    const bool has_path = path_of(event.entry, is_folder, path_);
    const bool had_path = path_of(event.old_entry, is_folder, old_path_);
    // The agent's own doings are no news, but its folders are folders.
    if (event.pid != own_pid_ && (list_.covers(path_) || list_.covers(old_path_))) report(event, is_folder, now);
    if (is_folder && (has_path || had_path)) take_folder(event);
  }

  /// False: unknown, or surely not wanted; then `path` is empty. Most events of a busy system end here.
  bool path_of(const FanotifyEntry& entry, bool is_folder, std::string& path) {
    path.clear();
    if (entry.folder.empty()) return false;
    const auto* folder = folders_.find(entry.folder);
    if (folder == nullptr || (folder->interest == Interest::none && !is_folder)) return false;
    path = folder->path;
    if (entry.name == ".") return true;
    if (path == "/") path.clear();
    path.append(1, '/').append(entry.name);
    return true;
  }

  void report(const FanotifyEvent& event, bool is_folder, Moment now) {
    FileChange change{.path = path_, .old_path = {}, .is_folder = is_folder};
    if (event.pid > 0) change.pid = static_cast<std::uint32_t>(event.pid);
    // One event may stand for several happenings of one process with one file, in this order most likely.
    static constexpr std::pair<std::uint64_t, FileMask> kMasks[] = {{FAN_CREATE, FileMask::Created},
                                                                    {FAN_MODIFY, FileMask::Modified},
                                                                    {FAN_ATTRIB, FileMask::MetadataChanged},
                                                                    {FAN_RENAME, FileMask::Moved},
                                                                    {FAN_DELETE, FileMask::Deleted}};
    for (const auto& [bit, mask] : kMasks) {
      if ((event.mask & bit) == 0) continue;
      change.mask = mask;
      change.old_path = mask == FileMask::Moved ? std::string_view(old_path_) : std::string_view{};
      reporter_.report(change, now);
    }
  }

  void take_folder(const FanotifyEvent& event) {
    const auto matters = [&](const std::string& path) {
      return !path.empty() && (list_.covers(path) || list_.leads_to(path));
    };
    if ((event.mask & FAN_RENAME) != 0) {
      folders_.forget_others();
      if (!matters(path_) && !matters(old_path_)) return;
      folders_.forget_watched();
      mark_everything();
    } else if ((event.mask & FAN_CREATE) != 0 && matters(path_)) {
      list_.covers(path_) ? walk_.add(path_) : mark_everything();
    }
  }

  // ---- marks ----

  Result<> watch_file_system(const std::string& folder) {
    TRY(const bool is_new, folders_.add_file_system(folder));
    if (is_new &&
        fanotify_mark(events_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, kEverywhere, AT_FDCWD, folder.c_str()) != 0) {
      return fail_errno("agent.fanotify.mark");
    }
    return {};
  }

  void mark_everything() {
    // The folder of each path too: what is written to a watched file is an event of its folder.
    for (const std::string& path : list_.paths()) {
      if (path != "/") mark(existing_part(std::string(parent_of(path))));
    }
    walk_.start();
  }

  void mark(const std::string& folder) {
    // A file system that was mounted there, or a full table, is a loss that is counted; a folder that is gone is none.
    errno = 0;
    if (!watch_file_system(folder) || !folders_.add_watched(folder) ||
        fanotify_mark(events_.get(), FAN_MARK_ADD | FAN_MARK_ONLYDIR, kInFolders, AT_FDCWD, folder.c_str()) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) reporter_.refused();
    }
  }

  /// Marks folders. What came and went in them before, events have told; after a loss, what changed is found by its
  /// times (what was deleted is not).
  void walk_some(Moment now) {
    const bool more = walk_.step(kFilesAStep, [&](const WalkedFile& file) {
      if (file.is_folder() && list_.interest_in(file.path) != Interest::none) mark(std::string(file.path));
      if (!lost_ || file.is_folder()) return;
      if (const auto mask = change_since(file, since_)) reporter_.report({.mask = *mask, .path = file.path}, now);
    });
    if (!more) lost_ = false;
    for (std::size_t left = walk_.take_left_out(); left > 0; --left) reporter_.refused();
  }

  Environment environment_;
  WatchList list_;
  TreeWalk walk_;
  FolderTable folders_;
  FileReporter reporter_;
  UniqueFd events_;
  int fd_;
  pid_t own_pid_;
  alignas(fanotify_event_metadata) std::array<std::byte, 16384> buffer_;
  std::string path_, old_path_;
  Timestamp complete_, since_;
  bool lost_ = false;  // the walk is because of a loss
};

}  // namespace

Result<std::unique_ptr<Source>> open_file_system_fanotify(const Environment& environment) {
  UniqueFd events{
      fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME, O_RDONLY | O_CLOEXEC)};
  if (!events.valid()) return fail_errno("agent.fanotify.init");
  auto source = std::make_unique<FileSystemFanotify>(environment, std::move(events));
  TRY_VOID(source->begin());
  return source;
}

}  // namespace picket::agent
