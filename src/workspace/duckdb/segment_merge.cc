#include "duckdb/segment_merge.h"

#include <algorithm>

#include <fmt/format.h>

#include "duckdb/segment_store.h"

namespace picket::workspace {
namespace {

constexpr std::string_view kTarget = "merge_target";
constexpr auto kSlice = std::chrono::milliseconds(200);

std::string source_alias(std::size_t index) { return fmt::format("merge_source_{}", index); }

const TableLayout* find_layout(const Layouts& layouts, std::string_view table) {
  const auto found = std::ranges::find(layouts, table, &TableLayout::name);
  return found == layouts.end() ? nullptr : &*found;
}

}  // namespace

bool can_merge(const Layouts& layouts, const SegmentInfo& segment) {
  return std::ranges::all_of(
      segment.tables, [&](const TableExtent& e) { return e.archived || find_layout(layouts, e.table) != nullptr; });
}

SegmentMerge::SegmentMerge(const Layouts& layouts, std::string directory, std::vector<SegmentInfo> sources,
                           std::uint32_t revision)
    : layouts_(layouts), directory_(std::move(directory)), sources_(std::move(sources)), revision_(revision) {
  final_path_ = directory_ + "/" + segment_file_name(sources_.front().first, sources_.back().last, revision);
  path_ = final_path_ + std::string(kTemporarySuffix);
}

Outcome<std::unique_ptr<SegmentMerge>> SegmentMerge::begin(const Database& store, const Layouts& layouts,
                                                           std::string directory, std::vector<SegmentInfo> sources,
                                                           std::uint32_t revision) {
  std::unique_ptr<SegmentMerge> merge(new SegmentMerge(layouts, std::move(directory), std::move(sources), revision));
  TRY_VOID(merge->start(store));
  return merge;
}

SegmentMerge::~SegmentMerge() {
  statement_.reset();
  if (finished_ || connection_.get() == nullptr) return;
  abandon_segment(connection_, kTarget, path_);
  detach_sources();
}

void SegmentMerge::detach_sources() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    (void)run(connection_, fmt::format("DETACH {}", source_alias(i)), "workspace.merge.detach");
  }
}

Outcome<> SegmentMerge::start(const Database& store) {
  TRY(connection_, connect(store));
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    for (const TableExtent& extent : sources_[i].tables) {
      if (extent.archived) continue;
      rows += extent.rows;
      copies_.emplace_back(extent, source_alias(i));
    }
  }
  TRY_VOID(attach_new_segment(connection_, path_, kTarget, rows));
  for (const TableLayout& layout : layouts_) {
    if (std::ranges::none_of(copies_, [&](const auto& copy) { return copy.first.table == layout.name; })) continue;
    TRY_VOID(create_table(connection_, kTarget, layout));
    made_.push_back({layout.name, 0, kTimestampMax, kTimestampMin});
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::string path = directory_ + "/" + segment_file_name(sources_[i]);
    TRY_VOID(run(connection_, fmt::format("ATTACH {} AS {} (READ_ONLY)", quote_text(path), source_alias(i)),
                 "workspace.merge.attach"));
  }
  // One transaction over all steps: a commit a step would checkpoint, and rewrite, half-filled row groups.
  return run(connection_, "BEGIN", "workspace.merge.begin");
}

Outcome<bool> SegmentMerge::step() {
  const auto end = std::chrono::steady_clock::now() + kSlice;
  while (next_ < copies_.size()) {
    const auto& [extent, source] = copies_[next_];
    if (!statement_) TRY_VOID(begin_copy(extent, source));
    TRY(const bool copied, statement_->run_for(kSlice));
    if (!copied) return false;
    statement_.reset();
    TableExtent& sum = *std::ranges::find(made_, extent.table, &TableExtent::table);
    sum.rows += extent.rows;
    sum.time_min = std::min(sum.time_min, extent.time_min);
    sum.time_max = std::max(sum.time_max, extent.time_max);
    ++next_;
    if (std::chrono::steady_clock::now() >= end) break;
  }
  return next_ == copies_.size();
}

Outcome<> SegmentMerge::begin_copy(const TableExtent& extent, const std::string& source) {
  // Columns that came later are null here; columns that are no longer in the schema are not carried on.
  TRY(const std::vector<std::string> stored,
      texts_of(connection_,
               fmt::format("SELECT column_name FROM duckdb_columns() WHERE database_name = '{}' AND table_name = {}",
                           source, quote_text(extent.table)),
               "workspace.merge.columns"));
  std::string columns;
  for (const Column& column : find_layout(layouts_, extent.table)->columns) {
    if (std::ranges::find(stored, column.name) == stored.end()) continue;
    columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name);
  }
  const std::string table = quote_identifier(extent.table);
  TRY(statement_, SlicedStatement::start(connection_,
                                         fmt::format("INSERT INTO {}.{} ({}) SELECT {} FROM {}.{}", kTarget, table,
                                                     columns, columns, source, table),
                                         "workspace.merge.copy"));
  return {};
}

Outcome<SegmentInfo> SegmentMerge::finish() {
  TRY_VOID(run(connection_, "COMMIT", "workspace.merge.commit"));
  // The manifest's counts must be the file's: a query leaves out a table that has no rows by the manifest.
  for (const TableExtent& extent : made_) {
    TRY(const auto count,
        texts_of(connection_,
                 fmt::format("SELECT count(*)::VARCHAR FROM {}.{}", kTarget, quote_identifier(extent.table)),
                 "workspace.merge.count"));
    if (count.size() != 1 || count.front() != std::to_string(extent.rows)) {
      return engine_fail("workspace.merge.count", extent.table);
    }
  }
  TRY(const std::uint64_t bytes, finish_segment(connection_, kTarget, path_, final_path_));
  finished_ = true;
  detach_sources();
  Timestamp sealed = sources_.front().sealed;
  for (const SegmentInfo& source : sources_) sealed = std::max(sealed, source.sealed);
  return SegmentInfo{sources_.front().first, sources_.back().last, bytes, sealed, made_, revision_};
}

}  // namespace picket::workspace
