#include "file_collection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/collector.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "message/events.h"

namespace picket::agent {
namespace {

constexpr std::size_t kPathBytesMax = 4'095;
constexpr Origin kOrigin{"response", "response", false};

/// Kernels from 5.6 follow no link anywhere on the way; older ones not at its end, and what was opened is compared.
Result<UniqueFd> open_without_links(const std::string& path) {
  open_how how{.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY,
               .mode = 0,
               .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  UniqueFd file(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  if (file.valid() || (errno != ENOSYS && errno != EPERM)) {
    if (!file.valid()) return fail_errno("response.collect");
    return file;
  }
  file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
  if (!file.valid()) return fail_errno("response.collect");
  std::string where(kPathBytesMax, '\0');
  const std::string self = "/proc/self/fd/" + std::to_string(file.get());
  const ssize_t n = ::readlink(self.c_str(), where.data(), where.size());
  if (n < 0 || std::string_view(where.data(), static_cast<std::size_t>(n)) != path) {
    errno = ELOOP;
    return fail_errno("response.collect");
  }
  return file;
}

}  // namespace

FileCollection::FileCollection(EventLoop& loop, RecordSink& sink)
    : loop_(loop), sink_(sink), timer_(loop.add_timer([this] { send_some(); })) {}

ActionResult FileCollection::collect(const Json& arguments, std::size_t bytes_max, std::string_view command_id) {
  const auto member = arguments.find("path");
  const std::string path = member ? member->text().value_or("") : "";
  if (!path.starts_with('/') || path.size() > kPathBytesMax || path.find('\0') != std::string::npos) {
    return {400, "path must be absolute"};
  }
  if (next_ < parts_) return {409, "another file is being sent; try again in a moment"};
  const auto file = open_without_links(path);
  if (!file) {
    const int why = file.error().os_error;
    if (why == ELOOP) return {400, path + ": a symbolic link is on the way; name the file itself"};
    return {why == ENOENT || why == ENOTDIR ? 404 : 500, path + ": " + std::strerror(why)};
  }
  struct stat info{};
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return {400, path + ": is no regular file"};
  std::string content;
  content.reserve(std::min<std::size_t>(static_cast<std::size_t>(info.st_size), bytes_max) + 1);
  for (;;) {
    char bytes[16'384];
    const ssize_t n = ::read(file->get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {500, path + ": " + std::strerror(errno)};
    if (n == 0) break;
    content.append(bytes, static_cast<std::size_t>(n));
    if (content.size() > bytes_max) {
      return {413, path + ": is larger than response.collect_max, " + std::to_string(bytes_max) + " bytes"};
    }
  }
  command_id_ = command_id;
  path_ = path;
  content_ = std::move(content);
  hash_ = to_hex(sha256(as_bytes(content_)));
  next_ = 0;
  parts_ = std::max<std::size_t>(1, (content_.size() + kPartBytes - 1) / kPartBytes);
  loop_.set_timer(timer_, loop_.clock().monotonic());
  JsonWriter details;
  details.begin_object().key("bytes").value(std::uint64_t{content_.size()}).key("sha256").value(hash_);
  const std::string text = details.key("chunks").value(std::uint64_t{parts_}).end_object().take();
  return {200, path + ": " + std::to_string(content_.size()) + " bytes, SHA-256 " + hash_,
          text.substr(1, text.size() - 2)};
}

void FileCollection::send_some() {
  for (int i = 0; i < kPartsPerTurn && next_ < parts_; ++i, ++next_) {
    const std::string part = to_base64(as_bytes(std::string_view(content_).substr(next_ * kPartBytes, kPartBytes)));
    const message::CollectedFile item{.command_id = command_id_,
                                      .path = path_,
                                      .size = static_cast<std::int64_t>(content_.size()),
                                      .sha256 = hash_,
                                      .chunk = static_cast<std::int64_t>(next_),
                                      .chunks = static_cast<std::int64_t>(parts_),
                                      .content = part,
                                      .source = kOrigin.tier};
    JsonWriter json;
    message::append_payload(json, item);
    const std::string items = json.take();
    sink_.emit(EventRecord{.time = moment_of(loop_.clock()),
                           .origin = kOrigin,
                           .event = message::CollectedFile::kEvent,
                           .priority = Priority::high,
                           .items = items});
  }
  if (next_ < parts_) return loop_.set_timer(timer_, loop_.clock().monotonic() + Duration::milliseconds(1));
  content_ = std::string();  // gives its memory back
}

}  // namespace picket::agent
