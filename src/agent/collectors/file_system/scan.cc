// Tier "scan" of file_system: compares what files are with what they were at the last look.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/core/hash.h"
#include "file_system/file_reporter.h"
#include "file_system/tiers.h"
#include "file_system/tree_walk.h"

namespace picket::agent {
namespace {

using message::FileMask;

constexpr std::size_t kFilesMax = 8192;   // remembered: about 1.5 MB
constexpr std::size_t kFilesAStep = 200;  // between two turns of the loop
constexpr std::size_t kHashesAStep = 16;  // files may be read to see that they changed
constexpr Duration kNextStep = Duration::milliseconds(5);

/// What of a file is compared.
struct Known {
  std::uint64_t inode = 0, size = 0, content = 0;  // content: of the hash; 0 where it is not taken
  std::int64_t modified_ns = 0, changed_ns = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0, round = 0;
};

std::int64_t ns(const struct statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

class FileSystemScan final : public Source {
 public:
  explicit FileSystemScan(const Environment& environment)
      : environment_(environment),
        list_(environment.settings.file_system_paths, environment.settings.file_system_recursive),
        walk_(list_),
        reporter_(environment, {"file_system", "scan", true}) {
    walk_.start();
  }

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return reporter_.counters(); }

  Duration on_timer() override {
    const Moment now = moment_of(environment_.clock);
    if (!walk_.going()) {
      if (now.monotonic < due_) return due_ - now.monotonic;
      ++round_;
      walk_.start();
    }
    reporter_.begin_batch();
    hashes_left_ = kHashesAStep;
    while (hashes_left_ > 0) {
      if (!walk_.step(1, [&](const WalkedFile& file) { look_at(file, now); })) return end_round(now);
      if (++step_ % kFilesAStep == 0) break;
    }
    return kNextStep;
  }

 private:
  void look_at(const WalkedFile& file, Moment now) {
    Known fresh{.inode = file.status.stx_ino,
                .size = file.is_folder() ? 0 : file.status.stx_size,
                .modified_ns = file.is_folder() ? 0 : ns(file.status.stx_mtime),
                .changed_ns = file.is_folder() ? 0 : ns(file.status.stx_ctime),
                .mode = file.status.stx_mode,
                .uid = file.status.stx_uid,
                .gid = file.status.stx_gid,
                .round = round_};
    key_.assign(file.path);
    const auto at = files_.find(key_);
    if (at == files_.end()) return meet(file, fresh, now);
    Known& known = at->second;
    if (known.round == round_ && round_ > 0) return;  // met twice in one walk
    fresh.content = known.changed_ns == fresh.changed_ns ? known.content : content_of(file);
    const auto mask = difference(known, fresh);
    known = fresh;
    if (mask) report(*mask, file.path, file.is_folder(), now);
  }

  void meet(const WalkedFile& file, Known& fresh, Moment now) {
    if (files_.size() == kFilesMax) {
      if (round_ == 0) reporter_.refused();  // once each, at the first look
      return;
    }
    fresh.content = content_of(file);
    files_.emplace(key_, fresh);
    if (round_ > 0) report(FileMask::Created, file.path, file.is_folder(), now);
  }

  /// With the content, a file whose times were set back is still seen to have changed.
  std::uint64_t content_of(const WalkedFile& file) {
    if (!S_ISREG(file.status.stx_mode) || environment_.settings.file_system_hash_max == 0) return 0;
    if (file.status.stx_size > environment_.settings.file_system_hash_max) return 0;
    if (hashes_left_ > 0) --hashes_left_;
    return fnv1a64(as_bytes(hash_of_file(std::string(file.path), environment_.settings.file_system_hash_max)));
  }

  static std::optional<FileMask> difference(const Known& known, const Known& fresh) {
    if (known.inode != fresh.inode || known.size != fresh.size || known.modified_ns != fresh.modified_ns ||
        known.content != fresh.content) {
      return FileMask::Modified;
    }
    if (known.mode != fresh.mode || known.uid != fresh.uid || known.gid != fresh.gid ||
        known.changed_ns != fresh.changed_ns) {
      return FileMask::MetadataChanged;
    }
    return std::nullopt;
  }

  Duration end_round(Moment now) {
    for (auto at = files_.begin(); at != files_.end();) {
      if (at->second.round == round_) {
        ++at;
        continue;
      }
      report(FileMask::Deleted, at->first, S_ISDIR(at->second.mode), now);
      at = files_.erase(at);
    }
    for (std::size_t i = walk_.take_left_out(); i > 0 && round_ == 0; --i) reporter_.refused();
    due_ = now.monotonic + environment_.settings.file_system_scan_every;
    return environment_.settings.file_system_scan_every;
  }

  void report(FileMask mask, std::string_view path, bool is_folder, Moment now) {
    reporter_.report({.mask = mask, .path = path, .is_folder = is_folder}, now);
  }

  Environment environment_;
  WatchList list_;
  TreeWalk walk_;
  FileReporter reporter_;
  std::unordered_map<std::string, Known> files_;
  std::string key_;
  std::uint32_t round_ = 0;
  std::size_t step_ = 0, hashes_left_ = 0;
  Duration due_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_file_system_scan(const Environment& environment) {
  return std::make_unique<FileSystemScan>(environment);
}

}  // namespace picket::agent
