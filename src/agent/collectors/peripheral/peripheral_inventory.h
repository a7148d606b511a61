// What is plugged in now: so that a device that went can still be described, and a look at sysfs finds the difference.
#pragma once

#include <vector>

#include "agent/collector.h"
#include "peripheral/peripheral_device.h"

namespace picket::agent {

/// Reports every change that it is told of or finds, and counts it. One thread.
class PeripheralInventory {
 public:
  /// More are reported as they come and go, but not remembered: their end tells only what the kernel says of it.
  static constexpr std::size_t kDevicesMax = 512;

  /// `environment` is copied; what it refers to outlives the inventory.
  PeripheralInventory(const Environment& environment, Origin origin) : environment_(environment), origin_(origin) {}

  /// Takes what is there now. What is different from what was there when an agent last ran here is kept for
  /// tell_news(). Errors: io.
  Result<> take_stock();
  /// Reports what came and went while no agent ran, and remembers what is there now. Once, from the first turn of the
  /// loop: to open a tier changes nothing.
  void tell_news(Moment time);
  /// Reports what came and went since. More devices than kDevicesMax: nothing but one more of dropped_user, since what
  /// is left out of the list is not gone.
  void look(Moment time);

  /// A device that is known already by its path and its place on the bus is no news.
  void connected(PeripheralDevice device, Moment time);
  /// `told` is what the kernel says of it; what is remembered of the device at its path is better.
  void disconnected(const PeripheralDevice& told, Moment time);
  /// A network interface got another name: no event.
  void renamed(std::string_view old_path, std::string_view path, std::string_view interface_name);

  [[nodiscard]] Counters& counters() { return counters_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  [[nodiscard]] std::vector<PeripheralDevice>::iterator find(std::string_view path);
  void emit(message::PeripheralAction action, const PeripheralDevice& device, Moment time);
  /// Writes what is plugged in, when it is not what was written last.
  void remember();

  Environment environment_;
  Origin origin_;
  std::vector<PeripheralDevice> known_;
  std::vector<PeripheralDevice> came_, went_;  // while no agent ran
  std::string remembered_;
  bool told_ = false;
  Counters counters_;
};

}  // namespace picket::agent
