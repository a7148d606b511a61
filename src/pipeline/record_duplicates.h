// Which records, and which events of a message, are left out since they were here before: by the state, or, in a
// replay, by the list of what was left out the first time (docs/decisions/rows-before-detection.md).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/hash.h"
#include "duplicates.h"
#include "journal/record.h"
#include "message/decoder.h"
#include "pass.h"
#include "pipeline/stats.h"
#include "skipped_book.h"

namespace picket::pipeline {

/// Each record is asked about once in each pass that it takes, in the order of the journal.
class RecordDuplicates {
 public:
  explicit RecordDuplicates(SipKey key) : key_(key) {}

  /// Before each record: forgets what is too old to matter.
  void begin(const journal::RecordView& record, Pass pass);
  /// The whole message: by its place in the sender's stream, else by its message id. `message` is nullptr when it
  /// cannot be read.
  bool has_message(const journal::RecordView& record, const message::SecurityMessage* message, Pass pass);
  /// By event of the message, for those that cannot be told apart as a whole; empty: none is a duplicate. Two events of
  /// one message may share an id.
  std::vector<bool> events(const journal::RecordView& record, const message::SecurityMessage& message, Pass pass);
  /// A record that `is_double`, which remembers it, knows or does not know.
  template <typename IsDouble>
  bool has_record(const journal::RecordView& record, Pass pass, IsDouble is_double) {
    if (!decides(record, pass)) return skipped_whole(record);
    const bool found = is_double(record);
    if (found) skipped_.add({record.id.sequence});
    return found;
  }

  /// See Engine::resume.
  void resume(std::uint64_t last, SkippedBook skipped);
  [[nodiscard]] SkippedBook& skipped() { return skipped_; }
  [[nodiscard]] std::array<StatePart*, 2> parts() { return {&streams_, &fingerprints_}; }
  void add_stats(Stats& stats) const;

 private:
  /// Whether the state tells; else what was skipped before.
  [[nodiscard]] bool decides(const journal::RecordView& record, Pass pass) const;
  [[nodiscard]] bool skipped_whole(const journal::RecordView& record) const;
  std::vector<bool> skipped_events(const journal::RecordView& record, const message::SecurityMessage& message) const;
  std::vector<bool> seen_events(const journal::RecordView& record, const message::SecurityMessage& message);
  bool seen_message(const journal::RecordView& record, const message::SecurityMessage* message);
  [[nodiscard]] std::uint64_t fingerprint(std::string_view sender, char kind, std::string_view id) const;

  SipKey key_;
  StreamDuplicates streams_;
  FingerprintDuplicates fingerprints_;
  SkippedBook skipped_;
  std::uint64_t resumed_after_ = 0;
};

}  // namespace picket::pipeline
