// Bytes of a checkpoint file: docs/formats/checkpoint.md. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "skipped_book.h"
#include "state_part.h"

namespace picket::pipeline {

struct PartVersion {
  std::string name;
  std::uint16_t version = 0;
  friend bool operator==(const PartVersion&, const PartVersion&) = default;
};

/// Changes of one part, by key.
using PartChanges = std::map<std::string, std::optional<Buffer>, std::less<>>;

struct CheckpointFile {
  std::uint64_t number = 0;
  std::uint64_t previous = 0;  ///< The checkpoint that these changes are on top of; 0: none, the file is whole.
  std::string position;        ///< In the messages journal: the state after every record before it.
  std::string derived;         ///< End of the derived journal then.
  SkippedBook skipped;         ///< Of the records before `position`.
  std::vector<PartVersion> parts;
  std::vector<PartChanges> changes;  ///< As many as parts.
};

Buffer encode_checkpoint(const CheckpointFile& file);
/// Format 1 is read too: its `skipped` knows of no record before `position`. Errors: truncated, malformed
/// "checkpoint.…"; unsupported "checkpoint.format" (its number as offset).
Result<CheckpointFile> parse_checkpoint(Bytes bytes);

}  // namespace picket::pipeline
