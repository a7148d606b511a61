// Which name was looked up for an address, so that a connection can be told by it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/record.h"

namespace picket::agent {

/// The newest kEntriesMax addresses; of two names with one address the later one. Their time to live is not looked at:
/// a connection may be made, and reported, long after the look-up. One thread.
class NameCache {
 public:
  static constexpr std::size_t kEntriesMax = 256;
  static constexpr std::size_t kNameBytesMax = 255;  ///< Longer names are not kept.

  void put(const IpAddress& address, std::string_view name) {
    if (address.length == 0 || name.size() > kNameBytesMax) return;
    for (Entry& entry : entries_) {
      if (entry.address != address) continue;
      entry.name = name;
      return;
    }
    if (entries_.size() < kEntriesMax) {
      entries_.push_back({address, std::string(name)});
    } else {
      entries_[oldest_] = {address, std::string(name)};
      oldest_ = (oldest_ + 1) % kEntriesMax;
    }
  }
  /// Empty: not known. Valid until the next put().
  [[nodiscard]] std::string_view find(const IpAddress& address) const {
    for (const Entry& entry : entries_) {
      if (entry.address == address) return entry.name;
    }
    return {};
  }

 private:
  struct Entry {
    IpAddress address;
    std::string name;
  };
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
};

/// The one of this process: filled by the dns collector, asked when a connection is encoded.
inline NameCache& looked_up_names() {
  static NameCache names;
  return names;
}

}  // namespace picket::agent
