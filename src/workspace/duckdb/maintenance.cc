#include "duckdb/maintenance.h"

#include <algorithm>
#include <chrono>

#include <unistd.h>

#include "duckdb/segment_check.h"

namespace picket::workspace {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr Duration kAgeingRetry = Duration::minutes(1);

/// Neighbours that may become one: tables of a later version, the archive and damaged files stay where they are.
std::vector<std::span<const SegmentInfo>> mergeable(std::span<const SegmentInfo> segments, const Layouts& layouts,
                                                    const DamageBook& damage, const std::string& directory) {
  std::vector<std::span<const SegmentInfo>> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= segments.size(); ++i) {
    if (i < segments.size() && !segments[i].has_archived() && can_merge(layouts, segments[i]) &&
        !damage.touches(directory, segments[i])) {
      continue;
    }
    if (i > begin) out.push_back(segments.subspan(begin, i - begin));
    begin = i + 1;
  }
  return out;
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
    const bool at_work = busy() && !failed;
    const auto asked = [&] { return stopping_ || requests_ > completed_ || (woken_ && !failed) || at_work; };
    const bool ticked = !changed_.wait_for(lock, kTick, asked);
    if (stopping_) break;
    if (ticked && !context_.options.background) continue;
    const std::uint64_t serving = requests_;
    const bool complete_all = serving > completed_;
    const bool seal_all = std::exchange(request_seals_all_, false);
    woken_ = false;
    lock.unlock();
    Result<> result = pass(seal_all);
    // A caller of complete() waits until no merge or ageing is left either. What is appended meanwhile is sealed only
    // when due: else small new segments would call for merges without end.
    while (complete_all && result && busy()) result = pass(false);
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
  ageing_.reset();
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
    const auto retention = [this](std::string_view table) { return context_.retention.of(table); };
    if (auto dropped = stream->drop(retention, context_.retention.bytes_max(stream->name()), context_.clock.now());
        !dropped) {
      keep(note(dropped.error()));
    }
  }
  take_up_restored();
  keep(step());
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
      ::unlink((stream.directory() + "/" + segment_file_name(*segment)).c_str());
    }
    if (!published) return std::unexpected(EngineError(published.error()));
    return {};
  };
  auto done = attempt();
  if (done) return {};
  stream.count_failure(&StreamStats::seal_failures);
  return note(done.error());
}

Result<> Maintenance::step() {
  if (ageing_) return ageing_step();
  if (merge_) return merge_step();
  return begin();
}

// Space before order: what leaves is not merged first.
Result<> Maintenance::begin() {
  for (const auto& stream : context_.streams) {
    TRY(const bool begun, begin_ageing(*stream));
    if (begun) return {};
  }
  for (const auto& stream : context_.streams) {
    TRY(const bool begun, begin_merge(*stream));
    if (begun) return {};
  }
  return {};
}

Result<bool> Maintenance::begin_ageing(Stream& stream) {
  const std::vector<SegmentInfo> segments = stream.segments();
  const Timestamp now = context_.clock.now();
  const auto possible = [&](const SegmentInfo& segment) {
    const auto refused = ageing_refused_.find(stream.name() + "/" + segment_file_name(segment));
    return can_merge(context_.layouts, segment) && !context_.damage.touches(stream.directory(), segment) &&
           (refused == ageing_refused_.end() || refused->second <= now);
  };
  const auto retention = [this](std::string_view table) { return context_.retention.of(table); };
  const auto plan = choose_ageing(segments, retention, possible, now);
  if (!plan) return false;
  working_on_ = &stream;
  const SegmentInfo& segment = segments[plan->segment];
  auto ageing = SegmentAgeing::begin(context_.store.database(), context_.layouts, stream.directory(), segment, *plan);
  if (!ageing) return std::unexpected(ageing_failed(segment, ageing.error()).error());
  ageing_ = *std::move(ageing);
  return true;
}

// One damaged segment must not keep the others from ageing, nor all from being merged.
Result<> Maintenance::ageing_failed(const SegmentInfo& segment, const EngineError& error) {
  working_on_->count_failure(&StreamStats::ageing_failures);
  look_for_damage(*working_on_, {&segment, 1});
  ageing_refused_[working_on_->name() + "/" + segment_file_name(segment)] = context_.clock.now() + kAgeingRetry;
  return note(error);
}

Result<> Maintenance::ageing_step() {
  auto done = ageing_->step();
  if (done) return *done ? finish_ageing() : Result<>{};
  const std::unique_ptr<SegmentAgeing> ageing = std::move(ageing_);
  return ageing_failed(ageing->source(), done.error());
}

Result<> Maintenance::finish_ageing() {
  const std::unique_ptr<SegmentAgeing> ageing = std::move(ageing_);
  auto aged = ageing->finish();
  if (!aged) return ageing_failed(ageing->source(), aged.error());
  if (auto published = working_on_->publish_ageing(ageing->source(), *std::move(aged)); !published) {
    // The bound of bytes was faster: nothing is lost.
    if (published.error().code == Errc::not_found) return {};
    return ageing_failed(ageing->source(), EngineError(published.error()));
  }
  ageing->keep();
  return begin();
}

Result<bool> Maintenance::begin_merge(Stream& stream) {
  const MergePolicy policy{context_.options.merge_fan_in, context_.options.merge_rows_max};
  const std::vector<SegmentInfo> segments = stream.segments();
  for (const std::span<const SegmentInfo> neighbours :
       mergeable(segments, context_.layouts, context_.damage, stream.directory())) {
    const auto run = choose_merge(neighbours, policy);
    if (!run) continue;
    const auto begin = neighbours.begin() + static_cast<std::ptrdiff_t>(run->begin);
    std::vector<SegmentInfo> sources(begin, begin + static_cast<std::ptrdiff_t>(run->count));
    auto merge = SegmentMerge::begin(context_.store.database(), context_.layouts, stream.directory(), sources);
    if (!merge) {
      stream.count_failure(&StreamStats::merge_failures);
      look_for_damage(stream, sources);
      return std::unexpected(note(merge.error()).error());
    }
    merge_ = *std::move(merge);
    working_on_ = &stream;
    return true;
  }
  return false;
}

Result<> Maintenance::merge_step() {
  auto done = merge_->step();
  if (!done) {
    const std::vector<SegmentInfo> sources(merge_->sources().begin(), merge_->sources().end());
    merge_.reset();
    working_on_->count_failure(&StreamStats::merge_failures);
    look_for_damage(*working_on_, sources);
    return note(done.error());
  }
  return *done ? finish_merge() : Result<>{};
}

Result<> Maintenance::finish_merge() {
  const std::unique_ptr<SegmentMerge> merge = std::move(merge_);
  auto merged = merge->finish();
  if (!merged) {
    working_on_->count_failure(&StreamStats::merge_failures);
    look_for_damage(*working_on_, merge->sources());
    return note(merged.error());
  }
  if (auto published = working_on_->publish_merge(merge->sources(), *merged); !published) {
    ::unlink((working_on_->directory() + "/" + segment_file_name(*merged)).c_str());
    // Retention was faster: nothing is lost.
    if (published.error().code == Errc::not_found) return {};
    working_on_->count_failure(&StreamStats::merge_failures);
    return note(published.error());
  }
  return begin();
}

void Maintenance::take_up_restored() {
  for (const std::string& path : context_.damage.take_restored()) context_.forget(path);
}

void Maintenance::look_for_damage(const Stream& stream, std::span<const SegmentInfo> segments) {
  for (const SegmentInfo& segment : segments) {
    const std::string path = stream.directory() + "/" + segment_file_name(segment);
    if (segment.bytes == 0 || context_.damage.find(path)) continue;
    auto problem = size_problem(path, segment.bytes);
    if (problem && !*problem) {
      const auto connection = connect(context_.store.database());
      const auto content = connection ? check_file(*connection, path, segment) : std::optional<std::string>();
      if (content) problem = *content;
    }
    if (problem && *problem) context_.damage.note(path, segment, **std::move(problem));
  }
}

Result<> Maintenance::remove_retired() {
  Result<> result;
  for (const std::string& path : context_.graveyard.take()) {
    context_.forget(path);
    context_.damage.forget(path);
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) continue;
    result = note(EngineError(Error{Errc::io, "workspace.remove", 0, errno}));
    context_.graveyard.bury(path);
  }
  return result;
}

}  // namespace picket::workspace
