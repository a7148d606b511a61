// What devices say of their software, from the journal into the fleet's inventory.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/core/time.h"
#include "journal/position.h"
#include "journal/record.h"
#include "message/decoder.h"
#include "vulnerability/desk.h"

namespace picket::server {

/// apply() is what pipeline::start_projector calls. Its position stands in the inventory's log; events are applied
/// again after a crash, which changes nothing.
class SoftwareReader {
 public:
  SoftwareReader(vulnerability::Desk& desk, const Clock& clock) : desk_(desk), clock_(clock) {}

  Result<> apply(const journal::RecordView& record, const journal::Position& after);

  struct Stats {
    std::uint64_t events = 0;
    std::uint64_t items = 0;
    std::uint64_t rejected = 0;  ///< Items without a name, events of unreadable messages are the pipeline's to report.
  };
  [[nodiscard]] Stats stats() const { return {events_, items_, rejected_}; }

 private:
  bool read_message(const journal::RecordView& record);

  vulnerability::Desk& desk_;
  const Clock& clock_;
  message::Decoder decoder_;
  Timestamp committed_at_;
  std::atomic<std::uint64_t> events_ = 0, items_ = 0, rejected_ = 0;
};

/// Gets feeds over HTTP, conditionally.
vulnerability::FetchFeed make_feed_fetch();

}  // namespace picket::server
