// The inside of Correlator: groups, plans, and how windows are decided.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "correlation_plan.h"
#include "counted_values.h"
#include "group_table.h"
#include "sigma/correlator.h"

namespace picket::sigma {

/// The different values in the window that ends with a group's newest entry; kept where walking back would be long.
struct TailIndex {
  CountedValues values;
  std::uint32_t begin = 0;     ///< First entry of the window.
  std::uint32_t end = kStale;  ///< One behind the last entry that was added.

  static constexpr std::uint32_t kStale = 0xFFFF'FFFF;  ///< Of `end`: start anew.
};

class Correlator::Impl {
 public:
  Impl(const RuleSet& rules, CorrelatorOptions options);

  void see(RuleIndex rule, const Occurrence& occurrence, std::vector<Happening>& out);
  void advance(Timestamp watermark, std::vector<Happening>& out);
  std::vector<CorrelatorChange> take_changes();
  Result<> load(std::string_view key, Bytes value);
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] bool wants(RuleIndex rule) const { return !rule_links_[rule].empty(); }

 private:
  struct LinkAt {
    CorrelationIndex correlation;
    std::uint32_t link;
  };
  struct Due {
    std::int64_t time;
    std::uint32_t group;
    std::uint64_t hash;
    friend bool operator>(const Due& a, const Due& b) { return a.time > b.time; }
  };
  struct Verdict {
    bool full = false;   ///< Enough without the match itself.
    bool holds = false;  ///< Enough with it.
    std::uint64_t measure = 0;
  };
  /// What is being fed: a match, or a correlation that holds.
  struct Fed {
    const Occurrence* occurrence;
    std::size_t depth;
  };

  void feed(LinkAt at, const Fed& fed, std::vector<Happening>& out);
  bool make_key(LinkAt at, const Occurrence& occurrence);
  bool take_value(const Plan& plan, const Link& link, const Occurrence& occurrence, std::uint64_t& value);
  std::uint32_t group_of(CorrelationIndex correlation);
  /// False: it is there already.
  bool insert(const Plan& plan, Group& group, const Entry& entry, std::uint64_t value, std::uint32_t& place);
  void mark_dirty(std::uint32_t number, Group& group);
  void forget_group(std::uint32_t number);
  void expire(const Plan& plan, std::uint32_t number, Group& group);
  void keep_budget();

  // Kinds that hold at once.
  void decide_at_once(CorrelationIndex correlation, std::uint32_t number, std::uint32_t place, const Fed& fed,
                      std::vector<Happening>& out);
  Verdict verdict(const Plan& plan, Group& group, std::uint32_t place);
  Verdict count_events(const Plan& plan, const Group& group, std::uint32_t place) const;
  Verdict walk_values(const Plan& plan, const Group& group, std::uint32_t place);
  Verdict tail_values(const Plan& plan, Group& group, std::uint32_t place);
  Verdict move_window(const Plan& plan, const Group& group, std::uint32_t place, TailIndex& window);
  Verdict walk_sum(const Plan& plan, const Group& group, std::uint32_t place) const;
  Verdict walk_chain(const Plan& plan, const Group& group, std::uint32_t place);
  void compact(const Plan& plan, Group& group);
  void compact_full(const Plan& plan, Group& group);
  void compact_repeats(const Plan& plan, Group& group);

  // Kinds that wait for the watermark.
  void wait(CorrelationIndex correlation, std::uint32_t number, std::uint32_t place);
  void decide_due(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out);
  void decide_before(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out);
  void decide_after(CorrelationIndex correlation, std::uint32_t number, std::vector<Happening>& out);

  /// Tells of a happening, and feeds it to correlations of this one.
  void happen(Happening happening, const Fed* fed, bool same_match, std::vector<Happening>& out);

  const RuleSet& rules_;
  CorrelatorOptions options_;
  std::vector<Plan> plans_;
  std::vector<std::vector<LinkAt>> rule_links_;
  std::vector<std::vector<LinkAt>> correlation_links_;
  GroupTable table_;
  std::deque<TailIndex> indexes_;
  std::vector<std::uint32_t> free_indexes_;
  std::size_t index_bytes_ = 0;
  std::vector<std::vector<Due>> due_;          ///< By correlation: a heap, soonest first.
  std::int64_t watermark_ = kTimestampMin.us;  ///< What lies before it can be decided.
  std::int64_t horizon_ =
      kTimestampMin.us;  ///< What comes before it is late; stays behind watermark_ while that is decided.
  bool watermark_dirty_ = false;
  std::vector<std::uint32_t> dirty_;
  std::vector<std::string> gone_;
  Stats stats_;
  // Reused.
  std::string key_;
  std::vector<char> keep_;
  std::vector<std::int64_t> chain_;
  CountedValues walked_;
  TailIndex moved_;  ///< Windows of matches behind one that came late.
  std::vector<std::int64_t> sorted_;
};

/// Parts of a group's key: two bytes of the correlation, then scope and values, each behind its length.
void add_key_part(std::string& key, std::string_view part);

}  // namespace picket::sigma
