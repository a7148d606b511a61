// One segment of the spool: a file, or the same bytes in memory while the disk refuses them.
#pragma once

#include <string>

#include "base/core/file.h"
#include "spool_format.h"

namespace picket::agent {

/// Append-only. Entries are never changed; the whole segment goes at once when nothing in it is needed.
class SpoolSegment {
 public:
  /// An entry whose place is known and whose bytes were whole when they were read.
  struct Found {
    spool_format::EntryHeader header;
    std::uint64_t offset = 0;
  };

  /// In memory when `path` is empty. Errors: io.
  static Result<std::unique_ptr<SpoolSegment>> create(const std::string& path,
                                                      const spool_format::SegmentHeader& header);
  /// Reads a file, cuts a torn tail and counts damage in the middle. `each` gets every whole entry.
  /// Errors: io, malformed (no valid header), unsupported.
  template <class Each>
  static Result<std::unique_ptr<SpoolSegment>> load(const std::string& path, Each&& each) {
    std::vector<Found> found;
    TRY(auto segment, load_file(path, found));
    for (const Found& entry : found) each(*segment, entry.header);
    return segment;
  }

  /// Errors: io; the segment then is as it was.
  Result<> append(Bytes entry);
  /// nullopt at the end. Errors: as read_entry_header.
  Result<std::optional<spool_format::EntryHeader>> header_at(std::uint64_t offset) const;
  /// Errors: io, malformed (damaged since it was written).
  Result<Buffer> payload_at(std::uint64_t offset, const spool_format::EntryHeader& header) const;
  Result<> sync();
  /// Unlinks the file, if there is one.
  void remove();

  [[nodiscard]] const spool_format::SegmentHeader& header() const { return header_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool in_memory() const { return !fd_.valid(); }
  [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

  std::uint64_t live = 0;  ///< Entries neither acknowledged nor dropped; kept by the spool.

 private:
  static Result<std::unique_ptr<SpoolSegment>> load_file(const std::string& path, std::vector<Found>& found);
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const;

  std::string path_;
  UniqueFd fd_;
  Buffer memory_;
  spool_format::SegmentHeader header_;
  std::uint64_t size_ = 0;
  std::uint64_t cut_bytes_ = 0;
  std::uint64_t damaged_ = 0;
  bool dirty_ = false;
};

}  // namespace picket::agent
