#include "ageing.h"

#include <algorithm>

namespace picket::workspace {

Fate fate_of(const TableExtent& extent, Timestamp sealed, const TableRetention& retention, Timestamp now) {
  if (retention.keep.us <= 0) return Fate::stay;
  const Duration age = now - age_reference(extent, sealed);
  if (age <= retention.keep) return Fate::stay;
  if (age > retention.keep + retention.archive) return Fate::drop;
  return extent.archived ? Fate::stay : Fate::archive;
}

std::optional<Ageing> choose_ageing(std::span<const SegmentInfo> segments, const RetentionOf& retention,
                                    const std::function<bool(const SegmentInfo&)>& can_rewrite, Timestamp now) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Ageing out{i, {}, {}};
    for (const TableExtent& extent : segments[i].tables) {
      const Fate fate = fate_of(extent, segments[i].sealed, retention(extent.table), now);
      if (fate == Fate::archive) out.archive.push_back(extent.table);
      if (fate == Fate::drop) out.drop.push_back(extent.table);
    }
    const bool whole = out.drop.size() == segments[i].tables.size();
    if (!whole && !(out.archive.empty() && out.drop.empty()) && can_rewrite(segments[i])) return out;
  }
  return std::nullopt;
}

}  // namespace picket::workspace
