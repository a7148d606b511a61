#include "sbom/inventory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace picket::sbom {
namespace {

std::size_t hash_of(const Component& component) {
  std::size_t out = 0;
  for (const std::string* const text :
       {&component.type, &component.name, &component.version, &component.vendor, &component.architecture,
        &component.source_name, &component.source_version, &component.purl, &component.evidence}) {
    out = out * 1'099'511'628'211U ^ std::hash<std::string>{}(*text);
  }
  return out;
}

void cut(std::string& text) {
  if (text.size() <= kTextBytesMax) return;
  std::size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

Component bounded(Component component) {
  for (std::string* const text :
       {&component.type, &component.name, &component.version, &component.vendor, &component.architecture,
        &component.source_name, &component.source_version, &component.purl, &component.evidence}) {
    cut(*text);
  }
  return component;
}

void tidy(std::vector<ComponentId>& ids) {
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
}

}  // namespace

void NumberSet::insert(std::uint32_t number) {
  if (bits_.empty()) {
    const auto at = std::ranges::lower_bound(few_, number);
    if (at != few_.end() && *at == number) return;
    few_.insert(at, number);
    ++count_;
    if (few_.size() < kFewMax) return;
    bits_.resize(few_.back() / 64 + 1);
    for (const std::uint32_t one : few_) bits_[one / 64] |= std::uint64_t{1} << (one % 64);
    few_ = {};
    return;
  }
  if (number / 64 >= bits_.size()) bits_.resize(number / 64 + 1);
  const auto bit = std::uint64_t{1} << (number % 64);
  count_ += (bits_[number / 64] & bit) == 0 ? 1 : 0;
  bits_[number / 64] |= bit;
}

void NumberSet::erase(std::uint32_t number) {
  if (!contains(number)) return;
  --count_;
  if (bits_.empty()) {
    few_.erase(std::ranges::lower_bound(few_, number));
  } else {
    bits_[number / 64] &= ~(std::uint64_t{1} << (number % 64));
  }
}

bool NumberSet::contains(std::uint32_t number) const {
  if (bits_.empty()) return std::ranges::binary_search(few_, number);
  return number / 64 < bits_.size() && (bits_[number / 64] >> (number % 64) & 1U) != 0;
}

std::optional<ComponentId> Inventory::intern(const Component& given) {
  Component component = bounded(given);
  const std::size_t hash = hash_of(component);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto one = first; one != last; ++one) {
    if (components_[one->second] == component) return one->second;
  }
  if (components_.size() >= kComponentsMax) {
    ++refused_;
    return std::nullopt;
  }
  const auto id = static_cast<ComponentId>(components_.size());
  identities_.push_back(std::hash<std::string>{}(identity_of(component)));
  components_.push_back(std::move(component));
  users_.emplace_back();
  by_hash_.emplace(hash, id);
  return id;
}

std::optional<DeviceNumber> Inventory::device(const DeviceKey& key) {
  if (const auto known = find_device(key)) return known;
  if (devices_.size() >= kDevicesMax) {
    ++refused_;
    return std::nullopt;
  }
  const auto number = static_cast<DeviceNumber>(devices_.size());
  const auto place = numbers_.emplace(key, number).first;
  devices_.push_back({.key = &place->first});
  return number;
}

std::optional<DeviceNumber> Inventory::find_device(const DeviceKey& key) const {
  const auto found = numbers_.find(key);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

Source& Inventory::source_of(Device& device, std::string_view name) {
  const auto found = std::ranges::find(device.sources, name, &Source::name);
  if (found != device.sources.end()) return *found;
  device.sources.push_back({.name = std::string(name)});
  return device.sources.back();
}

/// Keeps the way back: a component is used by a device as long as any of its sources names it.
void Inventory::count(DeviceNumber number, std::span<const ComponentId> added, std::span<const ComponentId> removed) {
  for (const ComponentId id : added) users_[id].insert(number);
  for (const ComponentId id : removed) {
    const bool elsewhere = std::ranges::any_of(devices_[number].sources, [id](const Source& source) {
      return std::ranges::binary_search(source.components, id);
    });
    if (!elsewhere) users_[id].erase(number);
  }
}

InventoryChange Inventory::set(DeviceNumber number, Source& source, std::vector<ComponentId> next) {
  InventoryChange change{.device = number, .source = source.name};
  tidy(next);
  std::ranges::set_difference(next, source.components, std::back_inserter(change.added));
  std::ranges::set_difference(source.components, next, std::back_inserter(change.removed));
  source.components = std::move(next);
  source.components.shrink_to_fit();
  count(number, change.added, change.removed);
  if (change.any() && !devices_[number].changed) {
    devices_[number].changed = true;
    changed_.push_back(number);
  }
  return change;
}

std::vector<DeviceNumber> Inventory::take_changed() {
  for (const DeviceNumber number : changed_) devices_[number].changed = false;
  return std::exchange(changed_, {});
}

InventoryChange Inventory::finish_whole(DeviceNumber number, std::string_view name) {
  Device& device = devices_[number];
  const auto whole = device.wholes.find(name);
  if (whole == device.wholes.end()) return {.device = number, .source = std::string(name)};
  Source& source = source_of(device, name);
  std::vector<ComponentId> seen = std::move(whole->second.seen);
  // What differences said after it began stands, though no part of it named them.
  if (const auto touched = device.touched.find(name); touched != device.touched.end()) {
    for (const ComponentId id : source.components) {
      const auto known = touched->second.find(identities_[id]);
      if (known != touched->second.end() && known->second >= whole->second.begun) seen.push_back(id);
    }
    touched->second.clear();
  }
  device.wholes.erase(whole);
  source.whole = true;
  return set(number, source, std::move(seen));
}

InventoryChange Inventory::apply(DeviceNumber number, std::string_view name, std::string_view snapshot, Timestamp sent,
                                 std::span<const Item> items) {
  const bool whole = std::ranges::any_of(items, [](const Item& item) { return item.kind == Item::Kind::whole; });
  auto running = devices_[number].wholes.find(name);
  const auto has_whole = [&] { return running != devices_[number].wholes.end(); };
  const bool part_of_running = whole && has_whole() && running->second.snapshot == snapshot;
  InventoryChange before{.device = number, .source = std::string(name)};
  if (sent < source_of(devices_[number], name).whole_at && !part_of_running) {
    ++outdated_;
    return before;
  }
  if (whole && !part_of_running) {
    before = finish_whole(number, name);  // the one before has ended, whatever of it came
    running = devices_[number].wholes.emplace(std::string(name), Whole{std::string(snapshot), sent, {}}).first;
  }
  Source& source = source_of(devices_[number], name);
  source.updated = std::max(source.updated, sent);
  if (whole) source.whole_at = std::max(source.whole_at, sent);
  Touched& touched = devices_[number].touched[std::string(name)];
  std::vector<ComponentId> next = source.components;
  for (const Item& item : items) {
    const std::string identity = identity_of(item.component);
    const std::size_t hash = std::hash<std::string>{}(identity);
    if (const auto known = touched.find(hash); known != touched.end() && known->second > sent) {
      ++outdated_;
      continue;
    }
    if (item.kind != Item::Kind::whole) {
      if (touched.size() >= kTouchedMax) touched.clear();
      touched[hash] = sent;
    }
    // A device that has 50,000 and changes hundreds must not keep others waiting: texts are compared last.
    const auto same = [&](ComponentId id) {
      return identities_[id] == hash && identity_of(components_[id]) == identity;
    };
    std::erase_if(next, same);
    if (has_whole()) std::erase_if(running->second.seen, same);
    if (item.kind == Item::Kind::removed) continue;
    const auto id = intern(item.component);
    if (!id || next.size() >= kComponentsOfSourceMax) continue;
    next.push_back(*id);
    if (has_whole()) running->second.seen.push_back(*id);
  }
  InventoryChange change = set(number, source, std::move(next));
  change.added.insert(change.added.end(), before.added.begin(), before.added.end());
  change.removed.insert(change.removed.end(), before.removed.begin(), before.removed.end());
  return change;
}

InventoryChange Inventory::replace(DeviceNumber device, std::string_view name, Timestamp now,
                                   std::vector<ComponentId> components) {
  Source& source = source_of(devices_[device], name);
  source.updated = now;
  source.whole = true;
  return set(device, source, std::move(components));
}

void Inventory::restore(DeviceNumber device, Source kept) {
  Source& source = source_of(devices_[device], kept.name);
  source.updated = kept.updated;
  source.whole = kept.whole;
  source.whole_at = kept.whole_at;
  (void)set(device, source, std::move(kept.components));
}

std::optional<InventoryChange> Inventory::remove_source(DeviceNumber number, std::string_view name) {
  Device& device = devices_[number];
  const auto found = std::ranges::find(device.sources, name, &Source::name);
  if (found == device.sources.end()) return std::nullopt;
  InventoryChange change = set(number, *found, {});
  device.sources.erase(found);
  if (const auto whole = device.wholes.find(name); whole != device.wholes.end()) device.wholes.erase(whole);
  return change;
}

std::vector<InventoryChange> Inventory::remove_device(DeviceNumber device, Timestamp at) {
  std::vector<std::string> names;
  for (const Source& source : devices_[device].sources) {
    if (source.updated <= at) names.push_back(source.name);
  }
  std::vector<InventoryChange> out;
  for (const std::string& name : names) {
    if (auto change = remove_source(device, name)) out.push_back(*std::move(change));
  }
  return out;
}

std::vector<InventoryChange> Inventory::settle(Timestamp now, Duration patience) {
  std::vector<InventoryChange> out;
  for (DeviceNumber number = 0; number < devices_.size(); ++number) {
    std::vector<std::string> due;
    for (const auto& [name, whole] : devices_[number].wholes) {
      if (now - source_of(devices_[number], name).updated >= patience) due.push_back(name);
    }
    for (const std::string& name : due) out.push_back(finish_whole(number, name));
  }
  return out;
}

std::vector<ComponentId> Inventory::components_of(DeviceNumber device) const {
  std::vector<ComponentId> out;
  for (const Source& source : devices_[device].sources) {
    out.insert(out.end(), source.components.begin(), source.components.end());
  }
  tidy(out);
  return out;
}

}  // namespace picket::sbom
