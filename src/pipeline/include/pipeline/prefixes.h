// The operator's table of networks, countries and autonomous systems: checked whole before it is put in force.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace picket::pipeline {

/// Value of the property `name` of such an intelligence_change record; its body is the CSV.
inline constexpr std::string_view kPrefixes = "prefixes";
/// Leaves room for the rest of a record.
inline constexpr std::size_t kPrefixesBytesMax = (8U << 20) - (64U << 10);

/// The first line that is wrong.
struct PrefixFault {
  std::size_t line = 0;  ///< From 1; 0: the whole.
  std::string text;
};

/// Lines `network,country,asn`: an IPv4 or IPv6 network without bits behind its prefix, or an address; two letters, or
/// nothing; "64500", "AS64500" or nothing. One of the last two is needed; no network may stand twice. '#' begins a
/// comment line; a first line that begins with "network" or "cidr" is a heading. Returns the number of networks, at
/// least one.
std::expected<std::uint64_t, PrefixFault> check_prefixes(std::string_view csv);

}  // namespace picket::pipeline
