#include "server/backup.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_list.h"
#include "base/core/file.h"
#include "base/core/hash.h"
#include "data_directory.h"
#include "workspace/files.h"

namespace picket::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 1U << 20;
constexpr std::size_t kVersionBytesMax = 4096;
constexpr std::size_t kManifestBytesMax = 64U << 20;
/// Of a folder whose files come and go: so often is it copied anew until nothing changed meanwhile.
constexpr int kAttemptsMax = 8;
constexpr int kBusyMs = 10'000;

// The order makes the copy whole: who reads something is copied before what it reads. Positions that the state, the
// checkpoints and the tables remember so lie within the journals' copies, as after a crash.
constexpr std::string_view kState = "state";
constexpr std::string_view kSegments = "segments";
constexpr std::string_view kDerived = "derived";
constexpr std::string_view kJournal = "journal";

Result<> io_error(std::string_view where, const std::error_code& error) {
  return std::unexpected(Error{Errc::io, where, 0, error.value()});
}

bool is_empty_or_new(const std::string& path) {
  std::error_code error;
  return !fs::exists(path, error) || (fs::is_directory(path, error) && fs::is_empty(path, error));
}

/// Files that are no content: locks, what is half made, and what SQLite keeps beside its database.
bool is_content(const fs::path& path) {
  const std::string name = path.filename().string();
  return name != "lock" && !name.ends_with(".tmp") && !name.ends_with("-wal") && !name.ends_with("-shm") &&
         path.string().find("/.spill/") == std::string::npos;
}

/// Copies and sums one file; with an empty `to` only sums it. not_found: it is not there any more.
Result<BackupFile> copy_file(const std::string& from, const std::string& to, std::string path) {
  TRY(const UniqueFd in, open_file(from, O_RDONLY | O_CLOEXEC));
  UniqueFd out;
  if (!to.empty()) {
    TRY_VOID(make_directories(fs::path(to).parent_path().string()));
    TRY(out, open_file(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC));
  }
  BackupFile file{std::move(path), 0, 0};
  std::vector<std::byte> buffer(kCopyBytes);
  for (;;) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("backup.read");
    if (n == 0) break;
    const Bytes bytes = Bytes(buffer).first(static_cast<std::size_t>(n));
    if (out.valid()) TRY_VOID(write_all(out.get(), bytes));
    file.crc = crc32c(bytes, file.crc);
    file.bytes += bytes.size();
  }
  if (out.valid() && ::fsync(out.get()) != 0) return fail_errno("backup.sync");
  return file;
}

class BackupMaker {
 public:
  BackupMaker(std::string data, std::string backup, std::string& detail)
      : data_(std::move(data)), backup_(std::move(backup)), detail_(detail) {}

  Result<std::vector<BackupFile>> run() {
    TRY_VOID(copy("VERSION"));
    TRY_VOID(copy_state());
    TRY_VOID(copy_others());
    std::error_code error;
    for (const auto& stream : fs::directory_iterator(data_ + "/" + std::string(kSegments), error)) {
      if (stream.is_directory(error) && stream.path().filename() != ".spill") {
        TRY_VOID(copy_segments(stream.path().filename().string()));
      }
    }
    TRY_VOID(copy_journal(std::string(kDerived)));
    TRY_VOID(copy_journal(std::string(kJournal)));
    std::vector<BackupFile> out;
    for (auto& [path, file] : files_) out.push_back(std::move(file));
    return out;
  }

 private:
  Result<> copy(const std::string& path) {
    detail_ = data_ + "/" + path;
    TRY(BackupFile file, copy_file(data_ + "/" + path, backup_ + "/" + path, path));
    files_.insert_or_assign(path, std::move(file));
    return {};
  }

  /// As SQLite makes a copy: one moment of a database that others write.
  Result<> copy_state() {
    const std::string path = std::string(kState) + "/state.sqlite";
    detail_ = data_ + "/" + path;
    if (!fs::exists(detail_)) return {};
    TRY_VOID(make_directories(backup_ + "/" + std::string(kState)));
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(detail_.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, sqlite3_close);
    if (code != SQLITE_OK) return fail(Errc::io, "backup.state");
    sqlite3_busy_timeout(opened, kBusyMs);
    char* sql = sqlite3_mprintf("VACUUM INTO %Q", (backup_ + "/" + path + ".copy").c_str());
    const int done = sqlite3_exec(opened, sql, nullptr, nullptr, nullptr);
    sqlite3_free(sql);
    if (done != SQLITE_OK) return fail(Errc::io, "backup.state", static_cast<std::uint64_t>(done));
    TRY(BackupFile file, copy_file(backup_ + "/" + path + ".copy", backup_ + "/" + path, path));
    ::unlink((backup_ + "/" + path + ".copy").c_str());
    files_.insert_or_assign(path, std::move(file));
    return {};
  }

  using Listing = std::map<std::string, std::pair<std::uint64_t, std::int64_t>>;

  /// Files below a folder, by path: size and time of change.
  Result<Listing> list(const std::string& folder) const {
    Listing out;
    std::error_code error;
    const std::string base = data_ + "/" + folder;
    for (fs::recursive_directory_iterator at(base, error), end; !error && at != end; at.increment(error)) {
      struct stat status{};
      if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode) || !is_content(at->path())) continue;
      out[at->path().lexically_relative(data_).string()] = {
          static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
    }
    if (error) return std::unexpected(io_error("backup.list_folder", error).error());
    return out;
  }

  Result<> copy_others() {
    std::vector<std::string> folders;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(data_, error)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(error) && name != kState && name != kSegments && name != kDerived && name != kJournal) {
        folders.push_back(name);
      }
    }
    if (error) return io_error("backup.list_folder", error);
    for (const std::string& folder : folders) TRY_VOID(copy_quiet(folder));
    return {};
  }

  /// Copies a folder until nothing changed while it was copied: its files belong together (checkpoints, indexes). One
  /// that never rests is taken as it is: each of its files is made to survive a crash.
  Result<> copy_quiet(const std::string& folder) {
    Result<> last;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      TRY(const Listing before, list(folder));
      std::erase_if(files_, [&](const auto& one) { return one.first.starts_with(folder + "/"); });
      fs::remove_all(backup_ + "/" + folder);
      last = copy_all(before);
      if (!last && last.error().code != Errc::not_found) return last;
      TRY(const Listing after, list(folder));
      if (last && before == after) return {};
    }
    return last;
  }

  Result<> copy_all(const Listing& files) {
    for (const auto& [path, status] : files) TRY_VOID(copy(path));
    return {};
  }

  /// Sealed files never change, so those that one manifest names are a copy; it is read again when one has gone since.
  Result<> copy_segments(const std::string& stream) {
    const std::string folder = std::string(kSegments) + "/" + stream;
    const std::string manifest = folder + "/manifest";
    Result<> last;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      TRY_VOID(copy(manifest));
      TRY(const std::string text, read_file(backup_ + "/" + manifest, kManifestBytesMax));
      TRY(const std::vector<std::string> names, workspace::files_of_manifest(text));
      forget_others(folder, names);
      last = {};
      for (const std::string& name : names) {
        const std::string path = folder + "/" + name;
        if (files_.contains(path)) continue;
        last = copy(path);
        if (!last) break;
      }
      if (last || last.error().code != Errc::not_found) return last;
    }
    return last;
  }

  /// What an earlier manifest named and this one does not.
  void forget_others(const std::string& folder, const std::vector<std::string>& names) {
    std::erase_if(files_, [&](const auto& one) {
      const std::string& path = one.first;
      if (!path.starts_with(folder + "/") || path == folder + "/manifest") return false;
      if (std::ranges::find(names, path.substr(folder.size() + 1)) != names.end()) return false;
      ::unlink((backup_ + "/" + path).c_str());
      return true;
    });
  }

  /// Positions first, then the segments from the newest to the oldest: retention takes the oldest, and what is appended
  /// meanwhile is a torn end, which opening cuts off.
  Result<> copy_journal(const std::string& folder) {
    TRY(const Listing there, list(folder));
    std::vector<std::string> segments;
    for (const auto& [path, status] : there) {
      if (path.ends_with(".journal")) {
        segments.push_back(path);
      } else {
        TRY_VOID(copy(path));
      }
    }
    for (const std::string& path : std::vector<std::string>(segments.rbegin(), segments.rend())) {
      if (const auto done = copy(path); !done) {
        if (done.error().code == Errc::not_found) return {};
        return done;
      }
    }
    return {};
  }

  std::string data_;
  std::string backup_;
  std::string& detail_;
  std::map<std::string, BackupFile> files_;
};

BackupInfo info_of(const BackupList& list) {
  BackupInfo out{list.program, list.taken, list.files.size(), 0};
  for (const BackupFile& file : list.files) out.bytes += file.bytes;
  return out;
}

Result<BackupList> read_list(const std::string& backup, std::string& detail) {
  detail = backup + "/" + kBackupListName;
  const auto text = read_file(detail, kBackupListBytesMax);
  if (!text && text.error().code == Errc::not_found) return fail(Errc::not_found, "backup.list");
  if (!text) return std::unexpected(text.error());
  TRY(BackupList list, decode_backup_list(*text));
  if (list.data_version > kDataVersion) {
    return fail(Errc::unsupported, "backup.data_version", static_cast<std::uint64_t>(list.data_version));
  }
  return list;
}

/// Reads each file, and copies it into `target` unless that is empty.
Result<> check_files(const BackupList& list, const std::string& backup, const std::string& target,
                     std::string& detail) {
  for (const BackupFile& file : list.files) {
    detail = backup + "/" + file.path;
    const auto read = copy_file(detail, target.empty() ? "" : target + "/" + file.path, file.path);
    if (!read && read.error().code != Errc::not_found) return std::unexpected(read.error());
    if (!read || *read != file) return fail(Errc::malformed, "backup.file");
  }
  return {};
}

Result<int> data_version(const std::string& data) {
  const auto text = read_file(data + "/VERSION", kVersionBytesMax);
  if (!text) return fail(Errc::not_found, "backup.data");
  return std::atoi(text->c_str());
}

Result<> sync_folders(const std::string& root) {
  TRY_VOID(sync_directory(root));
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (at->is_directory(error)) TRY_VOID(sync_directory(at->path().string()));
  }
  return error ? io_error("backup.sync", error) : Result<>{};
}

}  // namespace

Result<BackupInfo> make_backup(const std::string& data, const std::string& backup, const std::string& program,
                               Timestamp now, std::string& detail) {
  detail = data;
  TRY(const int version, data_version(data));
  detail = backup;
  if (!is_empty_or_new(backup)) return fail(Errc::denied, "backup.target");
  TRY_VOID(make_directories(backup));
  const auto make = [&]() -> Result<BackupInfo> {
    BackupList list{program, version, now, {}};
    TRY(list.files, BackupMaker(data, backup, detail).run());
    detail = backup;
    TRY_VOID(sync_folders(backup));
    TRY_VOID(replace_file(backup + "/" + kBackupListName, as_bytes(encode_backup_list(list))));
    return info_of(list);
  };
  auto made = make();
  std::error_code ignored;
  if (!made) fs::remove_all(backup, ignored);
  return made;
}

Result<BackupInfo> check_backup(const std::string& backup, std::string& detail) {
  TRY(const BackupList list, read_list(backup, detail));
  TRY_VOID(check_files(list, backup, "", detail));
  return info_of(list);
}

Result<BackupInfo> restore_backup(const std::string& backup, const std::string& data, std::string& detail) {
  TRY(const BackupList list, read_list(backup, detail));
  detail = data;
  if (!is_empty_or_new(data)) return fail(Errc::denied, "restore.target");
  // Under another name until it is whole: half a data directory must never look like one.
  std::string half = data;
  while (half.size() > 1 && half.ends_with('/')) half.pop_back();
  half += ".restoring";
  std::error_code error;
  fs::remove_all(half, error);
  TRY_VOID(make_directories(half));
  auto done = check_files(list, backup, half, detail);
  if (done) done = sync_folders(half);
  if (done && ::rmdir(data.c_str()) != 0 && errno != ENOENT) done = fail_errno("restore.target");
  if (done && ::rename(half.c_str(), data.c_str()) != 0) done = fail_errno("restore.rename");
  if (done) done = sync_directory(fs::absolute(data).parent_path().string());
  if (!done) {
    fs::remove_all(half, error);
    return std::unexpected(done.error());
  }
  return info_of(list);
}

}  // namespace picket::server
