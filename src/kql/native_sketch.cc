// Sketches as values: HyperLogLog for distinct counts, centroids for percentiles. Both are exact while they are small.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "base/core/encoding.h"
#include "kql/native_families.h"
#include "kql/native_functions.h"
#include "native_json.h"

namespace picket::kql {

namespace {

// --- distinct counts: [[1024, bits], [hashes as texts], [registers as base64]]; one of the last two is empty

constexpr std::size_t kHashesMax = 1'024;
constexpr unsigned kBitsMin = 12;
constexpr unsigned kBitsMax = 18;

struct Distinct {
  unsigned bits = 14;
  std::set<std::int64_t> hashes;
  std::vector<std::uint8_t> registers;  ///< Empty while the hashes are few.

  void add(std::int64_t hash) {
    if (!registers.empty()) return note(static_cast<std::uint64_t>(hash));
    hashes.insert(hash);
    if (hashes.size() > kHashesMax) spread();
  }
  /// From hashes to registers.
  void spread() {
    registers.assign(std::size_t{1} << bits, 0);
    for (const auto hash : hashes) note(static_cast<std::uint64_t>(hash));
    hashes.clear();
  }
  void note(std::uint64_t hash) {
    const auto at = static_cast<std::size_t>(hash >> (64 - bits));
    const auto rest = hash << bits;
    const auto rank = static_cast<std::uint8_t>(std::min(std::countl_zero(rest), static_cast<int>(64 - bits)) + 1);
    registers[at] = std::max(registers[at], rank);
  }
  /// To fewer bits: what a register's place said becomes part of its rank.
  void narrow(unsigned wanted) {
    if (wanted >= bits) return;
    if (!registers.empty()) {
      const unsigned cut = bits - wanted;
      std::vector<std::uint8_t> out(std::size_t{1} << wanted, 0);
      for (std::size_t i = 0; i < registers.size(); ++i) {
        if (registers[i] == 0) continue;
        const auto low = i & ((std::size_t{1} << cut) - 1);
        const auto rank = low == 0 ? registers[i] + cut : cut - static_cast<unsigned>(std::bit_width(low)) + 1;
        out[i >> cut] = std::max(out[i >> cut], static_cast<std::uint8_t>(rank));
      }
      registers = std::move(out);
    }
    bits = wanted;
  }
  void merge(Distinct other) {
    const auto least = std::min(bits, other.bits);
    narrow(least);
    other.narrow(least);
    if (registers.empty() && !other.registers.empty()) spread();
    for (std::size_t i = 0; i < other.registers.size(); ++i) registers[i] = std::max(registers[i], other.registers[i]);
    for (const auto hash : other.hashes) add(hash);
  }
  /// Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017): no bias at either end.
  [[nodiscard]] std::int64_t count() const {
    if (registers.empty()) return static_cast<std::int64_t>(hashes.size());
    const auto q = static_cast<int>(64 - bits);
    std::vector<double> held(static_cast<std::size_t>(q) + 2, 0);
    for (const auto one : registers) held[std::min<std::size_t>(one, held.size() - 1)] += 1;
    const auto m = static_cast<double>(registers.size());
    double z = m * tau(1 - held[static_cast<std::size_t>(q) + 1] / m);
    for (int k = q; k >= 1; --k) z = 0.5 * (z + held[static_cast<std::size_t>(k)]);
    z += m * sigma(held[0] / m);
    return std::llround(m * m / (2 * std::log(2.0)) / z);
  }
  static double tau(double x) {
    if (x == 0 || x == 1) return 0;
    double y = 1;
    double z = 1 - x;
    for (double before = -1; before != z;) {
      x = std::sqrt(x);
      before = z;
      y *= 0.5;
      z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
  }
  static double sigma(double x) {
    if (x == 1) return HUGE_VAL;
    double y = 1;
    double z = x;
    for (double before = -1; before != z;) {
      x *= x;
      before = z;
      z += x * y;
      y += y;
    }
    return z;
  }
  [[nodiscard]] std::string json() const {
    std::string out = "[[1024," + std::to_string(bits) + "],[";
    for (const auto hash : hashes) out += (out.ends_with('[') ? "\"" : ",\"") + std::to_string(hash) + "\"";
    out += "],[";
    if (!registers.empty()) {
      out += "\"" + to_base64(std::as_bytes(std::span(registers))) + "\"";
    }
    return out + "]]";
  }
};

std::optional<Distinct> read_distinct(std::string_view json) {
  const auto parts = json_items(json);
  if (!parts || parts->size() != 3) return std::nullopt;
  const auto head = json_numbers((*parts)[0]);
  const auto hashes = json_items((*parts)[1]);
  const auto registers = json_items((*parts)[2]);
  if (!head || head->size() != 2 || !hashes || !registers || registers->size() > 1 || hashes->size() > kHashesMax) {
    return std::nullopt;
  }
  Distinct out;
  if (!((*head)[1] >= kBitsMin && (*head)[1] <= kBitsMax)) return std::nullopt;
  out.bits = static_cast<unsigned>((*head)[1]);
  for (const auto hash : *hashes) {
    const auto value = parse_long(dynamic_text(hash));
    if (!value) return std::nullopt;
    out.hashes.insert(*value);
  }
  if (registers->empty()) return out;
  const auto bytes = from_base64(dynamic_text(registers->front()));
  if (!bytes || bytes->size() != std::size_t{1} << out.bits || !out.hashes.empty()) return std::nullopt;
  for (const auto byte : *bytes) {
    if (static_cast<unsigned>(byte) > 64 - out.bits + 1) return std::nullopt;
    out.registers.push_back(static_cast<std::uint8_t>(byte));
  }
  return out;
}

// --- percentiles: [[7], [values], [weights]], values ascending

constexpr std::size_t kCentroidsMax = 2'048;

struct Digest {
  std::map<double, double> held;  ///< Value to weight.

  [[nodiscard]] double total() const {
    double out = 0;
    for (const auto& [value, weight] : held) out += weight;
    return out;
  }
  /// Neighbours become one, the fewer the nearer they are to an end: a centroid's share is at most 4*q*(1-q)/limit.
  void compress() {
    if (held.size() <= kCentroidsMax) return;
    const double all = total();
    constexpr double kLimit = static_cast<double>(kCentroidsMax) / 2;
    std::map<double, double> out;
    double before = 0;
    double sum = 0;
    double weight = 0;
    const auto close = [&] {
      if (weight > 0) out[sum / weight] += weight;
      before += weight;
      sum = 0;
      weight = 0;
    };
    for (const auto& [value, more] : held) {
      const double q = (before + (weight + more) / 2) / all;
      if (weight > 0 && weight + more > 4 * all * q * (1 - q) / kLimit) close();
      sum += value * more;
      weight += more;
    }
    close();
    held = std::move(out);
  }
  [[nodiscard]] std::string json() const {
    std::vector<double> values;
    std::vector<double> weights;
    for (const auto& [value, weight] : held) {
      values.push_back(value);
      weights.push_back(weight);
    }
    const auto text = [](const std::vector<double>& numbers) {
      std::vector<std::string> out;
      for (const double one : numbers) {
        const bool whole = one == std::floor(one) && std::fabs(one) < 9e15;
        out.push_back(whole ? std::to_string(static_cast<std::int64_t>(one)) : json_number(one));
      }
      return json_array(out);
    };
    return "[[7]," + text(values) + "," + text(weights) + "]";
  }
};

std::optional<Digest> read_digest(std::string_view json) {
  const auto parts = json_items(json);
  if (!parts || parts->size() != 3) return std::nullopt;
  const auto values = json_numbers((*parts)[1]);
  const auto weights = json_numbers((*parts)[2]);
  if (!values || !weights || values->size() != weights->size()) return std::nullopt;
  Digest out;
  for (std::size_t i = 0; i < values->size(); ++i) {
    if (!std::isfinite((*values)[i]) || !((*weights)[i] > 0)) return std::nullopt;
    out.held[(*values)[i]] += (*weights)[i];
  }
  return out;
}

template <class Number>
std::vector<Number> read_numbers(std::string_view text) {
  std::vector<Number> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    Number value{};
    std::from_chars(text.data(), text.data() + end, value);
    out.push_back(value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string hll_make(std::string_view hashes, std::int64_t accuracy) {
  constexpr std::array<unsigned, 5> kBits = {12, 14, 16, 17, 18};
  Distinct out;
  out.bits = kBits.at(accuracy < 0 || accuracy > 4 ? 1 : static_cast<std::size_t>(accuracy));
  for (const auto hash : read_numbers<std::int64_t>(hashes)) out.add(hash);
  return out.json();
}

std::optional<std::string> hll_merge(std::string_view sketches) {
  const auto items = json_items(sketches);
  if (!items) return std::nullopt;
  std::optional<Distinct> out;
  for (const auto item : *items) {
    auto one = read_distinct(item);
    if (!one) continue;
    if (out) {
      out->merge(std::move(*one));
    } else {
      out = std::move(one);
    }
  }
  return out ? std::optional(out->json()) : std::nullopt;
}

std::optional<std::int64_t> hll_count(std::string_view sketch) {
  const auto read = read_distinct(sketch);
  return read ? std::optional(read->count()) : std::nullopt;
}

std::string tdigest_make(std::string_view values, std::string_view weights) {
  const auto x = read_numbers<double>(values);
  const auto w = read_numbers<double>(weights);
  Digest out;
  for (std::size_t i = 0; i < x.size() && i < w.size(); ++i) {
    if (std::isfinite(x[i]) && w[i] > 0) out.held[x[i]] += w[i];
  }
  out.compress();
  return out.json();
}

std::optional<std::string> tdigest_merge(std::string_view digests) {
  const auto items = json_items(digests);
  if (!items) return std::nullopt;
  Digest out;
  bool any = false;
  for (const auto item : *items) {
    const auto one = read_digest(item);
    if (!one) continue;
    any = true;
    for (const auto& [value, weight] : one->held) out.held[value] += weight;
  }
  if (!any) return std::nullopt;
  out.compress();
  return out.json();
}

std::optional<double> tdigest_rank(std::string_view digest, double value) {
  const auto read = read_digest(digest);
  if (!read) return std::nullopt;
  double out = 0;
  for (const auto& [held, weight] : read->held) out += held <= value ? weight : 0;
  return out;
}

std::optional<double> tdigest_share(std::string_view digest, double value) {
  const auto read = read_digest(digest);
  const auto rank = tdigest_rank(digest, value);
  if (!read || !rank || read->held.empty()) return std::nullopt;
  return 100 * *rank / read->total();
}

std::optional<std::string> tdigest_percentile(std::string_view digest, double percentage) {
  const auto read = read_digest(digest);
  if (!read || read->held.empty() || !(percentage >= 0 && percentage <= 100)) return std::nullopt;
  const double wanted = read->total() * percentage / 100;
  double sum = 0;
  double found = read->held.rbegin()->first;
  for (const auto& [value, weight] : read->held) {
    sum += weight;
    if (sum < wanted) continue;
    found = value;
    break;
  }
  const bool whole = found == std::floor(found) && std::fabs(found) < 9e15;
  return whole ? std::to_string(static_cast<std::int64_t>(found)) : json_number(found);
}

std::optional<std::int64_t> weighted_index(std::string_view weights, double percentage) {
  const auto all = read_numbers<double>(weights);
  double total = 0;
  for (const double weight : all) total += weight;
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    sum += all[i];
    if (sum >= total * percentage / 100) return static_cast<std::int64_t>(i) + 1;
  }
  return std::nullopt;
}

std::string session_starts(std::string_view times, std::string_view restarts, std::int64_t first_ticks,
                           std::int64_t between_ticks) {
  std::string out;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> before;
  for (std::size_t row = 0; row < restarts.size(); ++row) {
    const auto end = std::min(times.find(','), times.size());
    std::int64_t now = 0;
    const bool known = std::from_chars(times.data(), times.data() + end, now).ec == std::errc{};
    times.remove_prefix(std::min(end + 1, times.size()));
    const bool fresh = !start || !before || restarts[row] == '1' || now - *start >= first_ticks / 10 ||
                       now - *before >= between_ticks / 10;
    if (!known) {
      start.reset();
      before.reset();
    } else {
      if (fresh) start = now;
      before = now;
    }
    if (row > 0) out += ',';
    if (start) out += std::to_string(*start);
  }
  return out;
}

}  // namespace picket::kql
