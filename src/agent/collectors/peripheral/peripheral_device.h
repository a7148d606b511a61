// One USB device or network interface: what sysfs tells of it, and how it is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collector.h"
#include "message/events.h"
#include "peripheral/uevent_message.h"

namespace picket::agent {

struct PeripheralDevice {
  static constexpr std::size_t kInterfacesMax = 16;
  static constexpr std::size_t kTextBytesMax = 256;  ///< Of each text below; a USB string has at most 126 characters.

  message::PeripheralType type = message::PeripheralType::Usb;
  std::string path;  ///< Below sysfs: "/devices/…".
  // USB
  std::optional<std::uint16_t> bus, number;
  std::optional<UsbClass> usb_class;
  std::vector<UsbClass> interfaces;
  std::string vendor_id, product_id;  ///< Four hex digits; empty: unknown.
  std::string manufacturer, product, serial;
  // Network
  std::string interface_name, kind, mac;

  /// Adds an interface unless its class is there already or the bound is reached.
  void add_interface(const UsbClass& each);
  /// A device of class 0 or 239 says what it is by its interfaces.
  [[nodiscard]] bool speaks_by_interfaces() const {
    return usb_class && (usb_class->code == 0 || usb_class->code == 0xef);
  }
};

/// From the message; what else sysfs has is read by read_details().
PeripheralDevice device_of(const Uevent& event);
/// Fills what is still empty from `sysfs` + path. What cannot be read stays empty: the device may be gone, or be in
/// another network namespace.
void read_details(const std::string& sysfs, PeripheralDevice& device);

/// Appends all USB devices and network interfaces but loopback, with details, at most `devices_max` in all. Errors: io,
/// when neither kind can be listed (then `out` is as it was).
Result<> list_peripherals(const std::string& sysfs, std::size_t devices_max, std::vector<PeripheralDevice>& out);

/// Sends it, counted by kind, ids, serial number and action (its place on the bus is no part of that). False: too long.
bool emit_peripheral(const Environment& environment, Moment time, Origin origin, message::PeripheralAction action,
                     const PeripheralDevice& device);

}  // namespace picket::agent
