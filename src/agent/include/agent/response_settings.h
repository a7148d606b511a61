// Local policy of response: what a signed command may do on this device. Nothing, unless it is written here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/core/time.h"

namespace picket::agent {

/// The module twin cannot change any of these.
struct ResponseSettings {
  std::string key_file;  ///< PEM of the hub's response key; empty: no command is taken.
  bool isolate = false;  ///< isolate, release
  bool process = false;  ///< kill, suspend, resume
  bool block = false;    ///< block, unblock
  bool collect = false;  ///< collect
  bool scan = false;     ///< scan
  std::size_t collect_bytes_max = 1U << 20;
  std::size_t block_bytes_max = 16U << 20;  ///< Larger programs are not hashed, so they start.
  std::vector<std::string> block_paths;     ///< Mount points whose programs are watched; empty: all file systems.
};

}  // namespace picket::agent
