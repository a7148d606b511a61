// The built-in endpoint `messages/events`: device messages as service clients read them, partition by partition
// (spec/hub.md 1.3 "events"). A view of the journal: nothing is stored twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/hub_error.h"
#include "journal/journal.h"

namespace picket::hub {

/// Partitions of the built-in endpoint; a device's messages are all in one of them.
inline constexpr std::uint16_t kEventPartitions = 4;
inline constexpr std::size_t kEventReadersMax = 256;

/// One message as a service client receives it.
struct StreamEvent {
  std::uint64_t sequence = 0;  ///< x-opt-sequence-number, and as text x-opt-offset: rising, with gaps.
  Timestamp enqueued;
  Identity identity;
  std::vector<std::pair<std::string, std::string>>
      properties;  ///< As in the journal: system ones ("$.mid"), stamps, others.
  Buffer body;
};

/// Where a reader begins.
struct EventStart {
  enum class Kind : std::uint8_t { earliest, latest, sequence, time };
  Kind kind = Kind::earliest;
  std::uint64_t sequence = 0;  ///< Kind::sequence: the first one, or the one before it unless `inclusive`.
  Timestamp time;              ///< Kind::time: enqueued at or after this (after it unless `inclusive`).
  bool inclusive = false;
};

struct PartitionInfo {
  std::uint64_t begin_sequence = 0;
  std::uint64_t last_sequence = 0;
  Timestamp last_enqueued;
  bool empty = true;
};

/// One receiver of one partition. Any thread; at most one receive() at a time. Destroying it ends a waiting receive()
/// with 404104.
class EventReader {
 public:
  virtual ~EventReader() = default;
  /// At least one event as soon as there is one, at most `count_max`.
  virtual void receive(std::size_t count_max, Done<std::vector<StreamEvent>> done) = 0;
};

/// Decides whether a record is a message of the built-in endpoint, and how it reads there; nullopt: not one. Called on
/// the stream's thread. The default takes device messages that are no security messages, as they are.
using EventView = std::function<std::optional<StreamEvent>(const journal::RecordView& record)>;
EventView plain_event_view();

class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Errors: 404001 no such partition, 403002 too many readers.
  virtual HubResult<std::unique_ptr<EventReader>> open(std::string_view hub, std::uint16_t partition,
                                                       EventStart start) = 0;
  [[nodiscard]] virtual PartitionInfo info(std::string_view hub, std::uint16_t partition) const = 0;
};

/// Messages of a hub that were enqueued before this are not offered any more. Any thread.
using EventsFrom = std::function<Timestamp(std::string_view hub)>;

/// Serves all readers from one thread. `journal` outlives it; readers do not. Without `from` all that the journal keeps
/// is offered.
std::unique_ptr<EventStream> make_event_stream(journal::Journal& journal, EventView view, EventsFrom from = {});

}  // namespace picket::hub
