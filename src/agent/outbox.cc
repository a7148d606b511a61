#include "agent/outbox.h"

#include <algorithm>

namespace picket::agent {

void Outbox::deliver(Priority priority, std::string_view event) {
  ++counters_.events;
  if (event.size() > kEventBytesMax) {
    ++counters_.dropped_events;
    return;
  }
  const auto index = static_cast<std::size_t>(priority);
  Batch& batch = batches_[index];
  if (batch.events.size() + 1 + event.size() > kEventBytesMax) close(index);
  if (batch.count == 0) {
    batch.due = clock_.monotonic() + (priority == Priority::urgent ? options_.gather_urgent : options_.gather);
  } else {
    batch.events.push_back(',');
  }
  batch.events += event;
  ++batch.count;
  if (batch.events.size() >= options_.batch_bytes) close(index);
}

Result<StreamId> Outbox::deliver_alone(Priority priority, std::string_view event) {
  ++counters_.events;
  ++counters_.batches;
  auto id = spool_.append(priority, as_bytes(event), spool_.time(clock_));
  if (!id) ++counters_.dropped_events;
  return id;
}

void Outbox::close(std::size_t priority) {
  Batch& batch = batches_[priority];
  if (batch.count == 0) return;
  ++counters_.batches;
  if (!spool_.append(static_cast<Priority>(priority), as_bytes(batch.events), spool_.time(clock_))) {
    counters_.dropped_events += batch.count;
  }
  batch.count = 0;
  batch.events.clear();
  // A burst may have left a large block behind; the usual batch is small.
  if (batch.events.capacity() > 16 << 10) batch.events.shrink_to_fit();
}

std::optional<Duration> Outbox::next_due() const {
  std::optional<Duration> next;
  for (const Batch& batch : batches_) {
    if (batch.count > 0 && (!next || batch.due < *next)) next = batch.due;
  }
  return next;
}

void Outbox::on_time(Duration now) {
  for (std::size_t priority = 0; priority < kPriorities; ++priority) {
    if (batches_[priority].count > 0 && batches_[priority].due <= now) close(priority);
  }
}

void Outbox::flush() {
  for (std::size_t priority = 0; priority < kPriorities; ++priority) close(priority);
}

}  // namespace picket::agent
