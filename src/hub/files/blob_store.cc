#include "blob_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "hub/files.h"

namespace picket::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kCopyBytes = 1 << 20;

std::string opaque_name() {
  std::array<std::byte, kNameBytes> bytes{};
  random_bytes(bytes);
  return to_hex(bytes);
}

std::uint64_t room_of_block(std::uint64_t size) { return std::max(size, kBlockRoomMin); }

Result<> sync_data(int fd) {
  if (::fdatasync(fd) != 0) return fail_errno("files.sync");
  return {};
}

Result<> rename_to(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("files.rename");
  return {};
}

/// Calls `visit` with each entry; a folder that is not there has none.
template <class Visit>
void each(const std::string& folder, Visit visit) {
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) visit(*at);
}

std::uint64_t size_of(const fs::directory_entry& entry) {
  std::error_code code;
  const auto size = entry.file_size(code);
  return code ? 0 : size;
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(std::string directory, std::uint64_t used, BlobLimits limits) {
  for (const auto* folder : {"", "/data", "/temporary", "/blocks"}) TRY_VOID(make_directories(directory + folder));
  std::unique_ptr<BlobStore> out(new BlobStore(std::move(directory), used, limits));
  out->opened_ = ::time(nullptr);
  each(out->directory_ + "/temporary", [](const auto& entry) { ::unlink(entry.path().c_str()); });
  each(out->directory_ + "/blocks", [&](const auto& folder) {
    each(folder.path(), [&](const auto& block) { out->used_ += room_of_block(size_of(block)); });
  });
  return out;
}

Result<> BlobStore::take(std::uint64_t bytes) {
  struct statvfs disk{};
  if (::statvfs(directory_.c_str(), &disk) != 0) return fail_errno("files.statvfs");
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (free < limits_.reserve_bytes || free - limits_.reserve_bytes < bytes) {
    return fail(Errc::limit_exceeded, "files.disk_reserve");
  }
  auto before = used_.load();
  do {
    if (before > limits_.bytes_max || limits_.bytes_max - before < bytes) {
      return fail(Errc::limit_exceeded, "files.total");
    }
  } while (!used_.compare_exchange_weak(before, before + bytes));
  return {};
}

Result<TemporaryFile> BlobStore::make_temporary() {
  auto path = directory_ + "/temporary/" + opaque_name();
  TRY(auto fd, open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  return TemporaryFile(std::move(path), std::move(fd));
}

std::string BlobStore::blob_path(std::string_view file) const {
  return directory_ + "/data/" + std::string(file.substr(0, 2)) + "/" + std::string(file);
}

Result<std::string> BlobStore::publish(TemporaryFile& file) {
  TRY_VOID(sync_data(file.fd()));
  auto name = opaque_name();
  const auto folder = directory_ + "/data/" + name.substr(0, 2);
  if (::mkdir(folder.c_str(), 0700) == 0) {
    TRY_VOID(sync_directory(directory_ + "/data"));
  } else if (errno != EEXIST) {
    return fail_errno("files.mkdir");
  }
  TRY_VOID(rename_to(file.path(), blob_path(name)));
  file.published();
  TRY_VOID(sync_directory(folder));
  return name;
}

Result<UniqueFd> BlobStore::open_blob(std::string_view file) const { return open_file(blob_path(file), O_RDONLY); }

void BlobStore::remove_blob(std::string_view file, std::uint64_t size_bytes) {
  ::unlink(blob_path(file).c_str());
  give_back(size_bytes);
}

std::string BlobStore::block_folder(std::string_view blob) const {
  return directory_ + "/blocks/" + to_hex(sha256(as_bytes(blob)));
}

Result<> BlobStore::publish_block(TemporaryFile& file, std::string_view blob, std::string_view block_id,
                                  Timestamp now) {
  const auto folder = block_folder(blob);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("files.mkdir");
  const auto path = folder + "/" + to_hex(as_bytes(block_id));
  struct stat old{};
  const bool replaces = ::stat(path.c_str(), &old) == 0;
  std::size_t count = 0;
  each(folder, [&](const auto&) { ++count; });
  if (!replaces && count >= kBlocksMax) return fail(Errc::limit_exceeded, "files.blocks");
  TRY_VOID(sync_data(file.fd()));
  const timespec modified{.tv_sec = now.us / 1'000'000, .tv_nsec = now.us % 1'000'000 * 1000};
  const timespec times[] = {modified, modified};
  if (::futimens(file.fd(), times) != 0) return fail_errno("files.time");
  TRY_VOID(rename_to(file.path(), path));
  file.published();
  if (replaces) give_back(room_of_block(static_cast<std::uint64_t>(old.st_size)));
  return {};
}

Result<std::uint64_t> BlobStore::join(std::string_view blob, const std::vector<std::string>& block_ids,
                                      TemporaryFile& into, std::uint64_t size_max) {
  const auto folder = block_folder(blob);
  std::vector<std::byte> buffer(kCopyBytes);
  std::uint64_t size = 0;
  const auto copy = [&]() -> Result<> {
    for (const auto& id : block_ids) {
      const auto path = folder + "/" + to_hex(as_bytes(id));
      if (::access(path.c_str(), F_OK) != 0) return fail(Errc::not_found, "files.block");
      TRY(const auto block, open_file(path, O_RDONLY));
      for (;;) {
        const auto got = ::read(block.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("files.read");
        if (got == 0) break;
        const auto bytes = static_cast<std::uint64_t>(got);
        if (bytes > size_max - size) return fail(Errc::limit_exceeded, "files.blob_size");
        TRY_VOID(take(bytes));
        size += bytes;
        TRY_VOID(write_all(into.fd(), Bytes(buffer).first(bytes)));
      }
    }
    return {};
  };
  if (auto copied = copy(); !copied) {
    give_back(size);
    return std::unexpected(copied.error());
  }
  return size;
}

void BlobStore::remove_block_folder(const std::string& folder) {
  each(folder, [&](const auto& block) {
    const auto room = room_of_block(size_of(block));
    if (::unlink(block.path().c_str()) == 0) give_back(room);
  });
  ::rmdir(folder.c_str());
}

void BlobStore::remove_blocks(std::string_view blob) { remove_block_folder(block_folder(blob)); }

void BlobStore::remove_old_blocks(Timestamp before) {
  std::vector<std::string> old;
  each(directory_ + "/blocks", [&](const auto& folder) {
    bool young = false;
    each(folder.path(), [&](const auto& block) {
      struct stat facts{};
      young = young || (::stat(block.path().c_str(), &facts) == 0 && facts.st_mtim.tv_sec >= before.us / 1'000'000);
    });
    if (!young) old.push_back(folder.path());
  });
  for (const auto& folder : old) remove_block_folder(folder);
}

std::uint64_t BlobStore::remove_orphans(const std::function<bool(std::string_view)>& is_known) {
  std::uint64_t removed = 0;
  each(directory_ + "/data", [&](const auto& folder) {
    each(folder.path(), [&](const auto& file) {
      struct stat facts{};
      // Younger ones are on their way into the state. ctime: renaming sets it.
      if (::stat(file.path().c_str(), &facts) != 0 || facts.st_ctim.tv_sec >= opened_) return;
      if (is_known(file.path().filename().string())) return;
      if (::unlink(file.path().c_str()) == 0) ++removed;
    });
  });
  return removed;
}

}  // namespace picket::hub
