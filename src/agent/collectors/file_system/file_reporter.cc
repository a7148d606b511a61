#include "file_system/file_reporter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "support/event_record.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

using message::FileMask;

std::string octal(unsigned mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + (mode >> shift & 7));
  return out;
}

}  // namespace

std::string hash_of_file(const std::string& path, std::size_t bytes_max) {
  // Not blocking: between a look and the opening it may have become a FIFO or a device.
  const UniqueFd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  if (info.st_size < 0 || static_cast<std::uint64_t>(info.st_size) > bytes_max) return {};
  Buffer content(static_cast<std::size_t>(info.st_size) + 1);  // one more, to see that it grew
  std::size_t size = 0;
  for (ssize_t n = 0; size < content.size(); size += static_cast<std::size_t>(n)) {
    n = read(fd.get(), content.data() + size, content.size() - size);
    if (n < 0) return {};
    if (n == 0) break;
  }
  if (size == content.size()) return {};  // it is being written
  return to_hex(sha256(Bytes(content).first(size)));
}

void FileReporter::report(const FileChange& change, Moment time) {
  if (change.path != last_path_ || change.mask != last_mask_ || change.pid != last_pid_) look_up(change);
  message::FileSystem item{.path = change.path,
                           .mask = change.mask,
                           .executable = executable_,
                           .user_id = user_id_,
                           .user_name = user_name_,
                           .old_path = change.old_path,
                           .hash = hash_,
                           .mode = mode_,
                           .source = origin_.tier};
  if (change.pid != 0) item.process_id = change.pid;
  std::string identity(to_string(change.mask));
  for (const std::string_view part : {change.path, change.old_path, std::string_view(executable_)}) {
    identity.append(1, '\0').append(part);
  }
  ++counters_.seen;
  if (emit_counted(environment_.sink, time, origin_, environment_.priority, identity, item)) {
    ++counters_.delivered;
    if (change.pid != 0 && executable_.empty()) ++counters_.incomplete;
  } else {
    ++counters_.dropped_user;
  }
}

void FileReporter::look_up(const FileChange& change) {
  // The process first: it may be about to end.
  if (change.pid != last_pid_ || last_path_.empty()) look_up_process(change.pid);
  last_path_ = change.path;
  last_mask_ = change.mask;
  last_pid_ = change.pid;
  mode_.clear();
  hash_.clear();
  struct stat info{};
  if (change.mask == FileMask::Deleted || lstat(last_path_.c_str(), &info) != 0) return;
  mode_ = octal(info.st_mode);
  if (S_ISREG(info.st_mode) && change.mask != FileMask::MetadataChanged &&
      environment_.settings.file_system_hash_max > 0) {
    hash_ = hash_of_file(last_path_, environment_.settings.file_system_hash_max);
  }
}

void FileReporter::look_up_process(std::uint32_t pid) {
  executable_.clear();
  user_id_.clear();
  user_name_.clear();
  if (pid == 0) return;
  const std::string folder = environment_.settings.procfs + "/" + std::to_string(pid);
  char target[kPathBytesMax];
  const ssize_t n = readlink((folder + "/exe").c_str(), target, sizeof(target));
  if (n > 0) executable_.assign(target, static_cast<std::size_t>(n));
  const auto status = read_file(folder + "/status", 8192);
  const auto ids = status ? parse_proc_status(*status) : std::nullopt;
  if (!ids) return;
  user_id_ = std::to_string(ids->euid);
  user_name_ = users_.find(ids->euid);
}

}  // namespace picket::agent
