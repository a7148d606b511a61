#include "peripheral/peripheral_device.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include <dirent.h>
#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

using message::PeripheralType;

constexpr std::size_t kAttributeBytesMax = 4096;  // a page: sysfs has no longer ones

/// First line of an attribute, at most kTextBytesMax; empty: cannot be read.
std::string attribute(const std::string& path) {
  const auto text = read_file(path, kAttributeBytesMax);
  if (!text) return {};
  return text->substr(0, std::min(text->find('\n'), PeripheralDevice::kTextBytesMax));
}

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string four_hex_digits(std::uint16_t id) {
  const std::byte bytes[] = {static_cast<std::byte>(id >> 8), static_cast<std::byte>(id & 0xff)};
  return to_hex(bytes);
}

/// The attributes bDeviceClass, … or bInterfaceClass, …: two hex digits each.
std::optional<UsbClass> read_class(const std::string& folder, std::string_view what) {
  const std::string start = folder + "/b" + std::string(what);
  const auto code = number<std::uint8_t>(attribute(start + "Class"), 16);
  const auto sub_class = number<std::uint8_t>(attribute(start + "SubClass"), 16);
  const auto protocol = number<std::uint8_t>(attribute(start + "Protocol"), 16);
  if (!code || !sub_class || !protocol) return std::nullopt;
  return UsbClass{*code, *sub_class, *protocol};
}

/// Calls `each` with the names in a folder. False: it cannot be opened.
template <class Each>
bool for_each_name(const std::string& folder, Each each) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open{opendir(folder.c_str()), closedir};
  if (!open) return false;
  while (const dirent* entry = readdir(open.get())) {
    if (entry->d_name[0] != '.') each(std::string_view(entry->d_name));
  }
  return true;
}

/// Where a link of a class or bus folder leads: "../../devices/virtual/net/eth0" is "/devices/virtual/net/eth0".
std::string device_path(const std::string& link) {
  char target[1024];
  const ssize_t n = readlink(link.c_str(), target, sizeof(target));
  const std::string_view text{target, n > 0 ? static_cast<std::size_t>(n) : 0};
  const auto at = text.find("/devices/");
  return at == std::string_view::npos ? std::string() : std::string(text.substr(at));
}

/// DEVTYPE of the kernel, else what can be told from sysfs and the path.
std::string kind_of(const std::string& folder, std::string_view path, std::string_view device_type) {
  if (device_type == "wlan") return "wifi";
  if (!device_type.empty()) return std::string(device_type);
  if (access((folder + "/wireless").c_str(), F_OK) == 0) return "wifi";
  if (access((folder + "/bridge").c_str(), F_OK) == 0) return "bridge";
  if (access((folder + "/tun_flags").c_str(), F_OK) == 0) return "tun";
  return path.starts_with("/devices/virtual/") ? "virtual" : "physical";
}

void read_usb(const std::string& folder, PeripheralDevice& device) {
  const auto fill = [&](std::string& text, const char* name) {
    if (text.empty()) text = attribute(folder + "/" + name);
  };
  fill(device.vendor_id, "idVendor");
  fill(device.product_id, "idProduct");
  fill(device.manufacturer, "manufacturer");
  fill(device.product, "product");
  fill(device.serial, "serial");
  if (!device.bus) device.bus = number<std::uint16_t>(attribute(folder + "/busnum"), 10);
  if (!device.number) device.number = number<std::uint16_t>(attribute(folder + "/devnum"), 10);
  if (!device.usb_class) device.usb_class = read_class(folder, "Device");
  if (!device.speaks_by_interfaces()) return;
  // Interfaces are folders below the device, named after it: "1-1:1.0".
  const std::string own_name = device.path.substr(device.path.rfind('/') + 1) + ":";
  for_each_name(folder, [&](std::string_view name) {
    if (!name.starts_with(own_name)) return;
    if (const auto found = read_class(folder + "/" + std::string(name), "Interface")) device.add_interface(*found);
  });
}

void read_network(const std::string& folder, PeripheralDevice& device) {
  if (device.kind.empty()) device.kind = kind_of(folder, device.path, {});
  if (device.mac.empty()) device.mac = attribute(folder + "/address");
  if (device.mac == "00:00:00:00:00:00") device.mac.clear();
}

std::string join_classes(const std::vector<UsbClass>& classes) {
  std::string out;
  for (const UsbClass& each : classes) {
    if (!out.empty()) out += ' ';
    out += std::to_string(each.code) + '/' + std::to_string(each.sub_class) + '/' + std::to_string(each.protocol);
  }
  return out;
}

}  // namespace

void PeripheralDevice::add_interface(const UsbClass& each) {
  if (interfaces.size() < kInterfacesMax && std::ranges::find(interfaces, each) == interfaces.end()) {
    interfaces.push_back(each);
  }
}

PeripheralDevice device_of(const Uevent& event) {
  PeripheralDevice device;
  device.path = event.path;
  if (event.kind == Uevent::Kind::network) {
    device.type = PeripheralType::Ethernet;
    device.interface_name = event.interface_name.substr(0, PeripheralDevice::kTextBytesMax);
    if (!event.device_type.empty()) {
      device.kind = kind_of({}, event.path, event.device_type.substr(0, PeripheralDevice::kTextBytesMax));
    }
    return device;
  }
  device.bus = event.bus;
  device.number = event.number;
  device.usb_class = event.usb_class;
  if (event.has_ids) {
    device.vendor_id = four_hex_digits(event.vendor);
    device.product_id = four_hex_digits(event.product);
  }
  return device;
}

void read_details(const std::string& sysfs, PeripheralDevice& device) {
  const std::string folder = sysfs + device.path;
  device.type == PeripheralType::Usb ? read_usb(folder, device) : read_network(folder, device);
}

Result<> list_peripherals(const std::string& sysfs, std::size_t devices_max, std::vector<PeripheralDevice>& out) {
  const auto add = [&](const std::string& link, PeripheralDevice device) {
    device.path = device_path(link);
    if (device.path.empty() || out.size() >= devices_max) return;
    read_details(sysfs, device);
    out.push_back(std::move(device));
  };
  const std::string usb = sysfs + "/bus/usb/devices", network = sysfs + "/class/net";
  const bool has_usb = for_each_name(usb, [&](std::string_view name) {
    if (name.find(':') == std::string_view::npos) add(usb + "/" + std::string(name), {});  // else an interface
  });
  const bool has_network = for_each_name(network, [&](std::string_view name) {
    if (name == "lo") return;
    PeripheralDevice device{.type = PeripheralType::Ethernet};
    device.interface_name = name;
    add(network + "/" + std::string(name), std::move(device));
  });
  if (!has_usb && !has_network) return fail_errno("agent.peripheral.sysfs");
  return {};
}

bool emit_peripheral(const Environment& environment, Moment time, Origin origin, message::PeripheralAction action,
                     const PeripheralDevice& device) {
  message::Peripheral item{.peripheral_type = device.type,
                           .action_type = action,
                           .bus_number = device.bus,
                           .kernel_device_number = device.number,
                           .vendor_id = device.vendor_id,
                           .product_id = device.product_id,
                           .manufacturer = device.manufacturer,
                           .product = device.product,
                           .serial_number = device.serial,
                           .interface_name = device.interface_name,
                           .interface_kind = device.kind,
                           .mac_address = device.mac,
                           .source = origin.tier};
  if (device.usb_class) {
    item.device_class = device.usb_class->code;
    item.device_sub_class = device.usb_class->sub_class;
    item.device_protocol = device.usb_class->protocol;
  }
  if (!device.interfaces.empty()) {
    item.interface_class = device.interfaces.front().code;
    item.interface_sub_class = device.interfaces.front().sub_class;
    item.interface_protocol = device.interfaces.front().protocol;
  }
  // A stick that is a keyboard too must not hide behind its first interface.
  const std::string all = join_classes(device.interfaces);
  const message::Detail details[] = {{"InterfaceClasses", all}};
  if (device.interfaces.size() > 1) item.extra_details = details;
  std::string identity(to_string(action));
  for (const std::string* part :
       {&device.vendor_id, &device.product_id, &device.serial, &all, &device.interface_name, &device.mac}) {
    identity.append(1, '\0').append(*part);
  }
  return emit_counted(environment.sink, time, origin, environment.priority, identity, item);
}

}  // namespace picket::agent
