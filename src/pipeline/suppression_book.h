// The suppression rules in force, as audit records have set them.
#pragma once

#include <string>
#include <string_view>

#include "detector.h"
#include "hub_record.h"
#include "pipeline/suppression.h"
#include "state_fields.h"

namespace picket::pipeline {

inline constexpr std::size_t kSuppressionsMax = 1024;

class SuppressionBook final : public StatePart {
 public:
  /// An audit record "suppression.set" or "suppression.delete". False: it cannot be read.
  bool see(const HubRecord& record);
  /// Id of the first rule, by id, that the finding falls under at this time of the journal; empty: none.
  [[nodiscard]] std::string_view match(const Finding& finding, std::string_view type, std::string_view rule,
                                       const Identity& device, std::string_view group, Timestamp now) const;
  [[nodiscard]] std::size_t size() const { return rules_.size(); }

  std::string_view part_name() const override { return "suppressions"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return rules_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return rules_.load(key, value); }

 private:
  struct Rule {
    Suppression suppression;
    void encode(ByteWriter& out) const { put_text(out, to_json(suppression)); }
    static Result<Rule> decode(Cursor& in);
  };
  KeyedTable<Rule> rules_;
};

}  // namespace picket::pipeline
