// Verdicts become recommendations: a state machine for each hub, device and type.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "derived_change.h"
#include "hub_detector.h"
#include "pipeline/catalogue.h"

namespace picket::pipeline {

inline constexpr std::size_t kRecommendationsMax = 262'144;
/// Of the data of one recommendation; longer data is replaced.
inline constexpr std::size_t kRecommendationDataBytesMax = 16U << 10;

/// Absent -> Active <-> Resolved. A change is written when the state changes, or the data of an active one. A type that
/// is switched off is watched but not shown: what is active of it is resolved, and comes back when it is switched on.
class RecommendationBook final : public StatePart {
 public:
  explicit RecommendationBook(const RecommendationCatalogue& catalogue) : catalogue_(catalogue) {}

  struct Context {
    std::string_view rule;
    Profile profile = Profile::standard;
    Timestamp enqueued;
    journal::RecordId source;
  };
  void take(const Verdict& verdict, const Context& context, std::vector<DerivedChange>& out);
  /// A device is gone: what is active about it is resolved.
  void remove_device(const Identity& device, const Context& context, std::vector<DerivedChange>& out);
  void set_enabled(std::string_view type, bool enabled, const Context& context, std::vector<DerivedChange>& out);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "recommendations"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

 private:
  struct Entry {
    std::string hub;
    std::string device_id;
    std::string module_id;
    std::string generation_id;
    std::string type;
    std::string rule;
    std::string data = "{}";
    bool wanted = false;   ///< What the newest verdict says.
    bool written = false;  ///< What the newest change says.
    std::uint32_t change = 0;
    Timestamp first;
    Timestamp state_changed;
    Timestamp last;
    void encode(ByteWriter& out) const;
    static Result<Entry> decode(Cursor& in);
  };
  struct Off {
    void encode(ByteWriter& out) const { out.u8(1); }
    static Result<Off> decode(Cursor& in);
  };
  void write(Entry& entry, bool active, const Context& context, std::vector<DerivedChange>& out);

  const RecommendationCatalogue& catalogue_;
  KeyedTable<Entry> entries_;  ///< By hub, device, type; keys begin with 'r' in checkpoints.
  KeyedTable<Off> off_;        ///< Types that are switched off; 'o'.
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
