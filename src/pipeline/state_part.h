// State of the pipeline as keys and blobs, so that a checkpoint writes only what has changed.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/byte_writer.h"
#include "base/core/bytes.h"
#include "base/core/cursor.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::pipeline {

/// A key that has changed; without a value it is gone.
struct StateChange {
  std::string key;
  std::optional<Buffer> value;
};

/// A named part with a version. A checkpoint whose parts or versions differ from the program's is not restored: the
/// state is made anew by replay.
class StatePart {
 public:
  virtual ~StatePart() = default;
  [[nodiscard]] virtual std::string_view part_name() const = 0;
  [[nodiscard]] virtual std::uint16_t part_version() const = 0;
  /// What changed since the last call.
  virtual std::vector<StateChange> take_changes() = 0;
  /// One entry of a checkpoint, into an empty part. Errors: malformed; the part is then not usable.
  virtual Result<> load(std::string_view key, Bytes value) = 0;
};

// Values of blobs. Lengths are checked on reading: a checkpoint is a file like any other.
inline void put_text(ByteWriter& out, std::string_view text) {
  out.le(static_cast<std::uint32_t>(text.size())).text(text);
}
inline Result<std::string> get_text(Cursor& in) {
  TRY(const auto size, in.le<std::uint32_t>());
  TRY(const auto text, in.take_text(size));
  return std::string(text);
}
inline void put_time(ByteWriter& out, Timestamp time) { out.le(static_cast<std::uint64_t>(time.us)); }
inline Result<Timestamp> get_time(Cursor& in) {
  TRY(const auto us, in.le<std::uint64_t>());
  return Timestamp{static_cast<std::int64_t>(us)};
}

/// A map that knows which of its keys changed. T has encode(ByteWriter&) const and static Result<T> decode(Cursor&).
/// Ordered, so that whatever walks it does so in the same order after a restart.
template <class T>
class KeyedTable {
 public:
  [[nodiscard]] const std::map<std::string, T, std::less<>>& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  [[nodiscard]] const T* find(std::string_view key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  /// The entry, made when absent; counts as changed.
  T& touch(std::string_view key) {
    auto found = entries_.find(key);
    if (found == entries_.end()) found = entries_.emplace(std::string(key), T{}).first;
    if (dirty_.find(key) == dirty_.end()) dirty_.emplace(key);
    return found->second;
  }
  void erase(std::string_view key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    dirty_.emplace(key);
    entries_.erase(found);
  }
  template <class Condition>
  std::size_t erase_if(Condition condition) {
    std::size_t erased = 0;
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (condition(at->first, at->second)) {
        dirty_.emplace(at->first);
        at = entries_.erase(at);
        ++erased;
      } else {
        ++at;
      }
    }
    return erased;
  }

  std::vector<StateChange> take_changes() {
    std::vector<StateChange> out;
    for (const std::string& key : dirty_) {
      StateChange change{key, std::nullopt};
      if (const T* entry = find(key)) {
        ByteWriter writer(change.value.emplace());
        entry->encode(writer);
      }
      out.push_back(std::move(change));
    }
    dirty_.clear();
    return out;
  }
  Result<> load(std::string_view key, Bytes value) {
    Cursor in(value);
    TRY(T entry, T::decode(in));
    if (!in.empty()) return fail(Errc::malformed, "pipeline.state.entry");
    entries_.insert_or_assign(std::string(key), std::move(entry));
    return {};
  }

 private:
  std::map<std::string, T, std::less<>> entries_;
  std::set<std::string, std::less<>> dirty_;
};

/// Keys of texts that may hold any byte: each part is preceded by its length, so that no two lists make one key.
template <std::convertible_to<std::string_view>... Parts>
std::string state_key(const Parts&... parts) {
  std::string key;
  const auto add = [&key](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  (add(parts), ...);
  return key;
}

/// The parts of a state_key; empty: it is none.
inline std::vector<std::string_view> parts_of_key(std::string_view key) {
  std::vector<std::string_view> out;
  while (!key.empty()) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), size);
    key.remove_prefix(static_cast<std::size_t>(end - key.data()));
    if (error != std::errc{} || !key.starts_with(':') || size > key.size() - 1) return {};
    out.push_back(key.substr(1, size));
    key.remove_prefix(1 + size);
  }
  return out;
}

/// Erases the entries with the oldest `last` until at most `count_max` stay, a sixteenth at a time so that reaching a
/// bound does not cost a walk for every entry. Returns how many went.
template <class T>
std::size_t evict_oldest(KeyedTable<T>& table, std::size_t count_max) {
  if (table.size() <= count_max) return 0;
  std::vector<std::pair<Timestamp, std::string>> order;
  for (const auto& [key, entry] : table.entries()) order.emplace_back(entry.last, key);
  const std::size_t count = std::min(order.size(), order.size() - count_max + count_max / 16);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
  for (std::size_t i = 0; i < count; ++i) table.erase(order[i].second);
  return count;
}

}  // namespace picket::pipeline
