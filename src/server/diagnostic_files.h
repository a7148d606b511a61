// Hourly files of the storage sink, laid out as Azure's blob containers are (docs/formats/diagnostics.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/file.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::server {

/// One line that is to be stored. Lines of one hub and category come in the order of their records.
struct DiagnosticEntry {
  std::string_view category;
  std::string_view resource_id;
  Timestamp enqueued;        ///< Chooses the hour.
  std::uint64_t record = 0;  ///< Sequence of the journal record; the line ends with `"recordId":N}`.
  std::string_view json;
};

/// One thread. Exactly once: a file ends with the number of its last record, so that what is offered again after a
/// crash is recognised, and half a line is cut off.
class DiagnosticFiles {
 public:
  /// All files together stay below `bytes_max`: the oldest hours go.
  DiagnosticFiles(std::string directory, std::uint64_t bytes_max)
      : directory_(std::move(directory)), bytes_max_(bytes_max) {}

  enum class Kept : std::uint8_t { written, repeated, no_room };
  /// Counts what is there. Errors: io.
  Result<> recover();
  /// no_room: files of this hour alone reach the bound, or the line is longer than kLineBytesMax. Errors: io; nothing
  /// of the line stays.
  Result<Kept> append(const DiagnosticEntry& entry);
  /// Everything appended is on the disk afterwards.
  Result<> sync();
  /// Closes files of hours before that of `now`; they are synced.
  void close_before(Timestamp now);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t removed() const { return removed_; }

  static constexpr std::size_t kLineBytesMax = 64 * 1024;
  static constexpr std::size_t kOpenMax = 128;

 private:
  struct Open {
    std::string path;
    std::string hour;
    UniqueFd fd;
    std::uint64_t bytes = 0;
    std::uint64_t last = 0;  ///< Newest record in it; 0: none.
    bool dirty = false;
  };
  using Key = std::pair<std::string, std::string>;  // category, resource id
  Result<Open*> file_for(const DiagnosticEntry& entry);
  Result<Open> open(const DiagnosticEntry& entry, const std::string& hour) const;
  bool make_room(std::uint64_t more, std::string_view hour);

  std::string directory_;
  std::uint64_t bytes_max_;
  std::map<Key, Open> open_;
  std::map<Key, std::uint64_t> sizes_;  ///< (hour, path): all files, oldest hour first.
  std::uint64_t bytes_ = 0;
  std::uint64_t removed_ = 0;
};

}  // namespace picket::server
