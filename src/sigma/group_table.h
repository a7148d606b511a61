// The groups of all correlations: small records, found by hash, oldest first within each correlation.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "block_pool.h"

namespace picket::sigma {

inline constexpr std::uint32_t kNoGroup = 0xFFFF'FFFF;

/// One match as a group remembers it. Entries stand in the order of (time, ref, value); in groups of
/// temporal_ordered of (time, value, ref).
struct Entry {
  // Time in microseconds, shifted by eight bits for the flags: exact until the year 3110.
  std::int64_t stamp = 0;
  std::uint64_t ref = 0;

  static constexpr std::int64_t kFull = 1;     ///< The window before it satisfies the condition without it.
  static constexpr std::int64_t kHolds = 2;    ///< The correlation holds at it.
  static constexpr std::int64_t kDecided = 4;  ///< Its window was decided.

  [[nodiscard]] std::int64_t time() const { return stamp >> 8; }
  [[nodiscard]] bool has(std::int64_t flag) const { return (stamp & flag) != 0; }
  void set(std::int64_t flag) { stamp |= flag; }
};

/// A group. Its entries lie in one block: `capacity` entries, then, where the kind needs them, as many values.
struct Group {
  char* key = nullptr;
  Entry* block = nullptr;
  std::uint64_t hash = 0;
  std::int64_t last = 0;  ///< Latest event time.
  std::uint32_t head = 0;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
  std::uint32_t older = kNoGroup;
  std::uint32_t newer = kNoGroup;
  std::uint32_t key_bytes = 0;
  std::uint16_t correlation = 0;
  bool alive : 1 = false;
  bool dirty : 1 = false;
  bool saved : 1 = false;          ///< An entry of it is in a checkpoint.
  bool with_values : 1 = false;    ///< The block has values.
  std::uint32_t index = kNoGroup;  ///< Number of its TailIndex.

  [[nodiscard]] Entry* entries() const { return block + head; }
  [[nodiscard]] std::string_view key_text() const { return {key, key_bytes}; }
  /// Only where the kind has values.
  [[nodiscard]] std::uint64_t* values() const { return reinterpret_cast<std::uint64_t*>(block + capacity) + head; }
};

static_assert(sizeof(Group) == 64, "one line of a cache");

/// Owns the groups. A group's number stays until it is erased.
class GroupTable {
 public:
  explicit GroupTable(std::size_t correlations) : lists_(correlations) {}
  ~GroupTable();
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  [[nodiscard]] Group& at(std::uint32_t number) { return pages_[number / kPage][number % kPage]; }
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, std::string_view key) const;
  std::uint32_t add(std::uint64_t hash, std::string_view key, std::uint16_t correlation, bool with_values);
  void erase(std::uint32_t number);
  /// The group is the newest of its correlation now.
  void touch(std::uint32_t number);
  /// kNoGroup: the correlation has none.
  [[nodiscard]] std::uint32_t oldest(std::uint16_t correlation) const { return lists_[correlation].oldest; }

  /// Makes room for a gap of one entry at `place` and fills it.
  void insert(Group& group, std::uint32_t place, const Entry& entry, std::uint64_t value);
  static void drop_front(Group& group, std::uint32_t count);
  /// Keeps the entries for which `keep` is set.
  static void retain(Group& group, const std::vector<char>& keep);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return pool_.used_bytes() + pages_.size() * kPage * sizeof(Group) + slots_.size() * sizeof(std::uint32_t);
  }
  template <class Each>
  void for_each(Each each) {
    for (std::uint32_t i = 0; i < made_; ++i) {
      if (at(i).alive) each(i, at(i));
    }
  }

 private:
  static constexpr std::uint32_t kPage = 4'096;
  struct List {
    std::uint32_t oldest = kNoGroup;
    std::uint32_t newest = kNoGroup;
  };

  void unlink(Group& group);
  void grow_slots();
  void put_slot(std::uint64_t hash, std::uint32_t number);
  static std::size_t block_bytes(std::uint32_t capacity, bool with_values) {
    return std::size_t{capacity} * (with_values ? 24 : 16);
  }

  std::vector<Group*> pages_;
  std::vector<std::uint32_t> free_;
  std::uint32_t made_ = 0;
  std::vector<std::uint32_t> slots_;  ///< Open addressing; kNoGroup: empty.
  std::vector<List> lists_;
  std::size_t count_ = 0;
  BlockPool pool_;
};

}  // namespace picket::sigma
