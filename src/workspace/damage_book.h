// Which files are known to be lost or damaged.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest.h"
#include "workspace/damage.h"

namespace picket::workspace {

/// A file that should be `bytes` long: "is lost", "is cut: …", "is longer than …"; nullopt: it has its size. Errors:
/// io, when nobody can tell.
Result<std::optional<std::string>> size_problem(const std::string& path, std::uint64_t bytes);

/// Thread-safe.
class DamageBook {
 public:
  /// `directory`: DIR/segments, absolute.
  explicit DamageBook(std::string directory) : directory_(std::move(directory)) {}

  /// `path`: a file of `segment`, which lies in the folder of its stream. True: this is news.
  bool note(const std::string& path, const SegmentInfo& segment, std::string problem);
  [[nodiscard]] std::optional<DamagedFile> find(const std::string& path) const;
  /// Whether a file of the segment is damaged; `stream_directory`: where its files are.
  [[nodiscard]] bool touches(const std::string& stream_directory, const SegmentInfo& segment) const;
  /// The file has left the manifest.
  void forget(const std::string& path);
  /// Forgets what has been put back: files that have their size and are not those that were noted. Their paths.
  std::vector<std::string> take_restored();
  /// By path.
  [[nodiscard]] std::vector<DamagedFile> list() const;
  [[nodiscard]] std::size_t size() const;

 private:
  /// Which file it was: one that was put back is another, or was written since.
  struct Identity {
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Entry {
    DamagedFile file;
    std::uint64_t bytes = 0;  ///< That it should have.
    Identity identity;
  };
  static Identity identity_of(const std::string& path);

  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  ///< By path.
};

}  // namespace picket::workspace
