#include "duckdb/maintenance.h"

#include <algorithm>
#include <chrono>

#include <unistd.h>

namespace picket::workspace {
namespace {

constexpr auto kTick = std::chrono::seconds(1);

Retention retention_of(const DuckdbOptions& options, std::string_view stream) {
  for (const StreamOptions& one : options.streams) {
    if (one.stream == stream) return one.retention;
  }
  return {};
}

}  // namespace

Maintenance::Maintenance(MaintenanceContext context) : context_(std::move(context)), thread_([this] { run(); }) {}

Maintenance::~Maintenance() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Maintenance::wake() {
  if (!context_.options.background) return;
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Maintenance::request_seal(std::string_view stream) {
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(seals_requested_, stream) == seals_requested_.end()) seals_requested_.emplace_back(stream);
    woken_ = true;
  }
  changed_.notify_all();
}

Result<> Maintenance::complete(bool seal_all) {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++requests_;
  request_seals_all_ |= seal_all;
  changed_.notify_all();
  changed_.wait(lock, [&] { return completed_ >= mine || stopping_; });
  if (completed_ < mine) return fail(Errc::unavailable, "workspace.maintain.stopping");
  return completed_result_;
}

std::string Maintenance::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void Maintenance::run() {
  bool failed = false;  // then wait for the tick before the next attempt
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool busy = merge_ != nullptr && !failed;
    const auto asked = [&] { return stopping_ || requests_ > completed_ || (woken_ && !failed) || busy; };
    const bool ticked = !changed_.wait_for(lock, kTick, asked);
    if (stopping_) break;
    if (ticked && !context_.options.background) continue;
    const std::uint64_t serving = requests_;
    const bool complete_all = serving > completed_;
    const bool seal_all = std::exchange(request_seals_all_, false);
    woken_ = false;
    lock.unlock();
    Result<> result = pass(seal_all);
    // A caller of complete() waits until no merge is left either. What is appended meanwhile is sealed only when due:
    // else small new segments would call for merges without end.
    while (complete_all && result && merge_ != nullptr) result = pass(false);
    lock.lock();
    failed = !result;
    if (complete_all) {
      completed_ = serving;
      completed_result_ = result;
      changed_.notify_all();
    }
  }
  lock.unlock();
  merge_.reset();
}

bool Maintenance::wanted(const Stream& stream) {
  const std::lock_guard lock(mutex_);
  return std::erase(seals_requested_, stream.name()) != 0;
}

Result<> Maintenance::pass(bool seal_all) {
  Result<> first;
  const auto keep = [&](Result<> result) {
    if (first && !result) first = result;
  };
  for (const auto& stream : context_.streams) {
    const bool asked = wanted(*stream);
    if (seal_all || asked || stream->seal_due(context_.clock.now())) keep(seal(*stream));
    if (auto dropped = stream->drop(retention_of(context_.options, stream->name()), context_.clock.now()); !dropped) {
      keep(note(dropped.error()));
    }
  }
  keep(merge_step());
  keep(remove_retired());
  return first;
}

Result<> Maintenance::note(const EngineError& error) {
  const std::lock_guard lock(mutex_);
  last_error_ = describe(error);
  return std::unexpected(error.error);
}

Result<> Maintenance::seal(Stream& stream) {
  const auto attempt = [&]() -> Outcome<> {
    TRY(const auto generation, stream.freeze());
    if (!generation) return {};
    std::optional<SegmentInfo> segment;
    if (generation->rows() != 0) {
      TRY(segment, context_.store.write(*generation, stream.directory(), stream.positions().sealed_through + 1,
                                        context_.clock.now()));
    }
    const auto published = stream.publish_seal(segment);
    if (!published && segment) {
      // Not in the manifest, so not true: the rows are still hot.
      ::unlink((stream.directory() + "/" + segment_file_name(segment->first, segment->last)).c_str());
    }
    if (!published) return std::unexpected(EngineError(published.error()));
    return {};
  };
  auto done = attempt();
  if (done) return {};
  stream.count_failure(&StreamStats::seal_failures);
  return note(done.error());
}

Result<> Maintenance::merge_step() {
  if (!merge_) return begin_merge();
  auto done = merge_->step();
  if (!done) {
    merge_.reset();
    merging_->count_failure(&StreamStats::merge_failures);
    return note(done.error());
  }
  return *done ? finish_merge() : Result<>{};
}

Result<> Maintenance::begin_merge() {
  const MergePolicy policy{context_.options.merge_fan_in, context_.options.merge_rows_max};
  for (const auto& stream : context_.streams) {
    const std::vector<SegmentInfo> segments = stream->segments();
    const auto run = choose_merge(segments, policy);
    if (!run) continue;
    const auto begin = segments.begin() + static_cast<std::ptrdiff_t>(run->begin);
    std::vector<SegmentInfo> sources(begin, begin + static_cast<std::ptrdiff_t>(run->count));
    if (!std::ranges::all_of(sources, [&](const auto& s) { return can_merge(context_.layouts, s); })) continue;
    auto merge =
        SegmentMerge::begin(context_.store.database(), context_.layouts, stream->directory(), std::move(sources));
    if (!merge) {
      stream->count_failure(&StreamStats::merge_failures);
      return note(merge.error());
    }
    merge_ = *std::move(merge);
    merging_ = stream.get();
    return {};
  }
  return {};
}

Result<> Maintenance::finish_merge() {
  const std::unique_ptr<SegmentMerge> merge = std::move(merge_);
  auto merged = merge->finish();
  if (!merged) {
    merging_->count_failure(&StreamStats::merge_failures);
    return note(merged.error());
  }
  if (auto published = merging_->publish_merge(merge->sources(), *merged); !published) {
    ::unlink((merging_->directory() + "/" + segment_file_name(merged->first, merged->last)).c_str());
    // Retention was faster: nothing is lost.
    if (published.error().code == Errc::not_found) return {};
    merging_->count_failure(&StreamStats::merge_failures);
    return note(published.error());
  }
  return begin_merge();
}

Result<> Maintenance::remove_retired() {
  Result<> result;
  for (const std::string& path : context_.graveyard.take()) {
    context_.forget(path);
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) continue;
    result = note(EngineError(Error{Errc::io, "workspace.remove", 0, errno}));
    context_.graveyard.bury(path);
  }
  return result;
}

}  // namespace picket::workspace
