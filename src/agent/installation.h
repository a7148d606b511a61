// What one installation on one device is made of before anything runs: its ids and its spool.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "agent/spool.h"

namespace picket::agent {

/// UUID of the running kernel; zeros where procfs does not tell.
std::string read_boot_id();
/// The UUID of this installation, made on the first start. Without a writable directory it is new each time: it is for
/// display only, the hub knows the device by its key.
std::string installation_id(const std::string& data_dir);

/// Where the snapshots of data_dir were sent. What they say was reported is known there only: at another hub, or as
/// another device, everything has to be sent whole. `home`: UplinkStatus::home.
bool snapshots_belong_elsewhere(const std::string& data_dir, std::string_view home);
/// Collectors that have a snapshot file.
std::vector<std::string> snapshot_collectors(const std::string& data_dir);
/// Removes the snapshots of `collectors` and remembers `home`.
void begin_snapshots_at(const std::string& data_dir, std::string_view home, std::span<const std::string> collectors);

struct OpenedSpool {
  Spool spool;
  std::string place;    ///< Directory, or why it is in memory.
  std::string problem;  ///< For the log; empty: none.
};
/// In data_dir, or in memory when the settings say so, `on_disk` is false, or the disk cannot be used. The error is a
/// text for people: another agent is there, or a newer version was.
Checked<OpenedSpool> open_spool(const Config& config, bool on_disk, const std::string& boot_id, Timestamp now);

}  // namespace picket::agent
