#include "peripheral/peripheral_memory.h"

#include <algorithm>

namespace picket::agent {
namespace {

using message::PeripheralType;

/// Tabs and line ends part what is written, so no text may have them.
std::string plain(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

std::string_view next_part(std::string_view& rest, char mark) {
  const auto part = rest.substr(0, rest.find(mark));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

}  // namespace

std::string memory_path(const std::string& state_dir) {
  return state_dir.empty() ? std::string() : state_dir + "/peripherals";
}

std::string memory_line(const PeripheralDevice& device) {
  if (device.type == PeripheralType::Usb) {
    const std::string_view place = std::string_view(device.path).substr(device.path.rfind('/') + 1);
    return "usb\t" + plain(device.vendor_id) + '\t' + plain(device.product_id) + '\t' + plain(device.serial) + '\t' +
           plain(place) + '\t';
  }
  if (device.path.starts_with("/devices/virtual/")) return {};
  return "net\t" + plain(device.interface_name) + '\t' + plain(device.mac) + '\t';
}

std::string write_memory(std::span<const PeripheralDevice> devices) {
  std::string out;
  for (const PeripheralDevice& device : devices) {
    if (const std::string line = memory_line(device); !line.empty()) out.append(line).append(1, '\n');
  }
  return out;
}

std::vector<PeripheralDevice> read_memory(std::string_view text, std::size_t devices_max) {
  std::vector<PeripheralDevice> out;
  while (!text.empty() && out.size() < devices_max) {
    auto line = next_part(text, '\n');
    if (std::ranges::count(line, '\t') == 0 || !line.ends_with('\t')) continue;
    const auto kind = next_part(line, '\t');
    PeripheralDevice device;
    if (kind == "usb") {
      device.vendor_id = next_part(line, '\t');
      device.product_id = next_part(line, '\t');
      device.serial = next_part(line, '\t');
      device.path = "/" + std::string(next_part(line, '\t'));
    } else if (kind == "net") {
      device.type = PeripheralType::Ethernet;
      device.interface_name = next_part(line, '\t');
      device.mac = next_part(line, '\t');
    } else {
      continue;
    }
    if (line.empty()) out.push_back(std::move(device));
  }
  return out;
}

}  // namespace picket::agent
