#include "peripheral/peripheral_inventory.h"

#include <algorithm>
#include <utility>

#include "base/core/file.h"
#include "peripheral/peripheral_memory.h"

namespace picket::agent {
namespace {

using message::PeripheralAction;

/// Whether two devices at one path are one device: a stick that was pulled and put back has another number.
bool is_same(const PeripheralDevice& a, const PeripheralDevice& b) {
  return a.bus == b.bus && a.number == b.number && a.vendor_id == b.vendor_id && a.product_id == b.product_id;
}

}  // namespace

std::vector<PeripheralDevice>::iterator PeripheralInventory::find(std::string_view path) {
  return std::ranges::find(known_, path, &PeripheralDevice::path);
}

Result<> PeripheralInventory::take_stock() {
  known_.clear();
  TRY_VOID(list_peripherals(environment_.settings.sysfs, kDevicesMax, known_));
  const std::string path = memory_path(environment_.settings.state_dir);
  const auto text = path.empty() ? Result<std::string>(fail(Errc::not_found, "agent.peripheral.memory"))
                                 : read_file(path, kMemoryBytesMax);
  if (!text) return {};  // the first time: nothing is news
  remembered_ = *text;
  const std::vector<PeripheralDevice> before = read_memory(*text, kDevicesMax);
  const auto has = [](const std::vector<PeripheralDevice>& devices, const std::string& line) {
    return std::ranges::any_of(devices, [&](const PeripheralDevice& each) { return memory_line(each) == line; });
  };
  for (const PeripheralDevice& device : known_) {
    const std::string line = memory_line(device);
    if (!line.empty() && !has(before, line)) came_.push_back(device);
  }
  for (const PeripheralDevice& device : before) {
    if (!has(known_, memory_line(device))) went_.push_back(device);
  }
  return {};
}

void PeripheralInventory::tell_news(Moment time) {
  if (std::exchange(told_, true)) return;
  for (const PeripheralDevice& device : went_) emit(PeripheralAction::Disconnected, device, time);
  for (const PeripheralDevice& device : came_) emit(PeripheralAction::Connected, device, time);
  went_.clear();
  came_.clear();
  remember();
}

void PeripheralInventory::remember() {
  const std::string path = memory_path(environment_.settings.state_dir);
  std::string text = path.empty() ? std::string() : write_memory(known_);
  if (path.empty() || text == remembered_) return;
  // On a read-only disk it is tried again with the next change.
  if (replace_file(path, as_bytes(text))) remembered_ = std::move(text);
}

void PeripheralInventory::look(Moment time) {
  std::vector<PeripheralDevice> now;
  if (!list_peripherals(environment_.settings.sysfs, kDevicesMax + 1, now) || now.size() > kDevicesMax) {
    ++counters_.seen;
    ++counters_.dropped_user;
    return;
  }
  const std::vector<PeripheralDevice> before = known_;
  for (const PeripheralDevice& old : before) {
    const auto still = std::ranges::find(now, old.path, &PeripheralDevice::path);
    if (still == now.end() || !is_same(old, *still)) disconnected(old, time);
  }
  for (PeripheralDevice& each : now) connected(std::move(each), time);
}

void PeripheralInventory::connected(PeripheralDevice device, Moment time) {
  if (const auto at = find(device.path); at != known_.end()) {
    if (is_same(*at, device)) return;
    disconnected(*at, time);
  }
  emit(PeripheralAction::Connected, device, time);
  if (known_.size() < kDevicesMax) known_.push_back(std::move(device));
  remember();
}

void PeripheralInventory::disconnected(const PeripheralDevice& told, Moment time) {
  const auto at = find(told.path);
  if (at == known_.end()) return emit(PeripheralAction::Disconnected, told, time);
  const PeripheralDevice device = std::move(*at);
  known_.erase(at);
  emit(PeripheralAction::Disconnected, device, time);
  remember();
}

void PeripheralInventory::renamed(std::string_view old_path, std::string_view path, std::string_view interface_name) {
  const auto at = find(old_path);
  if (at == known_.end()) return;
  at->path = path;
  at->interface_name = interface_name.substr(0, PeripheralDevice::kTextBytesMax);
}

void PeripheralInventory::emit(PeripheralAction action, const PeripheralDevice& device, Moment time) {
  ++counters_.seen;
  if (emit_peripheral(environment_, time, origin_, action, device)) {
    ++counters_.delivered;
  } else {
    ++counters_.dropped_user;
  }
}

}  // namespace picket::agent
