#include "block.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/hash.h"
#include "base/core/json_writer.h"
#include "base/core/sha256_stream.h"
#include "mount_points.h"

namespace picket::agent {
namespace {

constexpr const char* kMountInfo = "/proc/self/mountinfo";
constexpr std::size_t kMountInfoBytesMax = 1U << 20;
constexpr std::size_t kPathBytesMax = 1'024;  // of a notice
constexpr std::size_t kReadBytes = 32 << 10;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
/// A file that changed this short ago may change again without other times: they go in ticks of the kernel.
constexpr std::int64_t kSettledNs = 2 * kNsPerSecond;

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec; }

/// nullopt: cannot be read, or is larger than `bytes_max`. By position: the descriptor's own is not ours.
std::optional<Sha256> hash_file(int file, std::size_t bytes_max) {
  Sha256Stream hash;
  std::byte part[kReadBytes];
  for (std::size_t at = 0;;) {
    const ssize_t n = ::pread(file, part, sizeof part, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return hash.finish();
    at += static_cast<std::size_t>(n);
    if (at > bytes_max) {
      errno = EFBIG;
      return std::nullopt;
    }
    hash.add(Bytes(part).first(static_cast<std::size_t>(n)));
  }
}

std::optional<Sha256> hash_argument(const Json& arguments) {
  const auto member = arguments.find("sha256");
  const auto bytes = from_hex(member ? member->text().value_or("") : "");
  Sha256 out{};
  if (!bytes || bytes->size() != out.size()) return std::nullopt;
  std::ranges::copy(*bytes, out.begin());
  return out;
}

/// Blocked, the agent would not come back.
bool is_own_program(const Sha256& hash) {
  const auto file = open_file("/proc/self/exe", O_RDONLY);
  return file && hash_file(file->get(), SIZE_MAX) == hash;
}

std::string path_of(int file) {
  std::string out(kPathBytesMax, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t n = ::readlink(link.c_str(), out.data(), out.size());
  out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return out;
}

}  // namespace

Block::Block(EventLoop& loop, const ResponseSettings& settings, std::string list_file, OnNotice on_notice)
    : loop_(loop), settings_(settings), list_(std::move(list_file)), on_notice_(std::move(on_notice)) {}

Block::~Block() { stop(); }

// ---- orders ----

void Block::resume() {
  if (const auto loaded = list_.load(); !loaded) {
    on_notice_(Notice::list, "", "{}",
               "the list of blocked programs is damaged, so nothing is blocked: " + describe(loaded.error()));
    return;
  }
  if (list_.size() == 0) return;
  const std::string programs = std::to_string(list_.size()) + " blocked programs may start: ";
  if (!settings_.block) {
    on_notice_(Notice::list, "", "{}", programs + "response.block is not true any more");
  } else if (const auto watched = watch(); !watched) {
    on_notice_(Notice::list, "", "{}", programs + describe(watched.error()));
  }
}

ActionResult Block::block(const Json& arguments, std::string_view command_id) {
  const auto hash = hash_argument(arguments);
  if (!hash) return {400, "sha256 must be 64 hex digits"};
  if (is_own_program(*hash)) return {400, "this is the agent itself"};
  if (const auto watched = watch(); !watched) {
    return {500, "starts of programs cannot be watched: " + describe(watched.error())};
  }
  const auto kept = list_.add(*hash, command_id);
  if (list_.size() == 0) stop();
  if (!kept && kept.error().code == Errc::limit_exceeded) {
    return {409, std::to_string(BlockList::kProgramsMax) + " programs are blocked, more cannot be"};
  }
  if (!kept) return {500, "the list cannot be kept, so the program is not blocked: " + describe(kept.error())};
  std::string text = "blocked; what runs already goes on";
  if (not_marked_ > 0) {
    text += "; " + std::to_string(not_marked_) + " of " + std::to_string(marked_ + not_marked_) +
            " mount points cannot be watched (" + std::strerror(mark_error_) + ")";
  }
  return answer(std::move(text));
}

ActionResult Block::unblock(const Json& arguments) {
  const auto hash = hash_argument(arguments);
  if (!hash) return {400, "sha256 must be 64 hex digits"};
  const auto removed = list_.remove(*hash);
  if (!removed) return {500, "the list cannot be kept, so the program stays blocked: " + describe(removed.error())};
  if (list_.size() == 0) stop();
  if (!*removed) return {404, "it was not blocked"};
  return answer("unblocked");
}

ActionResult Block::answer(std::string text) const {
  JsonWriter json;
  json.begin_object().key("blocked").value(std::uint64_t{list_.size()}).key("seen").value(counters_.seen);
  json.key("refused").value(counters_.refused).key("unchecked").value(counters_.unchecked);
  const std::string details = json.key("lost").value(counters_.lost).end_object().take();
  return {200, std::move(text), details.substr(1, details.size() - 2)};
}

// ---- file systems ----

/// Also when it watches already. Errors: io, unsupported (Linux below 5.0, or built without it).
Result<> Block::watch() {
  if (!events_.valid()) {
    UniqueFd events{::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK,
                                    O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME)};
    if (!events.valid()) return fail_errno("response.block.fanotify");
    TRY_VOID(loop_.add(events.get(), EPOLLIN, [this](std::uint32_t) { on_ready(); }));
    events_ = std::move(events);
    cache_.resize(kCachedMax);
    // Becomes ready whenever something is mounted or unmounted.
    auto mounts = open_file(kMountInfo, O_RDONLY);
    if (mounts && loop_.add(mounts->get(), EPOLLPRI, [this](std::uint32_t) { mark_file_systems(); })) {
      mounts_ = *std::move(mounts);
    }
  }
  mark_file_systems();
  if (marked_ > 0) return {};
  if (list_.size() == 0) stop();
  errno = mark_error_;
  if (errno == EINVAL) return fail(Errc::unsupported, "response.block.fanotify");
  return fail_errno("response.block.mark");
}

void Block::mark_file_systems() {
  marked_ = not_marked_ = 0;
  mark_error_ = ENODEV;
  std::vector<std::string> paths = settings_.block_paths;
  if (paths.empty()) {
    if (const auto text = read_file(kMountInfo, kMountInfoBytesMax)) paths = parse_mount_points(*text);
  }
  for (const std::string& path : paths) {
    constexpr unsigned kHow = FAN_MARK_ADD | FAN_MARK_FILESYSTEM;
    if (::fanotify_mark(events_.get(), kHow, FAN_OPEN_EXEC_PERM, AT_FDCWD, path.c_str()) == 0) {
      ++marked_;
    } else {
      mark_error_ = errno;
      ++not_marked_;
    }
  }
}

/// The kernel lets everything pass that waits.
void Block::stop() {
  if (events_.valid()) loop_.remove(events_.get());
  if (mounts_.valid()) loop_.remove(mounts_.get());
  events_.reset();
  mounts_.reset();
  cache_ = {};
}

// ---- starts ----

/// One question at a time, answered before the next is read.
void Block::on_ready() {
  for (hashed_ = 0; events_.valid() && hashed_ < kHashedATurn;) {
    fanotify_event_metadata event{};
    const ssize_t n = ::read(events_.get(), &event, sizeof event);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n != static_cast<ssize_t>(sizeof event) || event.vers != FANOTIFY_METADATA_VERSION) {
      ++counters_.lost;
      return;
    }
    if (event.fd < 0) {  // FAN_Q_OVERFLOW
      ++counters_.lost;
      continue;
    }
    const UniqueFd file{event.fd};
    ++counters_.seen;
    const bool starts = may_start(file.get(), event.pid);
    const fanotify_response response{.fd = file.get(),
                                     .response = starts ? std::uint32_t{FAN_ALLOW} : std::uint32_t{FAN_DENY}};
    // The start may have been given up meanwhile (ENOENT).
    (void)!::write(events_.get(), &response, sizeof response);
  }
}

bool Block::may_start(int file, pid_t pid) {
  if (pid == ::getpid()) return true;
  struct stat info{};
  if (::fstat(file, &info) != 0) {
    unchecked(file, pid, std::strerror(errno));
    return true;
  }
  const auto hash = hash_of(file, info, pid);
  const BlockedProgram* const blocked = hash ? list_.find(*hash) : nullptr;
  if (blocked == nullptr) return true;
  ++counters_.refused;
  notice(Notice::refused, blocked->command_id, file, pid, "was not started: SHA-256 " + to_hex(*hash) + " is blocked");
  return false;
}

Block::FileKey Block::key_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, ns_of(info.st_mtim), ns_of(info.st_ctim)};
}

/// nullopt: too large or unreadable, which is counted and said here.
std::optional<Sha256> Block::hash_of(int file, const struct stat& info, pid_t pid) {
  const FileKey key = key_of(info);
  const std::uint64_t name[] = {key.device, key.inode};
  Cached& cached = cache_[fnv1a64(std::as_bytes(std::span(name))) % cache_.size()];
  if (cached.key == key) {
    if (!cached.hash) ++counters_.unchecked;
    return cached.hash;
  }
  const std::size_t bytes_max = settings_.block_bytes_max;
  std::optional<Sha256> hash;
  if (std::cmp_less_equal(info.st_size, bytes_max)) {
    hash = hash_file(file, bytes_max);
    hashed_ += static_cast<std::size_t>(info.st_size);
    if (!hash) {
      unchecked(file, pid, std::strerror(errno));
      return std::nullopt;
    }
  } else {
    unchecked(file, pid, "it is larger than response.block_max, " + std::to_string(bytes_max) + " bytes");
  }
  struct stat after{};
  const std::int64_t now = loop_.clock().now().us * 1'000;
  const bool settled = !hash || now - std::max(key.modified_ns, key.changed_ns) > kSettledNs;
  if (settled && ::fstat(file, &after) == 0 && key_of(after) == key) cached = {key, hash};
  return hash;
}

// ---- what is said ----

void Block::unchecked(int file, pid_t pid, const std::string& why) {
  ++counters_.unchecked;
  notice(Notice::unchecked, "", file, pid, "was started unchecked: " + why);
}

void Block::notice(Notice kind, std::string_view command_id, int file, pid_t pid, const std::string& text) {
  NoticeLimit& limit = limits_[static_cast<std::size_t>(kind)];
  const Duration now = loop_.clock().monotonic();
  if (limit.shown == 0 || now - limit.begin >= kNoticeWindow) {
    limit.begin = now;
    limit.shown = 0;
  }
  if (limit.shown >= kNoticesMax) {
    ++limit.hidden;
    return;
  }
  ++limit.shown;
  const std::string path = path_of(file);
  JsonWriter arguments;
  arguments.begin_object().key("path").value(path).key("pid").value(std::int64_t{pid});
  std::string all = path + " " + text + " (process " + std::to_string(pid) + ")";
  if (limit.hidden > 0) all += "; " + std::to_string(limit.hidden) + " more like it were not reported";
  limit.hidden = 0;
  on_notice_(kind, command_id, arguments.end_object().take(), all);
}

}  // namespace picket::agent
