// The segment files of a journal folder: what is there, and what has to be repaired before it is used.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/file.h"
#include "format.h"
#include "journal/journal.h"
#include "segment_reader.h"

namespace picket::journal {

struct Segment {
  std::string path;
  std::uint64_t first_sequence = 0;
  std::uint64_t bytes = 0;  ///< Durable length, with the header.
  Timestamp created;
  std::uint32_t salt = 0;
  bool readable = true;  ///< False: its header is damaged, so nothing in it can be trusted.
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  UniqueFd fd_;
};

/// What the appender goes on with.
struct Recovered {
  std::vector<Segment> segments;    ///< By first sequence.
  std::uint64_t next_sequence = 1;  ///< Never one that was durable before.
  Timestamp last_enqueued;
  bool needs_new_segment = true;  ///< The last segment must not be written to.
  OpenReport report;
};

/// Lists the folder, reads the newest segment through, cuts its torn tail. `durable_end` comes from DIR/positions.
Result<Recovered> recover_segments(const std::string& directory, std::uint64_t durable_end,
                                   const std::function<void(std::string_view)>& log);

struct NewSegment {
  Segment segment;
  UniqueFd fd;
};
/// Makes a segment durable in the folder before the first record goes into it.
Result<NewSegment> create_segment(const std::string& directory, std::uint64_t first_sequence, Timestamp created);

}  // namespace picket::journal
