// How many different values there are in a window that moves.
#pragma once

#include <cstdint>
#include <vector>

namespace picket::sigma {

/// A multiset of 64-bit values that knows how many differ. Values are hashes already.
class CountedValues {
 public:
  [[nodiscard]] std::size_t distinct() const { return distinct_; }
  [[nodiscard]] std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }
  [[nodiscard]] std::uint32_t count(std::uint64_t value) const {
    if (slots_.empty()) return 0;
    const Slot& slot = slots_[place(slots_, value)];
    return slot.used ? slot.count : 0;
  }
  void clear() {
    if (used_ != 0) slots_.assign(slots_.size(), Slot{});
    used_ = distinct_ = 0;
  }
  /// How often it is there now.
  std::uint32_t add(std::uint64_t value) {
    if ((used_ + 1) * 4 > slots_.size() * 3) rebuild();
    Slot& slot = slots_[place(slots_, value)];
    if (!slot.used) {
      slot = {value, 0, true};
      ++used_;
    }
    distinct_ += slot.count == 0 ? 1 : 0;
    return ++slot.count;
  }
  /// A value that was added.
  void remove(std::uint64_t value) {
    Slot& slot = slots_[place(slots_, value)];
    distinct_ -= --slot.count == 0 ? 1 : 0;
  }

 private:
  struct Slot {
    std::uint64_t value = 0;
    std::uint32_t count = 0;
    bool used = false;  ///< Stays when the count is 0 again, until rebuild().
  };

  static std::size_t place(const std::vector<Slot>& slots, std::uint64_t value) {
    const std::size_t mask = slots.size() - 1;
    std::size_t slot = (value ^ value >> 29) & mask;
    while (slots[slot].used && slots[slot].value != value) slot = (slot + 1) & mask;
    return slot;
  }
  void rebuild() {
    std::size_t size = 16;
    while (size * 2 < (distinct_ + 1) * 3) size *= 2;
    std::vector<Slot> fresh(size);
    for (const Slot& slot : slots_) {
      if (slot.count > 0) fresh[place(fresh, slot.value)] = slot;
    }
    used_ = distinct_;
    slots_ = std::move(fresh);
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  std::size_t distinct_ = 0;
};

}  // namespace picket::sigma
