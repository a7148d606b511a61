#include "behavior/distinct_window.h"

#include <algorithm>
#include <map>

namespace picket::pipeline {
namespace {

std::int64_t bucket_us(const DistinctWindow::Bounds& bounds) {
  return std::max<std::int64_t>(1, bounds.window.us / DistinctWindow::kBuckets);
}

std::int64_t bucket_of(const DistinctWindow::Bounds& bounds, Timestamp time) { return time.us / bucket_us(bounds); }

}  // namespace

std::size_t DistinctWindow::add(const Bounds& bounds, std::string_view value, Timestamp first, Timestamp last_time,
                                const EvidenceRow& evidence) {
  value = value.substr(0, bounds.value_bytes_max);
  const std::int64_t end = bucket_of(bounds, std::max(first, last_time));
  // Of a record that spans much time, only what one window can see of its end is of use.
  const std::int64_t begin = std::max(bucket_of(bounds, first), end - kBuckets);
  for (std::int64_t bucket = begin; bucket <= end; ++bucket) {
    SeenValue sighting{bucket, std::string(value), false, evidence};
    const auto at = std::ranges::lower_bound(sightings_, sighting, std::less<>{});
    const bool known = at != sightings_.end() && at->bucket == bucket && at->value == value;
    if (!known)
      sightings_.insert(at, std::move(sighting));
    else if (!at->reported && evidence.time < at->evidence.time)
      at->evidence = evidence;
  }
  const std::int64_t oldest = sightings_.back().bucket - kBuckets - bounds.lateness.us / bucket_us(bounds);
  std::erase_if(sightings_, [&](const SeenValue& sighting) { return sighting.bucket < oldest; });
  std::size_t evicted = 0;
  if (sightings_.size() > kSightingsMax) {
    evicted = sightings_.size() - kSightingsMax;
    sightings_.erase(sightings_.begin(), sightings_.begin() + static_cast<std::ptrdiff_t>(evicted));
  }
  return evicted;
}

std::vector<SeenValue> DistinctWindow::report(const Bounds& bounds) {
  std::map<std::string_view, std::size_t> inside;
  std::vector<bool> marks(sightings_.size(), false);
  std::size_t begin = 0;
  for (std::size_t end = 0; end < sightings_.size(); ++end) {
    ++inside[sightings_[end].value];
    for (; sightings_[end].bucket - sightings_[begin].bucket > kBuckets; ++begin) {
      const auto left = inside.find(sightings_[begin].value);
      if (--left->second == 0) inside.erase(left);
    }
    if (inside.size() < bounds.values_min) continue;
    for (std::size_t i = begin; i <= end; ++i) marks[i] = true;
  }
  std::vector<SeenValue> out;
  for (std::size_t i = 0; i < sightings_.size(); ++i) {
    if (!marks[i] || sightings_[i].reported) continue;
    sightings_[i].reported = true;
    out.push_back(sightings_[i]);
  }
  return out;
}

std::size_t DistinctWindow::values() const {
  if (sightings_.empty()) return 0;
  std::map<std::string_view, int> inside;
  for (const SeenValue& sighting : sightings_) {
    if (sighting.bucket >= sightings_.back().bucket - kBuckets) inside[sighting.value] = 1;
  }
  return inside.size();
}

std::vector<std::string> DistinctWindow::names(std::size_t count) const {
  std::vector<std::string> out;
  for (const SeenValue& sighting : sightings_) out.push_back(sighting.value);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  if (out.size() > count) out.resize(count);
  return out;
}

void DistinctWindow::encode(ByteWriter& out) const {
  put_time(out, last);
  out.le(static_cast<std::uint32_t>(sightings_.size()));
  for (const SeenValue& sighting : sightings_) {
    out.le(static_cast<std::uint64_t>(sighting.bucket)).u8(sighting.reported ? 1 : 0);
    put_text(out, sighting.value);
    const EvidenceRow& row = sighting.evidence;
    out.le(row.row.sequence).le(row.row.event).le(row.row.item);
    put_text(out, row.raw_event_id);
    put_time(out, row.time);
  }
}

Result<DistinctWindow> DistinctWindow::decode(Cursor& in) {
  DistinctWindow out;
  TRY(out.last, get_time(in));
  TRY(const auto count, in.le<std::uint32_t>());
  if (count > kSightingsMax) return fail(Errc::malformed, "pipeline.state.distinct_window");
  for (std::uint32_t i = 0; i < count; ++i) {
    SeenValue sighting;
    TRY(const auto bucket, in.le<std::uint64_t>());
    sighting.bucket = static_cast<std::int64_t>(bucket);
    TRY(const auto reported, in.u8());
    sighting.reported = reported != 0;
    TRY(sighting.value, get_text(in));
    TRY(sighting.evidence.row.sequence, in.le<std::uint64_t>());
    TRY(sighting.evidence.row.event, in.le<std::uint32_t>());
    TRY(sighting.evidence.row.item, in.le<std::uint32_t>());
    TRY(sighting.evidence.raw_event_id, get_text(in));
    TRY(sighting.evidence.time, get_time(in));
    out.sightings_.push_back(std::move(sighting));
  }
  return out;
}

Timestamp bucket_time(const DistinctWindow::Bounds& bounds, std::int64_t bucket) {
  return Timestamp{bucket * bucket_us(bounds)};
}

void add_sightings(Finding& finding, const DistinctWindow::Bounds& bounds, const std::vector<SeenValue>& sightings) {
  if (sightings.empty()) return;
  finding.start = bucket_time(bounds, sightings.front().bucket);
  finding.end = bucket_time(bounds, sightings.back().bucket + 1);
  finding.count = 0;
  finding.evidence_count = 0;
  for (const SeenValue& sighting : sightings) {
    ++finding.count;
    const bool listed =
        std::ranges::any_of(finding.evidence, [&](const EvidenceRow& row) { return row.row == sighting.evidence.row; });
    if (listed) continue;
    ++finding.evidence_count;
    if (finding.evidence.size() < kEvidenceMax) finding.evidence.push_back(sighting.evidence);
  }
}

}  // namespace picket::pipeline
