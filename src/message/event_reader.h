// One event of a JSON message, and the rows it becomes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "arena.h"
#include "json_text.h"
#include "message/decoder.h"

namespace picket::message {

/// Reads the events of one message and counts its items. Lives for one message.
class EventReader {
 public:
  /// `masked`: numbers too large for the parser are filler in its tree (mask_huge_numbers).
  EventReader(const Limits& limits, bool masked, SecurityMessage::Arena& arena)
      : limits_(limits), masked_(masked), arena_(arena) {}

  /// `walker` stands before the text of `event`, and behind it afterwards. Errors reject this event only.
  Result<Event> read(const simdjson::dom::element& event, JsonWalker& walker);

 private:
  struct Members;
  struct RawItem {
    simdjson::dom::object object;
    std::string_view text;
  };

  Result<Event> read_whole(const simdjson::dom::element& event, JsonWalker& walker);
  Result<Members> members_of(const simdjson::dom::object& event, JsonWalker& walker);
  Result<> payload_of(const simdjson::dom::element& payload, JsonWalker& walker);
  Result<> head_of(const Members& members, Event& out) const;
  Result<> times_of(const Members& members, Event& out) const;
  Item item_of(const Event& event, const RawItem& raw);
  void promote(const Event& event, std::string_view key, const simdjson::dom::element& value, std::string_view raw,
               std::uint64_t& seen, Item& item);
  void promote_extra(const Event& event, const simdjson::dom::element& extra, Item& item);
  std::string_view details_of(const Event& event, const RawItem& raw, bool has_time, bool has_id);

  const Limits& limits_;
  bool masked_;
  SecurityMessage::Arena& arena_;
  std::size_t items_ = 0;
  std::vector<RawItem> payload_;  // of the event at hand
  std::string stamp_;             // "TimestampLocal":…,"EventId":… of the event at hand
  std::size_t stamp_id_at_ = 0;
};

}  // namespace picket::message
