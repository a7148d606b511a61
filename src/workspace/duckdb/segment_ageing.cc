#include "duckdb/segment_ageing.h"

#include <algorithm>

#include <unistd.h>

namespace picket::workspace {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Outcome<std::unique_ptr<SegmentAgeing>> SegmentAgeing::begin(const Database& store, const Layouts& layouts,
                                                             std::string directory, SegmentInfo source,
                                                             const Ageing& plan) {
  std::unique_ptr<SegmentAgeing> ageing(new SegmentAgeing(store, layouts, std::move(directory), std::move(source)));
  const SegmentInfo& from = ageing->source_;
  ageing->made_ = from;
  ageing->made_.tables.clear();
  bool file_changes = false;
  for (const TableExtent& extent : from.tables) {
    const bool leaves = holds(plan.archive, extent.table) || holds(plan.drop, extent.table);
    if (!extent.archived && leaves) file_changes = true;
    if (!extent.archived && !leaves) ageing->rest_.push_back(extent);
    if (extent.archived && !leaves) ageing->made_.tables.push_back(extent);
  }
  if (!plan.archive.empty()) {
    TRY(ageing->archive_, ArchiveWriter::begin(store, ageing->directory_, from, plan.archive));
  } else if (file_changes && !ageing->rest_.empty()) {
    TRY_VOID(ageing->begin_rest());
  }
  if (!file_changes) {
    ageing->made_.tables.insert(ageing->made_.tables.end(), ageing->rest_.begin(), ageing->rest_.end());
  } else if (ageing->rest_.empty()) {
    ageing->made_.bytes = 0;
  }
  return ageing;
}

SegmentAgeing::~SegmentAgeing() {
  archive_.reset();
  rewrite_.reset();
  if (kept_) return;
  const std::vector<std::string> before = source_.files();
  for (const std::string& file : made_.files()) {
    if (!holds(before, file)) ::unlink((directory_ + "/" + file).c_str());
  }
}

Outcome<> SegmentAgeing::begin_rest() {
  SegmentInfo rest = source_;
  rest.tables = rest_;
  TRY(rewrite_, SegmentMerge::begin(store_, layouts_, directory_, {std::move(rest)}, source_.revision + 1));
  return {};
}

Outcome<bool> SegmentAgeing::step() {
  if (archive_) {
    TRY(const bool done, archive_->step());
    if (!done) return false;
    TRY(const std::vector<TableExtent> archived, archive_->finish());
    made_.tables.insert(made_.tables.end(), archived.begin(), archived.end());
    archive_.reset();
    if (!rest_.empty()) TRY_VOID(begin_rest());
    return rest_.empty();
  }
  return rewrite_ ? rewrite_->step() : Outcome<bool>(true);
}

Outcome<SegmentInfo> SegmentAgeing::finish() {
  if (rewrite_) {
    TRY(const SegmentInfo rest, rewrite_->finish());
    made_.bytes = rest.bytes;
    made_.revision = source_.revision + 1;
    made_.tables.insert(made_.tables.end(), rest.tables.begin(), rest.tables.end());
    rewrite_.reset();
  }
  return made_;
}

}  // namespace picket::workspace
