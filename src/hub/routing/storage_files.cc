#include "storage_files.h"

#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::hub {
namespace {

constexpr std::string_view kPart = ".part";

/// "2026/11/22/01/24" and nothing else: the parts of the path come from a clock.
std::string minute_path(Timestamp now) {
  const std::string text = format_rfc3339(now);  // 2026-11-22T01:24:…
  return fmt::format("{}/{}/{}/{}/{}", text.substr(0, 4), text.substr(5, 2), text.substr(8, 2), text.substr(11, 2),
                     text.substr(14, 2));
}

/// A hub's name is an identifier of the operator, checked when it was made; still only its harmless characters are
/// used.
std::string folder_name(std::string_view hub) {
  std::string out;
  for (const char c : hub) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    out += plain ? c : '_';
  }
  return out;
}

}  // namespace

Result<std::uint64_t> StorageFiles::recover() {
  std::uint64_t finished = 0;
  std::error_code failed;
  if (!std::filesystem::exists(directory_, failed)) return finished;
  for (auto at = std::filesystem::recursive_directory_iterator(directory_, failed);
       !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    const std::string path = at->path();
    if (!path.ends_with(kPart) || !at->is_regular_file(failed)) continue;
    const std::string done = path.substr(0, path.size() - kPart.size());
    if (::rename(path.c_str(), done.c_str()) != 0) return fail_errno("routes.storage.recover");
    ++finished;
  }
  if (failed) return fail(Errc::io, "routes.storage.recover");
  return finished;
}

Result<StorageFiles::Open> StorageFiles::open(const StorageEndpoint& endpoint, std::string_view hub,
                                              std::uint16_t partition, Timestamp now) const {
  const std::string minute = minute_path(now);
  const std::string folder = fmt::format("{}/{}/{}/{:02}/{}", directory_, endpoint.container, folder_name(hub),
                                         partition, minute.substr(0, minute.rfind('/')));
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail(Errc::io, "routes.storage.folder");
  Open out{.bytes_max = endpoint.chunk_bytes, .due = now + endpoint.batch_time};
  // Several files may fall into one minute: size, restarts.
  for (int number = 0; number < 10'000; ++number) {
    out.path = fmt::format("{}/{}{}.json", folder, minute.substr(minute.rfind('/') + 1),
                           number == 0 ? "" : fmt::format("-{}", number));
    if (std::filesystem::exists(out.path, failed)) continue;
    out.fd.reset(
        ::open((out.path + std::string(kPart)).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0600));
    if (out.fd.valid()) return out;
    if (errno != EEXIST) return fail_errno("routes.storage.open");
  }
  return fail(Errc::limit_exceeded, "routes.storage.names");
}

Result<> StorageFiles::append(const StorageEndpoint& endpoint, std::string_view hub, std::uint16_t partition,
                              Timestamp now, std::string_view line) {
  const Key key{endpoint.name, std::string(hub), partition};
  auto found = open_.find(key);
  if (found != open_.end() && found->second.bytes > 0 && found->second.bytes + line.size() > found->second.bytes_max) {
    TRY_VOID(finish(found->second));
    open_.erase(found);
    found = open_.end();
  }
  if (found == open_.end()) {
    TRY(auto file, open(endpoint, hub, partition, now));
    found = open_.emplace(key, std::move(file)).first;
  }
  Open& file = found->second;
  std::size_t written = 0;
  while (written < line.size()) {
    const auto n = ::write(file.fd.get(), line.data() + written, line.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const auto failed = fail_errno("routes.storage.write");
      if (::ftruncate(file.fd.get(), static_cast<off_t>(file.bytes)) != 0) {
        open_.erase(found);  // the half line ends the file; the message is written again into the next
      }
      return failed;
    }
    written += static_cast<std::size_t>(n);
  }
  file.bytes += line.size();
  file.dirty = true;
  return {};
}

Result<> StorageFiles::sync() {
  for (auto& [key, file] : open_) {
    if (!file.dirty) continue;
    if (::fdatasync(file.fd.get()) != 0) return fail_errno("routes.storage.sync");
    file.dirty = false;
  }
  return {};
}

Result<> StorageFiles::finish(Open& file) {
  if (::fsync(file.fd.get()) != 0) return fail_errno("routes.storage.sync");
  if (::rename((file.path + std::string(kPart)).c_str(), file.path.c_str()) != 0) {
    return fail_errno("routes.storage.finish");
  }
  return {};
}

Result<std::uint64_t> StorageFiles::finish_due(Timestamp now) {
  std::uint64_t finished = 0;
  for (auto at = open_.begin(); at != open_.end();) {
    if (at->second.due > now) {
      ++at;
      continue;
    }
    TRY_VOID(finish(at->second));
    at = open_.erase(at);
    ++finished;
  }
  return finished;
}

Result<std::uint64_t> StorageFiles::finish_all() { return finish_due(kTimestampMax); }

}  // namespace picket::hub
