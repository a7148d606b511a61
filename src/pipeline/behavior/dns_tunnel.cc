// Data that leaves in names: very many different names below one domain, long ones, or asked for in types that carry
// much back.
#include <algorithm>
#include <array>

#include "base/core/hash.h"
#include "behavior/behavior.h"
#include "behavior/domain_name.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::int64_t kPart = 600'000'000;  ///< us: the window moves in steps of so long,
constexpr std::int64_t kParts = 6;           ///< and has so many of them.
constexpr std::uint64_t kNamesMin = 100;     ///< RITA's base; spec: threat catalogue.
constexpr std::uint64_t kNamesHigh = 1'000;
constexpr double kLabelMin = 30;           ///< Mean length of the longest label, bytes.
constexpr double kCarryingShareMin = 0.3;  ///< Of TXT, NULL and the like.
constexpr std::size_t kNamesKept = 1'024;  ///< Of one part; as many more are only counted.
constexpr std::size_t kPartsKept = 12;     ///< Late ones too.
constexpr std::size_t kDomainsMax = 8'192;
constexpr std::array<std::string_view, 6> kCarrying{"TXT", "NULL", "CNAME", "MX", "SRV", "PRIVATE"};

struct Part {
  std::int64_t number = 0;
  std::vector<std::uint64_t> names;  ///< Hashes of different names, sorted.
  std::uint64_t queries = 0;
  std::uint64_t label_bytes = 0;  ///< Of the longest label of each query.
  std::uint64_t carrying = 0;
  std::uint64_t bytes = 0;
  static auto fields(auto& self) {
    return std::tie(self.number, self.names, self.queries, self.label_bytes, self.carrying, self.bytes);
  }
};

struct Domain {
  std::vector<Part> parts;
  std::int64_t reported = 0;  ///< Newest part that was told of.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.parts, self.reported, self.last); }
};

class DnsTunnel final : public RememberingDetector<Domain> {
 public:
  DnsTunnel() : RememberingDetector("behavior.dns_tunnel", kDomainsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - Duration::hours(3)); }
};

std::size_t longest_label(std::string_view name) {
  std::size_t longest = 0;
  while (!name.empty()) {
    const auto end = std::min(name.find('.'), name.size());
    longest = std::max(longest, end);
    name.remove_prefix(std::min(name.size(), end + 1));
  }
  return longest;
}

/// Everything of the window that ends with `number`.
Part window_of(const Domain& domain, std::int64_t number) {
  Part sum{.number = number};
  for (const Part& part : domain.parts) {
    if (part.number <= number - kParts || part.number > number) continue;
    std::vector<std::uint64_t> names;
    std::ranges::set_union(sum.names, part.names, std::back_inserter(names));
    sum.names = std::move(names);
    sum.queries += part.queries;
    sum.label_bytes += part.label_bytes;
    sum.carrying += part.carrying;
    sum.bytes += part.bytes;
  }
  return sum;
}

void DnsTunnel::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto name = event.text(Field::QueryName);
  const auto registered = registered_domain(name);
  if (registered.size() == name.size() || name.ends_with(".arpa")) return;
  const std::uint64_t hits = hits_of(event);
  Domain& domain = table_.touch(device_key(event, registered));
  domain.last = event.enqueued;
  const std::int64_t number = event.time.us / kPart;
  auto at = std::ranges::lower_bound(domain.parts, number, {}, &Part::number);
  if (at == domain.parts.end() || at->number != number) at = domain.parts.insert(at, Part{.number = number});
  const std::uint64_t hash = fnv1a64(as_bytes(name));
  const auto place = std::ranges::lower_bound(at->names, hash);
  if ((place == at->names.end() || *place != hash) && at->names.size() < kNamesKept) at->names.insert(place, hash);
  at->queries += hits;
  at->label_bytes += longest_label(name.substr(0, name.size() - registered.size())) * hits;
  if (std::ranges::find(kCarrying, event.text(Field::QueryType)) != kCarrying.end()) at->carrying += hits;
  at->bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(0, event.integer(Field::BytesOut, 0)) +
                                          std::max<std::int64_t>(0, event.integer(Field::BytesIn, 0)));
  while (domain.parts.size() > kPartsKept) domain.parts.erase(domain.parts.begin());
  keep_bound();

  const Part window = window_of(domain, number);
  if (window.names.size() < kNamesMin || domain.reported >= number) return;
  const double label = static_cast<double>(window.label_bytes) / static_cast<double>(window.queries);
  const double carrying = static_cast<double>(window.carrying) / static_cast<double>(window.queries);
  if (label < kLabelMin && carrying < kCarryingShareMin) return;
  domain.reported = number;
  Finding finding{.alert_type = "IoT_DnsTunnel", .group_key = std::string(registered)};
  finding.start = Timestamp{(number - kParts + 1) * kPart};
  finding.end = event.time;
  finding.count = window.queries;
  finding.evidence.push_back(event.evidence());
  finding.properties = {{"Domain", std::string(registered)},
                        {"Different Names", std::to_string(window.names.size())},
                        {"Queries", std::to_string(window.queries)},
                        {"Mean Label Bytes", std::to_string(static_cast<int>(label))},
                        {"Carrying Types", std::to_string(static_cast<int>(carrying * 100)) + " %"},
                        {"Bytes", std::to_string(window.bytes)},
                        {"Window", "60 min"},
                        {"Executable", std::string(event.text(Field::Executable))},
                        {"Last Name", std::string(name)}};
  finding.entities = {{"dns", {{"DomainName", std::string(registered)}}}};
  if (window.names.size() >= kNamesHigh) finding.severity = "High";
  findings.push_back(std::move(finding));
}

}  // namespace

std::unique_ptr<Detector> make_dns_tunnel() { return std::make_unique<DnsTunnel>(); }

}  // namespace picket::pipeline
