#include "duckdb/stream.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <sys/stat.h>
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
  std::vector<std::string> segments;     ///< *.duckdb
  std::vector<std::string> temporaries;  ///< What a seal, a merge or replace_file left behind.
};

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
                                             Graveyard& graveyard, std::uint64_t& leftovers) {
  // An append of one row to each table must fit, or the pipeline could never get past it.
  std::uint64_t least = 0;
  for (const TableLayout& layout : layouts) least += layout.stream == name ? growth_max(layout, nullptr, 1) : 0;
  if (2 * least > limits.hot_bytes_max) return fail(Errc::limit_exceeded, "workspace.open.hot_bytes_max");
  std::unique_ptr<Stream> stream(new Stream(directory + "/" + name, name, schema, layouts, limits, graveyard));
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
    known.insert(segment_file_name(segment.first, segment.last));
    struct stat status{};
    if (::stat(path_of(segment).c_str(), &status) != 0) return fail_errno("workspace.open.segment");
    if (static_cast<std::uint64_t>(status.st_size) != segment.bytes) {
      return fail(Errc::malformed, "workspace.open.segment_size", segment.first);
    }
    segments_.push_back(std::make_shared<Segment>(segment, path_of(segment), graveyard_));
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

std::string Stream::path_of(const SegmentInfo& segment) const {
  return directory_ + "/" + segment_file_name(segment.first, segment.last);
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
  if (retired_.load()) graveyard_.bury(std::move(path_));
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
    made = std::make_shared<Segment>(*segment, path_of(*segment), graveyard_);
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
  const SegmentPtr made = std::make_shared<Segment>(merged, path_of(merged), graveyard_);
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

Result<std::size_t> Stream::drop(const Retention& retention, Timestamp now) {
  const std::lock_guard publishing(publish_mutex_);
  Manifest next;
  {
    const std::lock_guard lock(mutex_);
    next = manifest_;
  }
  std::uint64_t bytes = 0;
  for (const SegmentInfo& segment : next.segments) bytes += segment.bytes;
  std::size_t count = 0;
  for (const SegmentInfo& segment : next.segments) {
    const bool old = retention.age_max.us > 0 && now - segment.age_reference() > retention.age_max;
    const bool large = retention.bytes_max > 0 && bytes > retention.bytes_max;
    if (!old && !large) break;
    bytes -= segment.bytes;
    next.dropped_through = segment.last;
    ++count;
  }
  if (count == 0) return count;
  const auto end = static_cast<std::ptrdiff_t>(count);
  next.segments.erase(next.segments.begin(), next.segments.begin() + end);
  TRY_VOID(store(next));

  std::vector<SegmentPtr> dropped;
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(next);
  dropped.assign(segments_.begin(), segments_.begin() + end);
  segments_.erase(segments_.begin(), segments_.begin() + end);
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
    out.segment_rows += segment.rows();
    out.segment_bytes += segment.bytes;
  }
  return out;
}

void Stream::count_failure(std::uint64_t StreamStats::* counter) {
  const std::lock_guard lock(mutex_);
  ++(counters_.*counter);
}

}  // namespace picket::workspace
