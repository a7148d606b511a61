#include "hub/jobs.h"

#include <deque>
#include <future>
#include <mutex>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "hub/twin_rows.h"
#include "job_json.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

constexpr std::size_t kJobsAtOnceMax = 1'000;
constexpr std::size_t kCollectRows = 512;
constexpr std::size_t kListMax = 100;

HubError missing(std::string_view id) {
  return {kJobNotFound, fmt::format("There is no job '{}'.", id.substr(0, 128))};
}

std::string error_json(const HubError& error) {
  JsonWriter out;
  out.begin_object().key("code").value(std::to_string(error.code)).key("description").value(error.message);
  return out.end_object().take();
}

std::string audit(const state::Actor& actor, const state::JobRow& job) {
  JsonWriter out;
  out.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(job.hub);
  out.key("job").value(job.id).key("type");
  return out.value(job.kind == state::JobKind::update_twin ? "scheduleUpdateTwin" : "scheduleDeviceMethod")
      .end_object()
      .take();
}

void end_row(state::DeviceJobRow& row, bool succeeded, std::string outcome, std::string error, Timestamp now) {
  row.status = succeeded ? state::DeviceJobStatus::completed : state::DeviceJobStatus::failed;
  row.outcome = std::move(outcome);
  row.error = std::move(error);
  row.end = now;
  row.updated = now;
}

}  // namespace

/// Methods under way, and what came back of them.
struct Jobs::Answers {
  std::mutex mutex;
  std::size_t under_way = 0;
  std::deque<std::pair<state::DeviceJobRow, HubResult<JobMethodAnswer>>> done;
  std::function<void()> listener;

  void add(state::DeviceJobRow row, HubResult<JobMethodAnswer> answer) {
    std::function<void()> tell;
    {
      const std::scoped_lock lock(mutex);
      done.emplace_back(std::move(row), std::move(answer));
      tell = listener;
    }
    if (tell) tell();
  }
};

Jobs::Jobs(state::Database& database, Twins& twins, MethodInvoker& methods, const Clock& clock)
    : database_(database),
      store_(database),
      twins_(twins),
      methods_(methods),
      clock_(clock),
      answers_(std::make_shared<Answers>()) {}

void Jobs::on_progress(std::function<void()> listener) {
  const std::scoped_lock lock(answers_->mutex);
  answers_->listener = std::move(listener);
}

void Jobs::schedule(std::string_view hub, std::string_view id, std::string_view body, state::Actor actor,
                    Done<std::string> done) {
  if (!is_identifier(id))
    return done(hub_fail(kArgumentInvalid, "A job's id is 1 to 128 of A-Z a-z 0-9 - . % _ # * ? ! ( ) , : = @ $ ' +."));
  auto parsed = parse_job(body, clock_.now());
  if (!parsed) return done(std::unexpected(parsed.error()));
  auto job = std::make_shared<state::JobRow>(*std::move(parsed));
  auto failed = std::make_shared<std::optional<HubError>>();
  job->hub = hub;
  job->id = id;
  job->actor = actor.user;
  database_.submit(
      [job, failed, actor](sqlite3* db) -> Result<> {
        TRY(const std::uint64_t open, state::Jobs::count_open(db, job->hub));
        if (open >= kJobsOpenMax) {
          *failed = HubError{kQuotaExceeded, "100 jobs are open; wait for one to end, or cancel one."};
          return fail(Errc::denied, "job");
        }
        TRY_VOID(state::Jobs::add(db, *job));
        return state::Outbox::add(db, "job.create", "", audit(actor, *job), job->created);
      },
      [this, job, failed, done = std::move(done)](Result<> end) mutable {
        if (*failed) return done(std::unexpected(**std::move(failed)));
        if (!end) return done(std::unexpected(from_store(end.error(), fmt::format("The job '{}'", job->id))));
        {
          const std::scoped_lock lock(answers_->mutex);
          if (answers_->listener) answers_->listener();
        }
        done(job_json(*job, {}).to_string());
      });
}

void Jobs::get(std::string_view hub, std::string_view id, Done<std::string> done) const {
  const auto job = store_.find(hub, id);
  if (!job && job.error().code == Errc::not_found) return done(std::unexpected(missing(id)));
  if (!job) return done(std::unexpected(from_store(job.error(), "The job")));
  const auto counts = store_.counts(hub, id);
  if (!counts) return done(std::unexpected(from_store(counts.error(), "The job")));
  done(job_json(*job, *counts).to_string());
}

void Jobs::cancel(std::string_view hub, std::string_view id, state::Actor actor, Done<std::string> done) {
  auto key = std::make_shared<std::pair<std::string, std::string>>(hub, id);
  database_.submit(
      [key, actor, now = clock_.now()](sqlite3* db) -> Result<> {
        TRY(const bool cancelled, state::Jobs::cancel(db, key->first, key->second, now));
        if (!cancelled) return {};
        JsonWriter body;
        body.begin_object().key("actor").value(actor.user).key("source").value(actor.source);
        body.key("hub").value(key->first).key("job").value(key->second).end_object();
        return state::Outbox::add(db, "job.cancel", "", body.take(), now);
      },
      [this, key, done = std::move(done)](Result<> end) mutable {
        if (!end && end.error().code == Errc::not_found) return done(std::unexpected(missing(key->second)));
        if (!end) return done(std::unexpected(from_store(end.error(), "The job")));
        get(key->first, key->second, std::move(done));
      });
}

void Jobs::list(std::string_view hub, std::string_view type, std::string_view status, std::string_view continuation,
                std::size_t count_max, Done<JobPage> done) const {
  const auto kind = job_kind_from(type);
  const auto state = job_status_from(status);
  if (!type.empty() && !kind)
    return done(hub_fail(kArgumentInvalid, "jobType must be scheduleUpdateTwin or scheduleDeviceMethod."));
  if (!status.empty() && !state) {
    return done(
        hub_fail(kArgumentInvalid, "jobStatus must be scheduled, queued, running, completed, failed or cancelled."));
  }
  Timestamp before = kTimestampMax;
  std::string before_id;
  if (!continuation.empty()) {
    const auto bytes = from_base64(continuation);
    const auto parsed =
        bytes ? parse_json(as_text(*bytes)) : Result<JsonValue>(fail(Errc::malformed, "job.continuation"));
    const auto time = parsed ? parsed->integer_of("t") : std::nullopt;
    if (!time)
      return done(hub_fail(kArgumentInvalid, "The continuation is not one of this list; start it anew without one."));
    before = {*time};
    before_id = parsed->text_of("i");
  }
  const std::size_t count = count_max == 0 ? kListMax : std::min(count_max, kListMax);
  const auto rows = store_.list(hub, kind, state, before, before_id, count + 1);
  if (!rows) return done(std::unexpected(from_store(rows.error(), "The jobs")));
  JobPage page;
  JsonArray items;
  for (std::size_t i = 0; i < std::min(rows->size(), count); ++i) {
    const state::JobRow& job = (*rows)[i];
    const auto counts = store_.counts(hub, job.id);
    if (!counts) return done(std::unexpected(from_store(counts.error(), "The jobs")));
    items.push_back(job_json(job, *counts));
    if (rows->size() <= count || i + 1 != count) continue;
    JsonObject next;
    next.set("t", job.created.us);
    next.set("i", job.id);
    page.continuation = to_base64(as_bytes(JsonValue(std::move(next)).to_string()));
  }
  page.items = JsonValue(std::move(items)).to_string();
  done(std::move(page));
}

Result<> Jobs::recover() {
  const HubError interrupted{
      kUnavailable,
      "The hub was restarted while the method was under way; whether the device has run it is not known."};
  return store_.recover(error_json(interrupted), clock_.now());
}

Result<bool> Jobs::run(Timestamp now) {
  TRY(bool moved, take_answers(now));
  TRY(const auto due, store_.due(now, kJobsAtOnceMax));
  for (const state::JobRow& job : due) {
    TRY(const bool one, step(job, now));
    moved |= one;
  }
  if (now - cleaned_ >= Duration::hours(1)) {
    cleaned_ = now;
    TRY_VOID(store_.remove_ended(now - kJobsKept));
  }
  return moved;
}

Result<bool> Jobs::step(state::JobRow job, Timestamp now) {
  if (now > job.deadline) {
    const std::string reason = "The job was not done within maxExecutionTimeInSeconds.";
    TRY_VOID(store_.fail_rest(job, error_json({kGatewayTimeout, reason}), now));
    TRY_VOID(finish(job, state::JobStatus::failed, reason, now));
    return true;
  }
  if (job.status != state::JobStatus::running) {
    TRY_VOID(collect(job, now));
    return true;
  }
  return job.kind == state::JobKind::update_twin ? update_twins(job, now) : call_methods(job, now);
}

// One page of devices at a time: the cursor is kept with them, so that a
// restart goes on where it was.
Result<> Jobs::collect(state::JobRow& job, Timestamp now) {
  const auto task = parse_task(job);
  if (!task) return finish(job, state::JobStatus::failed, task.error().message, now);
  const bool modules = task->target.scope == TargetScope::modules;
  TwinRows rows(twins_, job.hub, modules ? state::TwinKind::modules : state::TwinKind::devices, nullptr);
  std::vector<std::pair<std::string, std::string>> targets;
  const auto take = [&](const std::vector<QueryRow>& found) {
    for (const QueryRow& row : found) {
      if (task->target.matches(row.document)) targets.emplace_back(row.first, row.second);
    }
  };
  if (const auto ids = task->target.condition ? task->target.condition->device_ids() : std::nullopt) {
    for (const std::string& id : *ids) {
      const auto found = rows.of_device(id);
      if (!found) return fail(Errc::internal, "job.collect");
      take(*found);
    }
    return store_.collect(job, targets, true, now);
  }
  const auto found = rows.after(job.cursor, job.cursor_module, kCollectRows);
  if (!found) return fail(Errc::internal, "job.collect");
  take(*found);
  if (!found->empty()) {
    job.cursor = found->back().first;
    job.cursor_module = found->back().second;
  }
  return store_.collect(job, targets, found->size() < kCollectRows, now);
}

Result<> Jobs::finish(const state::JobRow& job, state::JobStatus status, std::string_view reason, Timestamp now) {
  TRY_VOID(store_.finish(job, status, reason, now));
  if (status == state::JobStatus::completed) ++completed_;
  if (status == state::JobStatus::failed) ++failed_;
  return {};
}

Result<> Jobs::end_if_done(const state::JobRow& job, Timestamp now) {
  TRY(const auto counts, store_.counts(job.hub, job.id));
  if (counts.pending + counts.running > 0) return {};
  return finish(job, state::JobStatus::completed, "", now);
}

Result<bool> Jobs::update_twins(const state::JobRow& job, Timestamp now) {
  TRY(auto rows, store_.pending(job.hub, job.id, kJobTwinsAtOnceMax));
  if (rows.empty()) {
    TRY_VOID(end_if_done(job, now));
    return true;
  }
  const auto task = parse_task(job);
  if (!task) {
    TRY_VOID(finish(job, state::JobStatus::failed, task.error().message, now));
    return true;
  }
  std::vector<std::future<HubResult<>>> answers;
  for (const state::DeviceJobRow& row : rows) {
    auto promise = std::make_shared<std::promise<HubResult<>>>();
    answers.push_back(promise->get_future());
    twins_.patch({row.hub, row.device_id, row.module_id}, task->change, task->if_match, {job.actor, "job/" + job.id},
                 Twins::Also(), [promise](HubResult<> done) { promise->set_value(std::move(done)); });
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const HubResult<> done = answers[i].get();
    rows[i].start = now;
    end_row(rows[i], done.has_value(), done ? "{}" : "", done ? "" : error_json(done.error()), now);
  }
  TRY_VOID(store_.update(rows));
  return true;
}

Result<bool> Jobs::call_methods(const state::JobRow& job, Timestamp now) {
  std::size_t room = 0;
  {
    const std::scoped_lock lock(answers_->mutex);
    room = kJobMethodsAtOnceMax - std::min(kJobMethodsAtOnceMax, answers_->under_way);
  }
  if (room == 0) return false;
  TRY(auto rows, store_.pending(job.hub, job.id, room));
  if (rows.empty()) {
    TRY_VOID(end_if_done(job, now));
    return false;
  }
  const auto task = parse_task(job);
  if (!task) {
    TRY_VOID(finish(job, state::JobStatus::failed, task.error().message, now));
    return true;
  }
  // Written before the call: after a crash nobody calls the device a second
  // time.
  for (state::DeviceJobRow& row : rows) {
    row.status = state::DeviceJobStatus::running;
    row.start = now;
    row.updated = now;
  }
  TRY_VOID(store_.update(rows));
  {
    const std::scoped_lock lock(answers_->mutex);
    answers_->under_way += rows.size();
  }
  for (const state::DeviceJobRow& row : rows) {
    methods_.invoke(
        {row.hub, row.device_id, row.module_id}, task->method, job.actor,
        [answers = answers_, row](HubResult<JobMethodAnswer> answer) { answers->add(row, std::move(answer)); });
  }
  return true;
}

Result<bool> Jobs::take_answers(Timestamp now) {
  decltype(answers_->done) done;
  {
    const std::scoped_lock lock(answers_->mutex);
    std::swap(done, answers_->done);
    answers_->under_way -= std::min(answers_->under_way, done.size());
  }
  std::vector<state::DeviceJobRow> rows;
  for (auto& [row, answer] : done) {
    if (answer) {
      JsonWriter outcome;
      outcome.begin_object().key("deviceMethodResponse").begin_object().key("status").value(answer->status);
      outcome.key("payload")
          .raw(answer->payload.empty() ? "null" : std::string_view(answer->payload))
          .end_object()
          .end_object();
      end_row(row, true, outcome.take(), "", now);
    } else {
      end_row(row, false, "", error_json(answer.error()), now);
    }
    rows.push_back(std::move(row));
  }
  TRY_VOID(store_.update(rows));
  return !rows.empty();
}

}  // namespace picket::hub
