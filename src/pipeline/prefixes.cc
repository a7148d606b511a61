#include "pipeline/prefixes.h"

#include <algorithm>
#include <vector>

#include "prefix_table.h"

namespace picket::pipeline {
namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '"' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

struct Line {
  std::string_view network, country, system;
  bool more = false;  ///< Fields behind the third.
};

Line split(std::string_view line) {
  Line out;
  for (std::string_view* field : {&out.network, &out.country, &out.system}) {
    const auto comma = line.find(',');
    *field = trim(line.substr(0, comma));
    line = comma == std::string_view::npos ? std::string_view() : line.substr(comma + 1);
  }
  out.more = !trim(line).empty();
  return out;
}

bool is_country(std::string_view text) {
  return text.empty() || (text.size() == 2 && std::ranges::all_of(text, [](char c) {
                            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
                          }));
}

bool is_system(std::string_view text) {
  if (text.starts_with("AS") || text.starts_with("as")) text.remove_prefix(2);
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits && text.size() <= 10;
}

/// Empty: nothing is wrong with it.
std::string fault_of(const Line& line, const std::optional<NetPrefix>& prefix) {
  if (!prefix) return "the first field is not a network such as 192.0.2.0/24 or 2001:db8::/32";
  if (!is_country(line.country)) return "the second field is not a country of two letters";
  if (!is_system(line.system)) return "the third field is not an autonomous system such as AS64500";
  if (line.country.empty() && line.system.empty()) return "there is neither a country nor an autonomous system";
  if (line.more) return "there are more than three fields";
  const auto slash = line.network.find('/');
  const auto address = parse_net_prefix(line.network.substr(0, slash));
  if (address && address->bytes != prefix->bytes) return "the network has bits behind its prefix";
  return {};
}

}  // namespace

std::expected<std::uint64_t, PrefixFault> check_prefixes(std::string_view csv) {
  if (csv.size() > kPrefixesBytesMax) return std::unexpected(PrefixFault{0, "the table is larger than 7.9 MiB"});
  std::vector<std::pair<NetPrefix, std::size_t>> seen;
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const auto end = csv.find('\n');
    const std::string_view text = trim(csv.substr(0, end));
    csv = end == std::string_view::npos ? std::string_view() : csv.substr(end + 1);
    if (text.empty() || text.front() == '#') continue;
    const bool heading = text.starts_with("network") || text.starts_with("cidr");
    if (heading && number == 1) continue;
    const Line line = split(text);
    const auto prefix = parse_net_prefix(line.network);
    if (auto fault = fault_of(line, prefix); !fault.empty()) return std::unexpected(PrefixFault{number, fault});
    if (seen.size() == PrefixTable::kEntriesMax) return std::unexpected(PrefixFault{number, "too many networks"});
    seen.emplace_back(*prefix, number);
  }
  if (seen.empty()) return std::unexpected(PrefixFault{0, "there is no network in it"});
  std::ranges::sort(seen);
  const auto twice = std::ranges::adjacent_find(seen, {}, [](const auto& entry) { return entry.first; });
  if (twice != seen.end()) return std::unexpected(PrefixFault{std::next(twice)->second, "the network stands twice"});
  return seen.size();
}

}  // namespace picket::pipeline
