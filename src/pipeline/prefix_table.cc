#include "prefix_table.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace picket::pipeline {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '"' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// The part in front of the next comma; the rest stays in `line`.
std::string_view next_field(std::string_view& line) {
  const auto comma = line.find(',');
  const std::string_view field = trim(line.substr(0, comma));
  line = comma == std::string_view::npos ? std::string_view() : line.substr(comma + 1);
  return field;
}

constexpr std::size_t kTextBytesMax = 64;

}  // namespace

PrefixTable PrefixTable::parse(std::string_view csv) {
  PrefixTable out;
  std::set<int, std::greater<>> lengths[2];
  while (!csv.empty()) {
    const auto end = csv.find('\n');
    std::string_view line = trim(csv.substr(0, end));
    csv = end == std::string_view::npos ? std::string_view() : csv.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto prefix = parse_net_prefix(next_field(line));
    const std::string_view country = next_field(line);
    std::string network(next_field(line));
    if (!network.empty() && network.front() >= '0' && network.front() <= '9') network.insert(0, "AS");
    if (!prefix || country.size() > kTextBytesMax || network.size() > kTextBytesMax ||
        out.entries_.size() == kEntriesMax) {
      ++out.broken_;
      continue;
    }
    lengths[prefix->ipv6 ? 1 : 0].insert(prefix->length);
    out.entries_.push_back({*prefix, {std::string(country), std::move(network)}});
  }
  std::ranges::sort(out.entries_, [](const Entry& a, const Entry& b) {
    return std::tie(a.prefix, a.origin.country, a.origin.network) <
           std::tie(b.prefix, b.origin.country, b.origin.network);
  });
  for (int family : {0, 1}) out.lengths_[family].assign(lengths[family].begin(), lengths[family].end());
  return out;
}

const Origin* PrefixTable::find(const NetPrefix& address) const {
  for (const int length : lengths_[address.ipv6 ? 1 : 0]) {
    const NetPrefix wanted = address.widened(length);
    const auto found = std::ranges::lower_bound(entries_, wanted, {}, &Entry::prefix);
    if (found != entries_.end() && found->prefix == wanted) return &found->origin;
  }
  return nullptr;
}

}  // namespace picket::pipeline
