#include "intelligence_keeper.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/core/file.h"
#include "base/server/log.h"
#include "durable_group.h"
#include "indicator_set_maker.h"
#include "intelligence/matcher.h"
#include "pipeline/runner.h"
#include "retro_hunt.h"

namespace picket::server {
namespace {

namespace fs = std::filesystem;
using intelligence::Index;
using intelligence::Listing;

constexpr auto kIdle = std::chrono::seconds(20);
/// Changes that come together make one set.
constexpr auto kGather = std::chrono::milliseconds(300);

/// Names of sets sort as the sets were made.
std::string version_at(Timestamp time) { return fmt::format("{:016x}", static_cast<std::uint64_t>(time.us)); }
bool is_version(std::string_view text) {
  return text.size() == 16 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

IntelligenceKeeper::IntelligenceKeeper(Parts parts)
    : parts_(std::move(parts)), feeds_(parts_.state, parts_.clock, parts_.directory + "/feeds", parts_.secrets) {}

IntelligenceKeeper::~IntelligenceKeeper() { stop(); }

Result<std::unique_ptr<IntelligenceKeeper>> IntelligenceKeeper::open(Parts parts) {
  for (const std::string& folder : {parts.directory + "/feeds", parts.directory + "/sets", parts.secrets}) {
    TRY_VOID(make_directories(folder));
  }
  std::unique_ptr<IntelligenceKeeper> keeper(new IntelligenceKeeper(std::move(parts)));
  TRY(const auto sets, keeper->parts_.state.sets());
  if (sets.empty()) return keeper;
  const auto opened = Index::open(keeper->parts_.directory + "/sets/" + sets.back().version);
  if (opened) {
    keeper->current_ = *opened;
    keeper->version_ = sets.back().version;
  } else {
    log::error("intelligence", "the set in force cannot be read ({}): a new one is made", describe(opened.error()));
    keeper->dirty_ = true;
  }
  return keeper;
}

pipeline::OpenIndicators IntelligenceKeeper::opener() const {
  return [folder = parts_.directory + "/sets/"](std::string_view version) -> Result<std::shared_ptr<const Index>> {
    if (!is_version(version)) return fail(Errc::not_found, "intelligence.version");
    return Index::open(folder + std::string(version));
  };
}

void IntelligenceKeeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

void IntelligenceKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const Index> IntelligenceKeeper::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

void IntelligenceKeeper::changed() {
  {
    const std::scoped_lock lock(mutex_);
    dirty_ = true;
  }
  wake_.notify_all();
}

Result<> IntelligenceKeeper::set_secret(std::string_view feed, std::string_view secret) {
  return feeds_.set_secret(feed, secret);
}

bool IntelligenceKeeper::has_secret(std::string_view feed) const { return feeds_.has_secret(feed); }

void IntelligenceKeeper::forget(std::string_view feed) {
  feeds_.forget(feed);
  changed();
}

Result<> IntelligenceKeeper::push(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    if (jobs_.size() >= kJobsMax) return fail(Errc::unavailable, "intelligence.jobs", kJobsMax);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_all();
  return {};
}

Result<> IntelligenceKeeper::refresh(std::string_view feed, bool force) {
  return push({.kind = Job::Kind::refresh, .feed = std::string(feed), .force = force});
}

Result<std::string> IntelligenceKeeper::hunt(std::uint32_t days) {
  Job job{.kind = Job::Kind::hunt};
  const Timestamp now = parts_.clock.now();
  job.hunt = {.id = "hunt-" + version_at(now), .days = days, .status = "waiting", .started = now};
  TRY_VOID(parts_.state.put_hunt(job.hunt));
  const std::string id = job.hunt.id;
  TRY_VOID(push(std::move(job)));
  return id;
}

std::expected<std::uint64_t, std::string> IntelligenceKeeper::upload(std::string_view feed, std::string_view content,
                                                                     bool force) {
  auto taken = feeds_.take(feed, content, force);
  if (taken) changed();
  return taken;
}

api::IndicatorLookUp IntelligenceKeeper::look_up(std::string_view text) const {
  api::IndicatorLookUp out;
  const auto what = intelligence::parse_observable(text);
  if (!what) return out;
  out.kind = to_string(what->kind);
  out.value = to_text(*what);
  const auto index = current();
  if (index == nullptr) return out;
  out.warning = index->warning_of(what->kind, what->key);
  const Timestamp now = parts_.clock.now();
  const auto match = intelligence::Matcher(*index, now).any(*what);
  if (!match) return out;
  out.indicator = to_text(match->indicator);
  out.indicator_kind = to_string(match->indicator.kind);
  for (const Listing& listing : match->listings) {
    const auto& feed = index->feeds()[listing.feed];
    out.sources.push_back({feed.name, feed.licence, listing.confidence_at(now), listing.from, listing.until,
                           std::string(listing.threat),
                           std::string(listing.reference.empty() ? feed.reference : listing.reference)});
  }
  return out;
}

api::IndicatorSetState IntelligenceKeeper::set() const {
  api::IndicatorSetState out;
  const std::scoped_lock lock(mutex_);
  out.building = building_ || dirty_ || !jobs_.empty();
  if (current_ == nullptr) return out;
  out.version = version_;
  out.made = current_->made();
  out.indicators = current_->size();
  out.warnings = current_->warnings();
  out.file_bytes = current_->file_bytes();
  for (std::uint8_t kind = 1; kind <= intelligence::kKindMax; ++kind) {
    const auto one = static_cast<intelligence::Kind>(kind);
    if (current_->count(one) > 0) out.by_kind.emplace_back(to_string(one), current_->count(one));
  }
  return out;
}

void IntelligenceKeeper::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    read_due_feeds(stopping);
    for (;;) {
      std::optional<Job> job;
      {
        const std::scoped_lock lock(mutex_);
        if (jobs_.empty() || stopping.stop_requested()) break;
        // A hunt asks about the set that the changes before it make.
        if (jobs_.front().kind == Job::Kind::hunt && dirty_) break;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        building_ = true;
      }
      if (job->kind == Job::Kind::hunt) {
        hunt_in_events(*std::move(job), stopping);
      } else if (const auto row = parts_.state.find_feed(job->feed)) {
        if (feeds_.read(*row, job->force)) changed();
      }
      const std::scoped_lock lock(mutex_);
      building_ = false;
    }
    bool wanted = false;
    {
      std::unique_lock lock(mutex_);
      if (dirty_) wake_.wait_for(lock, stopping, kGather, [] { return false; });
      wanted = dirty_;
      building_ = wanted;
      dirty_ = false;
    }
    if (wanted && !stopping.stop_requested()) make_set();
    std::unique_lock lock(mutex_);
    building_ = false;
    wake_.wait_for(lock, stopping, kIdle, [this] { return dirty_ || !jobs_.empty(); });
  }
}

void IntelligenceKeeper::read_due_feeds(const std::stop_token& stopping) {
  const auto feeds = parts_.state.feeds();
  if (!feeds) return log::error("intelligence", "feeds: {}", describe(feeds.error()));
  for (const state::FeedRow& row : *feeds) {
    if (stopping.stop_requested()) return;
    if (feeds_.is_due(row) && feeds_.read(row, false)) changed();
  }
}

void IntelligenceKeeper::make_set() {
  const auto feeds = parts_.state.feeds();
  const std::string version = version_at(parts_.clock.now());
  const auto before = current();
  const auto report =
      feeds ? IndicatorSetMaker(parts_.state, feeds_, parts_.clock.now()).make(set_file(version), *feeds, before.get())
            : std::unexpected(feeds.error());
  if (!report) return log::error("intelligence", "no new set was made: {}", describe(report.error()));
  if (const auto done = put_in_force(version, *report); !done) {
    log::error("intelligence", "the new set is not in force: {}", describe(done.error()));
    std::error_code ignored;
    fs::remove(set_file(version), ignored);
    return;
  }
  log::info("intelligence", "set {}: {} indicators ({} new), {} entries of warning lists", version, report->indicators,
            report->added, report->warnings);
  remove_old_sets();
  if (report->added == 0) return;
  const Timestamp now = parts_.clock.now();
  Job job{.kind = Job::Kind::hunt, .before = before};
  job.hunt = {.id = "hunt-" + version, .version = version, .days = kHuntDays, .status = "waiting", .started = now};
  if (!parts_.state.put_hunt(job.hunt) || !push(std::move(job))) {
    log::warning("intelligence", "no hunt follows set {}: too much is waiting", version);
  }
}

/// From its record on a set is in force; a crash before it leaves a file that nobody names.
Result<> IntelligenceKeeper::put_in_force(const std::string& version, const intelligence::BuildReport& report) {
  TRY(auto opened, Index::open(set_file(version)));
  TRY(const auto id, append(pipeline::kIndicators, version, ""));
  {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(opened);
    version_ = version;
  }
  return parts_.state.add_set({.version = version,
                               .made = parts_.clock.now(),
                               .sequence = id.sequence,
                               .indicators = report.indicators,
                               .added = report.added});
}

/// A replay of the pipeline may need every set that was in force behind the place where it would begin.
void IntelligenceKeeper::remove_old_sets() {
  const auto sets = parts_.state.sets();
  const auto replay = parts_.messages.add_consumer(pipeline::kPipelineConsumer);
  if (!sets || !replay || sets->empty()) return;
  std::set<std::string> kept;
  for (std::size_t i = 0; i < sets->size(); ++i) {
    const bool last = i + 1 == sets->size();
    if (!last && replay->covers(journal::RecordId{0, (*sets)[i + 1].sequence})) {
      static_cast<void>(parts_.state.remove_set((*sets)[i].version));
    } else {
      kept.insert((*sets)[i].version);
    }
  }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(parts_.directory + "/sets", failed)) {
    const std::string name = entry.path().filename().string();
    // Newer than all that are known: in force since a crash, perhaps.
    if (kept.contains(name) || name > *kept.rbegin()) continue;
    fs::remove(entry.path(), failed);
  }
}

void IntelligenceKeeper::hunt_in_events(Job job, const std::stop_token& stopping) {
  const auto index = current();
  state::RetroHuntRow& row = job.hunt;
  if (index == nullptr) {
    row.status = "failed";
    row.note = "there is no set of indicators";
    static_cast<void>(parts_.state.put_hunt(row));
    return;
  }
  row.status = "running";
  {
    const std::scoped_lock lock(mutex_);
    row.version = version_;
  }
  static_cast<void>(parts_.state.put_hunt(row));
  HuntResult found = hunt_in_workspace({.workspace = parts_.workspace,
                                        .index = *index,
                                        .before = job.before.get(),
                                        .days = row.days,
                                        .now = parts_.clock.now(),
                                        .stopping = stopping});
  if (!found.failed) keep_hits(row, found);
  row.status = found.failed ? "failed" : "done";
  row.hits = found.hits.size();
  row.note = found.note;
  row.finished = parts_.clock.now();
  if (const auto stored = parts_.state.put_hunt(row); !stored) {
    log::error("intelligence", "{}: {}", row.id, describe(stored.error()));
  }
  log::info("intelligence", "{}: {} over {} days, {} hits{}", row.id, row.status, row.days, row.hits,
            row.note.empty() ? "" : " (" + row.note + ")");
}

/// Of what was found, records for the pipeline, which raises.
void IntelligenceKeeper::keep_hits(const state::RetroHuntRow& row, HuntResult& found) {
  for (std::size_t at = 0; at < found.hits.size(); at += pipeline::kRetroHitsMax) {
    pipeline::RetroHunt part{.version = row.version, .days = row.days};
    const std::size_t end = std::min(found.hits.size(), at + pipeline::kRetroHitsMax);
    for (std::size_t i = at; i < end; ++i) {
      pipeline::RetroHit& hit = found.hits[i];
      if (const auto device = parts_.devices.find(hit.device.hub, hit.device.device_id)) {
        hit.device.generation_id = device->generation_id;
      }
      part.hits.push_back(std::move(hit));
    }
    if (append(pipeline::kRetroHunt, row.version, to_json(part))) continue;
    found.failed = true;
    found.note = "the journal takes no records now";
    return;
  }
}

/// Waits until it is durable.
Result<journal::RecordId> IntelligenceKeeper::append(std::string_view name, const std::string& version,
                                                     std::string_view body) {
  const Identity identity{parts_.hub, "", "", ""};
  const journal::Property properties[] = {{"name", name}, {"version", version}};
  DurableGroup group;
  TRY_VOID(parts_.messages.append({.kind = journal::RecordKind::intelligence_change,
                                   .partition = partition_of(identity),
                                   .enqueued = parts_.clock.now(),
                                   .identity = identity,
                                   .properties = properties,
                                   .body = as_bytes(body)},
                                  group.expect()));
  return group.wait();
}

}  // namespace picket::server
