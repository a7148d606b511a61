#include <algorithm>
#include <memory>
#include <mutex>

#include "journal/journal.h"

namespace picket::journal {
namespace {

/// What is known of records that were appended one by one.
struct Together {
  std::mutex mutex;
  std::size_t waiting = 0;
  std::optional<Error> failed;
  RecordId newest;
  OnDurable on_durable;

  void one_done(Result<RecordId> result) {
    bool last = false;
    {
      const std::scoped_lock lock(mutex);
      if (!result && !failed) failed = result.error();
      if (result) newest = std::max(newest, *result);
      last = --waiting == 0;
    }
    if (last) on_durable(failed ? Result<RecordId>(std::unexpected(*failed)) : Result<RecordId>(newest));
  }
};

}  // namespace

// For journals without a way of their own. A record that is refused behind others that were taken makes the answer a
// failure: the caller sends all again, and some are then there twice.
Result<> Journal::append_all(std::span<const Record> records, OnDurable on_durable) {
  const auto together = std::make_shared<Together>();
  together->waiting = records.size() + 1;
  together->on_durable = std::move(on_durable);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto taken =
        append(records[i], [together](Result<RecordId> result) { together->one_done(std::move(result)); });
    if (taken) continue;
    if (i == 0) return taken;
    for (std::size_t missing = i; missing < records.size(); ++missing) {
      together->one_done(std::unexpected(taken.error()));
    }
    break;
  }
  together->one_done(RecordId{});
  return {};
}

}  // namespace picket::journal
