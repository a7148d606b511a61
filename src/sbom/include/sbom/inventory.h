// What software runs where: each distinct component once, each device a set of them, and the way back from a component
// to its devices, so that a question about one component asks no device. In memory; who keeps it on disk feeds it at
// start.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/time.h"
#include "sbom/component.h"

namespace picket::sbom {

using ComponentId = std::uint32_t;
using DeviceNumber = std::uint32_t;

/// Numbers, sorted while they are few, as bits once that is smaller.
class NumberSet {
 public:
  void insert(std::uint32_t number);
  void erase(std::uint32_t number);
  [[nodiscard]] bool contains(std::uint32_t number) const;
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return few_.capacity() * 4 + bits_.capacity() * 8; }
  template <class Each>
  void for_each(Each&& each) const {
    for (const std::uint32_t number : few_) each(number);
    for (std::size_t word = 0; word < bits_.size(); ++word) {
      for (std::uint64_t left = bits_[word]; left != 0; left &= left - 1) {
        each(static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(__builtin_ctzll(left))));
      }
    }
  }

 private:
  static constexpr std::size_t kFewMax = 256;
  std::vector<std::uint32_t> few_;
  std::vector<std::uint64_t> bits_;  ///< Used instead of few_ once that had kFewMax.
  std::size_t count_ = 0;
};

/// Who has software: a device of a hub, or a module of one.
struct DeviceKey {
  std::string hub, device_id;
  friend auto operator<=>(const DeviceKey&, const DeviceKey&) = default;
};

/// From whom a list of software came: the agent ("agent:MODULE"), or a document ("document:NAME").
struct Source {
  std::string name;
  Timestamp updated;
  bool whole = false;                   ///< A whole list has come: before that only differences are known.
  std::vector<ComponentId> components;  ///< Sorted.
  Timestamp whole_at;                   ///< When the newest whole list was taken.
};

/// What changed by one step, for whoever keeps it on disk.
struct InventoryChange {
  DeviceNumber device = 0;
  std::string source;
  std::vector<ComponentId> added, removed;
  [[nodiscard]] bool any() const { return !added.empty() || !removed.empty(); }
};

/// One item of a list.
struct Item {
  enum class Kind : std::uint8_t { whole, added, changed, removed };
  Kind kind = Kind::whole;
  Component component;
};

/// Not thread-safe: the owner locks.
class Inventory {
 public:
  static constexpr std::size_t kComponentsMax = 4'000'000;
  static constexpr std::size_t kDevicesMax = 1'000'000;
  static constexpr std::size_t kComponentsOfSourceMax = 50'000;
  static constexpr std::size_t kTouchedMax = 4'096;  ///< Of a source; more are forgotten at once.

  /// The id of a component, new or known. nullopt: kComponentsMax is reached (counted in refused()).
  std::optional<ComponentId> intern(const Component& component);
  [[nodiscard]] const Component& component(ComponentId id) const { return components_[id]; }
  [[nodiscard]] std::size_t component_count() const { return components_.size(); }

  /// nullopt: kDevicesMax is reached.
  std::optional<DeviceNumber> device(const DeviceKey& key);
  [[nodiscard]] std::optional<DeviceNumber> find_device(const DeviceKey& key) const;
  [[nodiscard]] const DeviceKey& key(DeviceNumber device) const { return *devices_[device].key; }
  [[nodiscard]] std::size_t device_count() const { return devices_.size(); }

  /// Applies items of one event of an agent, taken at `sent`. The parts of a whole list have the same `snapshot`; they
  /// may come late, twice or never: what a whole list did not name is removed by settle(), or when the next one begins.
  /// What is older than the newest whole list, or than a later word about the same item, is passed by and counted.
  InventoryChange apply(DeviceNumber device, std::string_view source, std::string_view snapshot, Timestamp sent,
                        std::span<const Item> items);
  /// Sets the list of a source, as a document gives it.
  InventoryChange replace(DeviceNumber device, std::string_view source, Timestamp now,
                          std::vector<ComponentId> components);
  /// Sets a source as it was kept, with its times.
  void restore(DeviceNumber device, Source source);
  /// Takes a source away. False: there was none.
  std::optional<InventoryChange> remove_source(DeviceNumber device, std::string_view source);
  /// The device was removed at that time; sources that changed later are of another of its name.
  std::vector<InventoryChange> remove_device(DeviceNumber device, Timestamp at);
  /// Whole lists that began before `now` - `patience` are complete: what they did not name is removed.
  std::vector<InventoryChange> settle(Timestamp now, Duration patience);

  [[nodiscard]] std::span<const Source> sources(DeviceNumber device) const { return devices_[device].sources; }
  /// Of all sources of a device, sorted, each once.
  [[nodiscard]] std::vector<ComponentId> components_of(DeviceNumber device) const;
  [[nodiscard]] const NumberSet& devices_of(ComponentId id) const { return users_[id]; }

  /// Devices whose software changed since the last call, each once; those that restore() filled too.
  std::vector<DeviceNumber> take_changed();

  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t outdated() const { return outdated_; }

 private:
  struct Whole {
    std::string snapshot;  ///< What names the running whole list.
    Timestamp begun;
    std::vector<ComponentId> seen;  ///< Sorted at the end.
  };
  /// When differences last spoke of an item, by the hash of its identity: for whole lists that come behind them.
  using Touched = std::unordered_map<std::size_t, Timestamp>;
  struct Device {
    const DeviceKey* key = nullptr;
    std::vector<Source> sources;
    std::map<std::string, Whole, std::less<>> wholes;     ///< By source.
    std::map<std::string, Touched, std::less<>> touched;  ///< By source.
    bool changed = false;                                 ///< It is in changed_.
  };

  Source& source_of(Device& device, std::string_view name);
  InventoryChange set(DeviceNumber number, Source& source, std::vector<ComponentId> next);
  void count(DeviceNumber number, std::span<const ComponentId> added, std::span<const ComponentId> removed);
  InventoryChange finish_whole(DeviceNumber number, std::string_view source);

  std::vector<Component> components_;
  std::vector<std::size_t> identities_;  ///< Hashes of identity_of() of components_.
  std::vector<NumberSet> users_;
  std::unordered_multimap<std::size_t, ComponentId> by_hash_;
  std::map<DeviceKey, DeviceNumber> numbers_;
  std::vector<Device> devices_;
  std::vector<DeviceNumber> changed_;
  std::uint64_t refused_ = 0, outdated_ = 0;
};

}  // namespace picket::sbom
