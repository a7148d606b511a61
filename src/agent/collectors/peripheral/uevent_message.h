// Messages of NETLINK_KOBJECT_UEVENT, as the kernel sends them to group 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent {

/// Three numbers of a USB class: of a device or of one of its interfaces.
struct UsbClass {
  std::uint8_t code = 0, sub_class = 0, protocol = 0;
  friend bool operator==(const UsbClass&, const UsbClass&) = default;
};

/// What of a message says that something came or went. Views point into the message.
struct Uevent {
  enum class Action : std::uint8_t { add, remove, move };
  enum class Kind : std::uint8_t { usb_device, usb_interface, network };
  Action action = Action::add;
  Kind kind = Kind::usb_device;
  std::string_view path;            ///< Below sysfs: "/devices/…"; has no ".." part.
  std::string_view old_path;        ///< move only.
  std::string_view interface_name;  ///< network only.
  std::string_view device_type;     ///< network only: "wlan", "bridge", …; often empty.
  bool has_ids = false;             ///< vendor and product were told.
  std::uint16_t vendor = 0, product = 0;
  std::optional<UsbClass> usb_class;  ///< Of the device, or of the interface.
  std::optional<std::uint16_t> bus, number;
};

/// Longest message that is read. The kernel's own are at most 2 KiB and a header.
inline constexpr std::size_t kUeventBytesMax = 8192;

/// nullopt: not one of those above (most messages are about other things), or not in the form "ACTION@PATH" NUL
/// {KEY=VALUE NUL}. A later key wins over an earlier one; a number that is none is taken as absent.
std::optional<Uevent> parse_uevent(Bytes message);

/// "8/6/80"; nullopt: something else.
std::optional<UsbClass> parse_usb_class(std::string_view text);

}  // namespace picket::agent
