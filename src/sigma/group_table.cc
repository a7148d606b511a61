#include "group_table.h"

#include <algorithm>
#include <cstring>

namespace picket::sigma {
namespace {

constexpr std::uint32_t kFirstCapacity = 4;

std::uint32_t next_capacity(std::uint32_t capacity) {
  if (capacity < kFirstCapacity) return kFirstCapacity;
  return capacity < 16 ? capacity * 2 : capacity < 64 ? capacity + 8 : capacity + capacity / 2;
}

}  // namespace

GroupTable::~GroupTable() {
  for_each([this](std::uint32_t, Group& group) {
    pool_.release(group.key, group.key_bytes);
    if (group.block != nullptr) pool_.release(group.block, block_bytes(group.capacity, group.with_values));
  });
  for (Group* page : pages_) delete[] page;
}

std::uint32_t GroupTable::find(std::uint64_t hash, std::string_view key) const {
  if (slots_.empty()) return kNoGroup;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask; slots_[slot] != kNoGroup; slot = (slot + 1) & mask) {
    const Group& group = pages_[slots_[slot] / kPage][slots_[slot] % kPage];
    if (group.hash == hash && group.key_text() == key) return slots_[slot];
  }
  return kNoGroup;
}

std::uint32_t GroupTable::add(std::uint64_t hash, std::string_view key, std::uint16_t correlation, bool with_values) {
  if ((count_ + 1) * 3 > slots_.size() * 2) grow_slots();
  std::uint32_t number = made_;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else {
    if (made_ % kPage == 0) {
      pages_.push_back(new Group[kPage]);
    }
    ++made_;
  }
  Group& group = at(number);
  group = Group{};
  group.key = static_cast<char*>(pool_.allocate(key.size()));
  std::memcpy(group.key, key.data(), key.size());
  group.key_bytes = static_cast<std::uint32_t>(key.size());
  group.hash = hash;
  group.correlation = correlation;
  group.alive = true;
  group.with_values = with_values;
  group.last = std::numeric_limits<std::int64_t>::min();
  put_slot(hash, number);
  ++count_;
  touch(number);
  return number;
}

void GroupTable::put_slot(std::uint64_t hash, std::uint32_t number) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != kNoGroup) slot = (slot + 1) & mask;
  slots_[slot] = number;
}

void GroupTable::grow_slots() {
  slots_.assign(std::max<std::size_t>(1'024, slots_.size() * 2), kNoGroup);
  for_each([&](std::uint32_t number, const Group& group) { put_slot(group.hash, number); });
}

void GroupTable::erase(std::uint32_t number) {
  Group& group = at(number);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = group.hash & mask;
  while (slots_[hole] != number) hole = (hole + 1) & mask;
  // What follows moves up unless it would come before its own place.
  for (std::size_t next = (hole + 1) & mask; slots_[next] != kNoGroup; next = (next + 1) & mask) {
    const std::size_t home = at(slots_[next]).hash & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = kNoGroup;
  unlink(group);
  pool_.release(group.key, group.key_bytes);
  if (group.block != nullptr) pool_.release(group.block, block_bytes(group.capacity, group.with_values));
  group = Group{};
  free_.push_back(number);
  --count_;
}

void GroupTable::unlink(Group& group) {
  List& list = lists_[group.correlation];
  const std::uint32_t none = kNoGroup;
  if (group.older == none && group.newer == none && list.newest != none && &at(list.newest) != &group) return;
  (group.older == none ? list.oldest : at(group.older).newer) = group.newer;
  (group.newer == none ? list.newest : at(group.newer).older) = group.older;
  group.older = group.newer = none;
}

void GroupTable::touch(std::uint32_t number) {
  Group& group = at(number);
  List& list = lists_[group.correlation];
  if (list.newest == number) return;
  unlink(group);
  group.older = list.newest;
  group.newer = kNoGroup;
  (list.newest == kNoGroup ? list.oldest : at(list.newest).newer) = number;
  list.newest = number;
}

void GroupTable::insert(Group& group, std::uint32_t place, const Entry& entry, std::uint64_t value) {
  if (group.head + group.size == group.capacity) {
    // Entries that were dropped at the front leave room; otherwise the block grows.
    const std::uint32_t capacity = group.head > group.capacity / 8 ? group.capacity : next_capacity(group.capacity);
    Entry* block = group.block;
    if (capacity != group.capacity) {
      block = static_cast<Entry*>(pool_.allocate(block_bytes(capacity, group.with_values)));
    }
    if (group.size > 0) {
      const std::uint64_t* values = group.with_values ? group.values() : nullptr;
      std::memmove(static_cast<void*>(block), group.entries(), group.size * sizeof(Entry));
      if (group.with_values)
        std::memmove(reinterpret_cast<std::uint64_t*>(block + capacity), values, group.size * sizeof(std::uint64_t));
    }
    if (block != group.block && group.block != nullptr) {
      pool_.release(group.block, block_bytes(group.capacity, group.with_values));
    }
    group.block = block;
    group.capacity = capacity;
    group.head = 0;
  }
  Entry* entries = group.entries();
  std::memmove(static_cast<void*>(entries + place + 1), entries + place, (group.size - place) * sizeof(Entry));
  entries[place] = entry;
  if (group.with_values) {
    std::uint64_t* values = group.values();
    std::memmove(values + place + 1, values + place, (group.size - place) * sizeof(std::uint64_t));
    values[place] = value;
  }
  ++group.size;
}

void GroupTable::drop_front(Group& group, std::uint32_t count) {
  group.head += count;
  group.size -= count;
  if (group.size == 0) group.head = 0;
}

void GroupTable::retain(Group& group, const std::vector<char>& keep) {
  std::uint32_t to = 0;
  Entry* entries = group.entries();
  std::uint64_t* values = group.with_values ? group.values() : nullptr;
  for (std::uint32_t from = 0; from < group.size; ++from) {
    if (keep[from] == 0) continue;
    entries[to] = entries[from];
    if (group.with_values) values[to] = values[from];
    ++to;
  }
  group.size = to;
}

}  // namespace picket::sigma
