// Entries of detectors' tables as blobs, from a list of their members: `static auto fields(auto& self)`.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hub_detector.h"
#include "state_part.h"

namespace picket::pipeline {

template <class T>
concept HasFields = requires(T& value) { T::fields(value); };

namespace blob {

template <class T>
void put(ByteWriter& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    put_text(out, value);
  } else if constexpr (std::is_same_v<T, Timestamp> || std::is_same_v<T, Duration>) {
    out.le(static_cast<std::uint64_t>(value.us));
  } else if constexpr (std::is_same_v<T, bool>) {
    out.u8(value ? 1 : 0);
  } else if constexpr (std::is_integral_v<T>) {
    out.le(static_cast<std::uint64_t>(value));
  } else if constexpr (HasFields<T>) {
    std::apply([&](const auto&... field) { (put(out, field), ...); }, T::fields(value));
  } else if constexpr (requires { value.has_value(); }) {
    out.u8(value ? 1 : 0);
    if (value) put(out, *value);
  } else if constexpr (requires { value.first; }) {
    put(out, value.first);
    put(out, value.second);
  } else {
    out.le(static_cast<std::uint32_t>(value.size()));
    for (const auto& element : value) put(out, element);
  }
}

template <class T>
Result<> get(Cursor& in, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    TRY(value, get_text(in));
  } else if constexpr (std::is_same_v<T, Timestamp> || std::is_same_v<T, Duration>) {
    TRY(const auto us, in.le<std::uint64_t>());
    value.us = static_cast<std::int64_t>(us);
  } else if constexpr (std::is_same_v<T, bool>) {
    TRY(const auto byte, in.u8());
    value = byte != 0;
  } else if constexpr (std::is_integral_v<T>) {
    TRY(const auto number, in.le<std::uint64_t>());
    value = static_cast<T>(number);
  } else if constexpr (HasFields<T>) {
    Result<> done;
    std::apply([&](auto&... field) { static_cast<void>(((done = get(in, field), done.has_value()) && ...)); },
               T::fields(value));
    return done;
  } else if constexpr (requires { value.has_value(); }) {
    TRY(const auto there, in.u8());
    if (there != 0) return get(in, value.emplace());
  } else if constexpr (requires { value.first; }) {
    TRY_VOID(get(in, value.first));
    return get(in, value.second);
  } else {
    TRY(const auto count, in.le<std::uint32_t>());
    if (count > in.remaining()) return fail(Errc::malformed, "pipeline.state.count");  // an element takes a byte
    for (std::uint32_t i = 0; i < count; ++i) {
      if constexpr (requires { typename T::mapped_type; }) {
        std::pair<typename T::key_type, typename T::mapped_type> element;
        TRY_VOID(get(in, element));
        value.insert(std::move(element));
      } else {
        typename T::value_type element{};
        TRY_VOID(get(in, element));
        value.insert(value.end(), std::move(element));
      }
    }
  }
  return {};
}

}  // namespace blob

/// An entry that a KeyedTable can hold.
template <HasFields Fields>
struct Stored : Fields {
  void encode(ByteWriter& out) const { blob::put(out, static_cast<const Fields&>(*this)); }
  static Result<Stored> decode(Cursor& in) {
    Stored out;
    TRY_VOID(blob::get(in, static_cast<Fields&>(out)));
    return out;
  }
};

/// A detector that remembers one kind of entry, by key. `Base` is Detector or HubDetector; `Entry` can be in a
/// KeyedTable and has a member `last`, the enqueued time by which the oldest is forgotten.
template <class Base, class EntryType>
class RememberingEntries : public Base, protected StatePart {
 public:
  using Entry = EntryType;

  /// `part` is static.
  RememberingEntries(std::string_view part, std::size_t count_max) : part_(part), count_max_(count_max) {}
  StatePart* state() override { return this; }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_; }

 protected:
  std::string_view part_name() const override { return part_; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return table_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override { return table_.load(key, value); }

  /// After adding entries: within the bound again.
  void keep_bound() { evicted_ += evict_oldest(table_, count_max_); }
  /// Parts of entries that had to go.
  void count_evicted(std::size_t count) { evicted_ += count; }
  /// Entries that no record has touched for so long.
  void forget_older(Timestamp than) {
    table_.erase_if([&](const std::string&, const Entry& entry) { return entry.last < than; });
  }

  KeyedTable<Entry> table_;

 private:
  std::string_view part_;
  std::size_t count_max_;
  std::uint64_t evicted_ = 0;
};

/// For detectors of the hub's records, with the entry given as a list of members.
template <HasFields Fields>
class Remembering : public RememberingEntries<HubDetector, Stored<Fields>> {
 public:
  using RememberingEntries<HubDetector, Stored<Fields>>::RememberingEntries;
};

/// The same for detectors of devices' events.
template <HasFields Fields>
class RememberingDetector : public RememberingEntries<Detector, Stored<Fields>> {
 public:
  using RememberingEntries<Detector, Stored<Fields>>::RememberingEntries;
};

}  // namespace picket::pipeline
