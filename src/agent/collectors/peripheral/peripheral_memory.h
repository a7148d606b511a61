// What was plugged in when the agent last looked, kept over a restart.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "peripheral/peripheral_device.h"

namespace picket::agent {

/// One line a device: "usb VENDOR PRODUCT SERIAL PLACE" or "net NAME MAC", parts ended by tabs. Interfaces that are
/// only software are left out, since they are made anew at every start of the system.
std::string write_memory(std::span<const PeripheralDevice> devices);
/// What can be told of the devices of such a text; lines in another form, and more than `devices_max`, are left out.
std::vector<PeripheralDevice> read_memory(std::string_view text, std::size_t devices_max);
/// Equal for a device and what is remembered of it; empty: not remembered.
std::string memory_line(const PeripheralDevice& device);

inline constexpr std::size_t kMemoryBytesMax = 256 << 10;
/// STATE/peripherals; empty where nothing can be kept.
std::string memory_path(const std::string& state_dir);

}  // namespace picket::agent
