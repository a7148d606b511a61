// What records have said about hubs and about audit records that were seen already.
#pragma once

#include <string>
#include <string_view>

#include "base/core/hash.h"
#include "hub_record.h"
#include "state_part.h"

namespace picket::pipeline {

/// Whether built-in security is on; it is, until a record of the hub's settings says otherwise.
class HubSettings final : public StatePart {
 public:
  void see(const HubRecord& record);
  [[nodiscard]] bool security_on(std::string_view hub) const { return off_.find(hub) == nullptr; }
  /// Minutes of record time that detectors have been told of: the number goes on where a checkpoint ends.
  [[nodiscard]] std::int64_t minute() const;
  void set_minute(std::int64_t minute);

  std::string_view part_name() const override { return "hub_settings"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

 private:
  struct Number {
    std::int64_t value = 0;
    void encode(ByteWriter& out) const { out.le(static_cast<std::uint64_t>(value)); }
    static Result<Number> decode(Cursor& in) {
      TRY(const auto value, in.le<std::uint64_t>());
      return Number{static_cast<std::int64_t>(value)};
    }
  };
  KeyedTable<Number> off_;     ///< Hubs; 'h' in checkpoints.
  KeyedTable<Number> minute_;  ///< One entry; 'm'.
};

/// The newest audit records: after a crash the outbox may append some of them again, at most its batch. They are told
/// apart by outbox id and content, not by time: the server may have been down for long.
class SeenAudits final : public StatePart {
 public:
  explicit SeenAudits(SipKey key) : key_(key) {}
  /// Whether it was seen before; remembers it.
  bool seen(std::string_view outbox_id, Bytes body);

  static constexpr std::uint64_t kSlots = 4096;

  std::string_view part_name() const override { return "seen_audits"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return slots_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return slots_.load(key, value); }

 private:
  struct Slot {
    std::uint64_t print = 0;
    void encode(ByteWriter& out) const { out.le(print); }
    static Result<Slot> decode(Cursor& in) {
      TRY(const auto print, in.le<std::uint64_t>());
      return Slot{print};
    }
  };
  SipKey key_;
  KeyedTable<Slot> slots_;
};

}  // namespace picket::pipeline
