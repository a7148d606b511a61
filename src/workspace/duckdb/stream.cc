#include "duckdb/stream.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <unistd.h>

#include "base/core/check.h"
#include "base/core/file.h"
#include "duckdb/segment_store.h"
#include "row_check.h"

namespace picket::workspace {
namespace {

constexpr std::uint64_t kArenaSlackBytes = 64U << 10;

constexpr const char* kManifestName = "manifest";

struct FolderContent {
  bool has_manifest = false;
  std::vector<std::string> segments;     ///< *.duckdb, archive/*/*.parquet
  std::vector<std::string> temporaries;  ///< What a seal, a merge, an ageing or replace_file left behind.
};

Result<> list_archive(const std::string& path, FolderContent& out) {
  std::error_code error;
  const std::string folder = path + "/" + std::string(kArchiveFolder);
  if (!std::filesystem::exists(folder, error)) return {};
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = std::filesystem::path(at->path()).lexically_relative(path).string();
    if (name.ends_with(".parquet")) out.segments.push_back(name);
    if (name.contains(".parquet.")) out.temporaries.push_back(name);
  }
  if (error) return std::unexpected(Error{Errc::io, "workspace.open.archive", 0, error.value()});
  return {};
}

Result<FolderContent> list_folder(const std::string& path) {
  FolderContent out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name == kManifestName) {
      out.has_manifest = true;
    } else if (name.ends_with(".duckdb")) {
      out.segments.push_back(name);
    } else if (name.contains(".duckdb.") || name.starts_with(kManifestName)) {
      out.temporaries.push_back(name);
    }
  }
  if (error) return std::unexpected(Error{Errc::io, "workspace.open.folder", 0, error.value()});
  TRY_VOID(list_archive(path, out));
  return out;
}

/// A row whose cells that were not UTF-8 are replaced.
class RepairedRows {
 public:
  explicit RepairedRows(const CheckedRows& checked) : checked_(checked) {}

  /// Asked in ascending order of `index`; the row is good until the next call.
  const Row& at(std::size_t index) {
    const Row& row = checked_.fresh[index];
    if (next_ == checked_.repairs.size() || checked_.repairs[next_].row != index) return row;
    cells_.assign(row.cells.begin(), row.cells.end());
    for (; next_ < checked_.repairs.size() && checked_.repairs[next_].row == index; ++next_) {
      cells_[checked_.repairs[next_].cell] = Cell::text(checked_.repairs[next_].text);
    }
    row_ = row;
    row_.cells = cells_;
    return row_;
  }

 private:
  const CheckedRows& checked_;
  std::size_t next_ = 0;
  std::vector<Cell> cells_;
  Row row_;
};

}  // namespace

Result<std::unique_ptr<Stream>> Stream::open(const std::string& directory, const std::string& name,
                                             const Schema& schema, const Layouts& layouts, const StreamLimits& limits,
                                             Graveyard& graveyard, DamageBook& damage, std::uint64_t& leftovers) {
  // An append of one row to each table must fit, or the pipeline could never get past it.
  std::uint64_t least = 0;
  for (const TableLayout& layout : layouts) least += layout.stream == name ? growth_max(layout, nullptr, 1) : 0;
  if (2 * least > limits.hot_bytes_max) return fail(Errc::limit_exceeded, "workspace.open.hot_bytes_max");
  std::unique_ptr<Stream> stream(new Stream(directory + "/" + name, name, schema, layouts, limits, graveyard, damage));
  TRY_VOID(stream->load(leftovers));
  return stream;
}

Result<> Stream::load(std::uint64_t& leftovers) {
  TRY_VOID(make_directories(directory_));
  TRY(const FolderContent content, list_folder(directory_));
  if (auto text = read_file(directory_ + "/" + kManifestName, kManifestBytesMax); text) {
    TRY(manifest_, decode_manifest(*text));
    if (manifest_.stream != name_) return fail(Errc::malformed, "workspace.open.manifest_stream");
  } else if (!content.has_manifest) {
    // Never take segments for leftovers because the list of them got lost.
    if (!content.segments.empty()) return fail(Errc::malformed, "workspace.open.manifest_missing");
    manifest_.stream = name_;
    TRY_VOID(store(manifest_));
  } else {
    return std::unexpected(text.error());
  }
  std::set<std::string> known;
  for (const SegmentInfo& segment : manifest_.segments) {
    TRY_VOID(check_files(segment));
    for (std::string& file : segment.files()) known.insert(std::move(file));
    segments_.push_back(std::make_shared<Segment>(segment, directory_, graveyard_));
  }
  for (const auto* names : {&content.segments, &content.temporaries}) {
    for (const std::string& file : *names) {
      if (known.contains(file)) continue;
      if (::unlink((directory_ + "/" + file).c_str()) != 0) return fail_errno("workspace.open.leftover");
      ++leftovers;
    }
  }
  return {};
}

Result<> Stream::store(Manifest& next) {
  ++next.version;
  return replace_file(directory_ + "/" + kManifestName, as_bytes(encode_manifest(next)));
}

Result<> Stream::check_files(const SegmentInfo& segment) {
  const auto check = [&](const std::string& file, std::uint64_t bytes) -> Result<> {
    const std::string path = directory_ + "/" + file;
    TRY(auto problem, size_problem(path, bytes));
    if (problem) damage_.note(path, segment, *std::move(problem));
    return {};
  };
  if (segment.bytes != 0) TRY_VOID(check(segment_file_name(segment), segment.bytes));
  for (const TableExtent& extent : segment.tables) {
    if (extent.archived) TRY_VOID(check(archive_file_name(segment, extent.table), extent.bytes));
  }
  return {};
}

void Graveyard::bury(std::string path) {
  const std::lock_guard lock(mutex_);
  paths_.push_back(std::move(path));
}

std::vector<std::string> Graveyard::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(paths_, {});
}

Segment::~Segment() {
  for (std::string& path : unwanted_) graveyard_.bury(std::move(path));
}

void Segment::retire(const SegmentInfo* heir) {
  const std::vector<std::string> kept = heir == nullptr ? std::vector<std::string>{} : heir->files();
  for (const std::string& file : info_.files()) {
    if (std::ranges::find(kept, file) == kept.end()) unwanted_.push_back(directory_ + "/" + file);
  }
}

Result<bool> Stream::append(std::uint64_t through, std::span<const Row> rows, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t held = hot_end();
  TRY(const CheckedRows checked, check_rows(schema_, name_, held, through, rows));
  counters_.rows_skipped += rows.size() - checked.fresh.size();
  if (through <= held) return false;

  // Length prefix and alignment of each text are part of the bound.
  const std::uint64_t text_bytes = checked.text_bytes + checked.text_cells * 2 * sizeof(std::uint32_t);
  if (auto room = make_room(checked.fresh.size(), text_bytes + needed_bytes(checked.rows_of_table), now); !room) {
    ++counters_.appends_refused;
    return std::unexpected(room.error());
  }
  RepairedRows repaired(checked);
  for (std::size_t i = 0; i < checked.fresh.size(); ++i) open_->add(repaired.at(i));
  open_->last = through;
  counters_.rows_appended += checked.fresh.size();
  counters_.texts_repaired += checked.repairs.size();
  return open_->rows() >= limits_.seal_rows || open_->bytes() >= limits_.seal_bytes;
}

std::uint64_t Stream::needed_bytes(const std::vector<std::uint64_t>& rows_of_table) const {
  std::uint64_t sum = 0;
  for (TableIndex i = 0; i < rows_of_table.size(); ++i) {
    sum += growth_max(layouts_[i], open_ ? &open_->table(i) : nullptr, rows_of_table[i]);
  }
  return sum;
}

Result<> Stream::make_room(std::uint64_t rows, std::uint64_t bytes, Timestamp now) {
  if (rows > limits_.hot_rows_max || bytes > limits_.hot_bytes_max) {
    return fail(Errc::limit_exceeded, "workspace.append.oversize");
  }
  for (const auto& generation : {frozen_, open_}) {
    if (!generation) continue;
    rows += generation->rows();
    bytes += generation->bytes();
  }
  if (rows > limits_.hot_rows_max || bytes > limits_.hot_bytes_max) {
    return fail(Errc::limit_exceeded, "workspace.append.full");
  }
  if (!open_) {
    TRY(open_, HotGeneration::make(layouts_, limits_.hot_bytes_max + kArenaSlackBytes));
    open_->opened = now;
  }
  return {};
}

std::uint64_t Stream::hot_end() const {
  if (open_) return open_->last;
  return frozen_ ? frozen_->last : manifest_.last;
}

PinnedStream Stream::pin() const {
  const std::lock_guard lock(mutex_);
  PinnedStream out{name_, manifest_.version, hot_end(), segments_, {}, {}};
  for (const auto& generation : {frozen_, open_}) {
    if (!generation || generation->rows() == 0) continue;
    out.generations.push_back(generation);
    auto& tables = out.hot.emplace_back(layouts_.size());
    for (TableIndex i = 0; i < layouts_.size(); ++i) tables[i] = generation->parts(i);
  }
  return out;
}

bool Stream::seal_due(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  if (frozen_) return true;  // an attempt that failed
  if (!open_) return false;
  return open_->rows() >= limits_.seal_rows || open_->bytes() >= limits_.seal_bytes ||
         now - open_->opened >= limits_.seal_age;
}

Result<std::shared_ptr<const HotGeneration>> Stream::freeze() {
  const std::lock_guard lock(mutex_);
  if (!frozen_) frozen_ = std::exchange(open_, nullptr);
  return std::shared_ptr<const HotGeneration>(frozen_);
}

Result<> Stream::publish_seal(std::optional<SegmentInfo> segment) {
  const std::lock_guard publishing(publish_mutex_);
  Manifest next;
  SegmentPtr made;
  {
    const std::lock_guard lock(mutex_);
    CHECK(frozen_ != nullptr, "freeze() before publish_seal()");
    next = manifest_;
    next.last = frozen_->last;
  }
  if (segment) {
    made = std::make_shared<Segment>(*segment, directory_, graveyard_);
    next.segments.push_back(*std::move(segment));
  }
  TRY_VOID(store(next));

  // From here on queries see the segment instead of the rows: both change under one lock.
  std::shared_ptr<HotGeneration> done;
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(next);
  if (made) segments_.push_back(std::move(made));
  done = std::exchange(frozen_, nullptr);
  ++counters_.seals;
  return {};
}

Result<> Stream::publish_merge(std::span<const SegmentInfo> sources, SegmentInfo merged) {
  const std::lock_guard publishing(publish_mutex_);
  Manifest next;
  {
    const std::lock_guard lock(mutex_);
    next = manifest_;
  }
  const auto found = std::ranges::search(next.segments, sources);
  if (found.empty()) return fail(Errc::not_found, "workspace.merge.sources");
  const auto begin = found.begin() - next.segments.begin();
  const auto end = found.end() - next.segments.begin();
  const SegmentPtr made = std::make_shared<Segment>(merged, directory_, graveyard_);
  next.segments[static_cast<std::size_t>(begin)] = std::move(merged);
  next.segments.erase(next.segments.begin() + begin + 1, next.segments.begin() + end);
  TRY_VOID(store(next));

  std::vector<SegmentPtr> replaced;  // let go of after the lock
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(next);
  replaced.assign(segments_.begin() + begin, segments_.begin() + end);
  for (const SegmentPtr& old : replaced) old->retire();
  segments_[static_cast<std::size_t>(begin)] = made;
  segments_.erase(segments_.begin() + begin + 1, segments_.begin() + end);
  ++counters_.merges;
  return {};
}

Result<> Stream::publish_ageing(const SegmentInfo& source, SegmentInfo aged) {
  const std::lock_guard publishing(publish_mutex_);
  Manifest next;
  {
    const std::lock_guard lock(mutex_);
    next = manifest_;
  }
  const auto found = std::ranges::find(next.segments, source);
  if (found == next.segments.end()) return fail(Errc::not_found, "workspace.ageing.source");
  const auto index = static_cast<std::size_t>(found - next.segments.begin());
  std::uint64_t archived = 0;
  for (const TableExtent& extent : aged.tables) {
    const TableExtent* before = source.find(extent.table);
    if (extent.archived && (before == nullptr || !before->archived)) archived += extent.rows;
  }
  const SegmentPtr made = std::make_shared<Segment>(aged, directory_, graveyard_);
  *found = std::move(aged);
  TRY_VOID(store(next));

  SegmentPtr replaced;  // let go of after the lock
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(next);
  replaced = std::exchange(segments_[index], made);
  replaced->retire(&made->info());
  counters_.rows_archived += archived;
  counters_.rows_dropped += source.rows() - made->info().rows();
  ++counters_.agings;
  return {};
}

Result<std::size_t> Stream::drop(const RetentionOf& retention, std::uint64_t bytes_max, Timestamp now) {
  const std::lock_guard publishing(publish_mutex_);
  Manifest next;
  {
    const std::lock_guard lock(mutex_);
    next = manifest_;
  }
  std::uint64_t bytes = 0;
  for (const SegmentInfo& segment : next.segments) bytes += segment.bytes_total();
  std::vector<SegmentInfo> kept;
  std::vector<bool> leaves;
  for (SegmentInfo& segment : next.segments) {
    const bool large = bytes_max > 0 && bytes > bytes_max && kept.empty();
    const bool old = std::ranges::all_of(segment.tables, [&](const TableExtent& extent) {
      return fate_of(extent, segment.sealed, retention(extent.table), now) == Fate::drop;
    });
    leaves.push_back(large || old);
    if (!leaves.back()) {
      kept.push_back(std::move(segment));
      continue;
    }
    bytes -= segment.bytes_total();
    if (kept.empty()) next.dropped_through = segment.last;
  }
  const std::size_t count = leaves.size() - kept.size();
  if (count == 0) return count;
  next.segments = std::move(kept);
  TRY_VOID(store(next));

  std::vector<SegmentPtr> dropped;  // let go of after the lock
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(next);
  std::vector<SegmentPtr> left;
  for (std::size_t i = 0; i < segments_.size(); ++i) (leaves[i] ? dropped : left).push_back(segments_[i]);
  segments_ = std::move(left);
  for (const SegmentPtr& old : dropped) {
    old->retire();
    counters_.rows_dropped += old->info().rows();
  }
  counters_.segments_dropped += count;
  return count;
}

std::vector<SegmentInfo> Stream::segments() const {
  const std::lock_guard lock(mutex_);
  return manifest_.segments;
}

TableExtent Stream::hot_extent(TableIndex index) const {
  TableExtent out{layouts_[index].name, 0, kTimestampMax, kTimestampMin};
  const std::lock_guard lock(mutex_);
  for (const auto& generation : {frozen_, open_}) {
    if (!generation) continue;
    const HotTable& table = generation->table(index);
    out.rows += table.rows;
    out.time_min = std::min(out.time_min, table.time_min);
    out.time_max = std::max(out.time_max, table.time_max);
  }
  return out;
}

StreamPositions Stream::positions() const {
  const std::lock_guard lock(mutex_);
  return {manifest_.last, hot_end(), manifest_.dropped_through};
}

StreamStats Stream::stats() const {
  const std::lock_guard lock(mutex_);
  StreamStats out = counters_;
  out.name = name_;
  out.sealed_through = manifest_.last;
  out.hot_end = hot_end();
  out.dropped_through = manifest_.dropped_through;
  out.manifest_version = manifest_.version;
  for (const auto& generation : {frozen_, open_}) {
    if (!generation) continue;
    out.hot_rows += generation->rows();
    out.hot_bytes += generation->bytes();
  }
  out.segments = manifest_.segments.size();
  for (const SegmentInfo& segment : manifest_.segments) {
    for (const TableExtent& extent : segment.tables) {
      (extent.archived ? out.archived_rows : out.segment_rows) += extent.rows;
    }
    out.segment_bytes += segment.bytes;
    out.archived_bytes += segment.bytes_total() - segment.bytes;
  }
  return out;
}

void Stream::count_failure(std::uint64_t StreamStats::* counter) {
  const std::lock_guard lock(mutex_);
  ++(counters_.*counter);
}

}  // namespace picket::workspace
