// Networks, and the country and autonomous system that an operator's table gives them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net_prefix.h"

namespace picket::pipeline {

struct Origin {
  std::string country;  ///< "DE"; may be empty.
  std::string network;  ///< "AS64500"; may be empty.
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Longest prefix wins. Immutable after parse().
class PrefixTable {
 public:
  /// Lines `cidr,country,asn`; '#' begins a comment; lines that are broken are counted and left out.
  static PrefixTable parse(std::string_view csv);
  [[nodiscard]] const Origin* find(const NetPrefix& address) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t broken() const { return broken_; }

  static constexpr std::size_t kEntriesMax = 1'000'000;

 private:
  struct Entry {
    NetPrefix prefix;
    Origin origin;
  };
  std::vector<Entry> entries_;   ///< By prefix.
  std::vector<int> lengths_[2];  ///< Of IPv4 and IPv6 that occur, longest first.
  std::uint64_t broken_ = 0;
};

}  // namespace picket::pipeline
