// The folder of blobs: files with opaque names, temporary until they are whole.
//
//   data/ab/ab12…     a blob; which one, only the state knows
//   temporary/…       on its way; removed at the start
//   blocks/<sha-256 of hub and blob>/<block id in hex>   staged until a list joins them
//
// No name from outside becomes part of a path.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/file.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::hub {

struct BlobLimits {
  std::uint64_t bytes_max = 0;
  std::uint64_t reserve_bytes = 0;
};

/// A file nobody else sees yet; unlinked when it is destroyed before it was published.
class TemporaryFile {
 public:
  TemporaryFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  void published() { path_.clear(); }

 private:
  std::string path_;
  UniqueFd fd_;
};

/// Accounts are thread-safe; what changes files under data/ and blocks/ is called on one thread (the worker's).
class BlobStore {
 public:
  /// Makes the folders, removes temporary files, adds up the blocks. `used`: bytes of all blobs. Errors: io.
  static Result<std::unique_ptr<BlobStore>> open(std::string directory, std::uint64_t used, BlobLimits limits);

  /// Takes room for `bytes`. Errors: limit_exceeded "files.total", "files.disk_reserve"; nothing is taken then.
  Result<> take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_ -= bytes; }
  [[nodiscard]] std::uint64_t used() const { return used_; }

  Result<TemporaryFile> make_temporary();
  /// Durable under data/ when it returns. Returns the opaque name.
  Result<std::string> publish(TemporaryFile& file);
  Result<UniqueFd> open_blob(std::string_view file) const;
  /// Unlinks it and gives its room back.
  void remove_blob(std::string_view file, std::uint64_t size_bytes);

  /// One of this name before is replaced. Its room was taken by the caller; that of the one before is given back.
  /// Errors: limit_exceeded "files.blocks".
  Result<> publish_block(TemporaryFile& file, std::string_view blob, std::string_view block_id, Timestamp now);
  /// Writes the blocks one after the other; takes room for the copy. Returns the size. Errors: not_found
  /// "files.block"; limit_exceeded "files.blob_size" and those of take().
  Result<std::uint64_t> join(std::string_view blob, const std::vector<std::string>& block_ids, TemporaryFile& into,
                             std::uint64_t size_max);
  void remove_blocks(std::string_view blob);
  /// Blobs whose newest block is older than `before`.
  void remove_old_blocks(Timestamp before);
  /// Files under data/ that are older than this store's opening and that `is_known` does not know. Returns how many.
  std::uint64_t remove_orphans(const std::function<bool(std::string_view)>& is_known);

 private:
  BlobStore(std::string directory, std::uint64_t used, BlobLimits limits)
      : directory_(std::move(directory)), limits_(limits), used_(used) {}
  [[nodiscard]] std::string blob_path(std::string_view file) const;
  [[nodiscard]] std::string block_folder(std::string_view blob) const;
  void remove_block_folder(const std::string& folder);

  const std::string directory_;
  const BlobLimits limits_;
  std::atomic<std::uint64_t> used_;
  std::int64_t opened_ = 0;  ///< System time in seconds.
};

/// A block takes at least this much room: many small ones cost more than their bytes.
inline constexpr std::uint64_t kBlockRoomMin = 4096;

}  // namespace picket::hub
