#include "state/jobs.h"

#include "statement.h"

namespace picket::state {

// Rows of devices have no foreign key to the device: the result stays when the
// device goes.
extern const char* const kJobsSchema;
const char* const kJobsSchema = R"sql(
CREATE TABLE job (
  hub TEXT NOT NULL, id TEXT NOT NULL, kind INTEGER NOT NULL, status INTEGER NOT NULL, request TEXT NOT NULL,
  actor TEXT NOT NULL, created INTEGER NOT NULL, start INTEGER NOT NULL, deadline INTEGER NOT NULL,
  end INTEGER NOT NULL, failure TEXT NOT NULL, cursor TEXT NOT NULL, cursor_module TEXT NOT NULL,
  PRIMARY KEY (hub, id));
CREATE INDEX job_created ON job (hub, created, id);
CREATE INDEX job_open ON job (start) WHERE status < 3;
CREATE INDEX job_ended ON job (end) WHERE status >= 3;
CREATE TABLE device_job (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, job_id TEXT NOT NULL, module_id TEXT NOT NULL, status INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  outcome TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (hub, device_id, job_id, module_id),
  FOREIGN KEY (hub, job_id) REFERENCES job (hub, id) ON DELETE CASCADE);
CREATE INDEX device_job_progress ON device_job (hub, job_id, status);
)sql";

namespace {

#define PICKET_JOB_COLUMNS                                                   \
  "SELECT hub, id, kind, status, request, actor, created, start, deadline, " \
  "end, failure, cursor, cursor_module FROM "                                \
  "job "
#define PICKET_DEVICE_JOB_COLUMNS                                        \
  "SELECT hub, job_id, device_id, module_id, status, created, updated, " \
  "start, end, outcome, error FROM device_job "

JobRow job_from(const Statement& row) {
  return {.hub = row.text(0),
          .id = row.text(1),
          .kind = static_cast<JobKind>(row.integer(2)),
          .status = static_cast<JobStatus>(row.integer(3)),
          .request = row.text(4),
          .actor = row.text(5),
          .created = row.time(6),
          .start = row.time(7),
          .deadline = row.time(8),
          .end = row.time(9),
          .failure = row.text(10),
          .cursor = row.text(11),
          .cursor_module = row.text(12)};
}

DeviceJobRow device_job_from(const Statement& row) {
  return {.hub = row.text(0),
          .job_id = row.text(1),
          .device_id = row.text(2),
          .module_id = row.text(3),
          .status = static_cast<DeviceJobStatus>(row.integer(4)),
          .created = row.time(5),
          .updated = row.time(6),
          .start = row.time(7),
          .end = row.time(8),
          .outcome = row.text(9),
          .error = row.text(10)};
}

constexpr std::int64_t number(auto status) { return static_cast<std::int64_t>(status); }

Result<> end_device_rows(sqlite3* db, std::string_view hub, std::string_view id, DeviceJobStatus status,
                         std::string_view error, Timestamp now) {
  TRY(auto statement, Statement::prepare(db,
                                         "UPDATE device_job SET status = ?, error = ?, updated = ?, end = ? WHERE hub "
                                         "= ? AND job_id = ? AND status < 2"));
  return statement.bind(number(status), error, now, now, hub, id).run();
}

}  // namespace

Result<> Jobs::add(sqlite3* db, const JobRow& job) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO job (hub, id, kind, status, request, actor, created, start, deadline, end, "
                         "failure, cursor, cursor_module) VALUES (?,?,?,?,?,?,?,?,?,0,'','','')"));
  return statement
      .bind(job.hub, job.id, number(job.kind), number(job.status), job.request, job.actor, job.created, job.start,
            job.deadline)
      .run();
}

Result<std::uint64_t> Jobs::count_open(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db, "SELECT count(*) FROM job WHERE hub = ? AND status < 3"));
  TRY_VOID(statement.bind(hub).step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<bool> Jobs::cancel(sqlite3* db, std::string_view hub, std::string_view id, Timestamp now) {
  TRY(auto found, Statement::prepare(db, "SELECT status FROM job WHERE hub = ? AND id = ?"));
  TRY(const bool row, found.bind(hub, id).step());
  if (!row) return fail(Errc::not_found, "job");
  if (found.integer(0) >= number(JobStatus::completed)) return false;
  TRY(auto statement, Statement::prepare(db, "UPDATE job SET status = ?, end = ? WHERE hub = ? AND id = ?"));
  TRY_VOID(statement.bind(number(JobStatus::cancelled), now, hub, id).run());
  TRY(auto rest,
      Statement::prepare(
          db, "UPDATE device_job SET status = ?, updated = ?, end = ? WHERE hub = ? AND job_id = ? AND status = 0"));
  TRY_VOID(rest.bind(number(DeviceJobStatus::cancelled), now, now, hub, id).run());
  return true;
}

Result<JobRow> Jobs::find(std::string_view hub, std::string_view id) const {
  Result<JobRow> out = fail(Errc::not_found, "job");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, PICKET_JOB_COLUMNS "WHERE hub = ? AND id = ?"));
    TRY(const bool found, statement.bind(hub, id).step());
    if (found) out = job_from(statement);
    return {};
  }));
  return out;
}

Result<std::vector<JobRow>> Jobs::list(std::string_view hub, std::optional<JobKind> kind,
                                       std::optional<JobStatus> status, Timestamp before, std::string_view before_id,
                                       std::size_t count_max) const {
  std::vector<JobRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, PICKET_JOB_COLUMNS "WHERE hub = ? AND (created, id) < (?, ?) AND (? < 0 OR kind = ?) "
                                                  "AND (? < 0 OR status = ?) ORDER BY created DESC, id DESC LIMIT ?"));
    const std::int64_t kind_number = kind ? number(*kind) : -1;
    const std::int64_t status_number = status ? number(*status) : -1;
    statement.bind(hub, before, before_id, kind_number, kind_number, status_number, status_number,
                   static_cast<std::int64_t>(count_max));
    TRY(out, all_rows(statement, job_from));
    return {};
  }));
  return out;
}

Result<JobCounts> Jobs::counts(std::string_view hub, std::string_view id) const {
  JobCounts out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, "SELECT status, count(*) FROM device_job WHERE hub = ? AND job_id = ? GROUP BY status"));
    statement.bind(hub, id);
    for (;;) {
      TRY(const bool row, statement.step());
      if (!row) return {};
      const auto count = static_cast<std::uint64_t>(statement.integer(1));
      switch (static_cast<DeviceJobStatus>(statement.integer(0))) {
        case DeviceJobStatus::pending:
          out.pending += count;
          break;
        case DeviceJobStatus::running:
          out.running += count;
          break;
        case DeviceJobStatus::completed:
          out.succeeded += count;
          break;
        default:
          out.failed += count;
      }
    }
  }));
  return out;
}

Result<std::vector<JobRow>> Jobs::due(Timestamp now, std::size_t count_max) const {
  std::vector<JobRow> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, PICKET_JOB_COLUMNS "WHERE status < 3 AND start <= ? ORDER BY start LIMIT ?"));
    statement.bind(now, static_cast<std::int64_t>(count_max));
    TRY(out, all_rows(statement, job_from));
    return {};
  }));
  return out;
}

Result<std::vector<DeviceJobRow>> Jobs::devices_after(std::string_view hub, std::string_view device_id,
                                                      std::string_view job_id, std::size_t count_max) const {
  std::vector<DeviceJobRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, PICKET_DEVICE_JOB_COLUMNS
                                           "WHERE hub = ? AND (device_id, job_id || '/' || module_id) > (?, ?) ORDER "
                                           "BY device_id, job_id || '/' || module_id LIMIT ?"));
    statement.bind(hub, device_id, job_id, static_cast<std::int64_t>(count_max));
    TRY(out, all_rows(statement, device_job_from));
    return {};
  }));
  return out;
}

Result<std::vector<DeviceJobRow>> Jobs::of_device(std::string_view hub, std::string_view device_id) const {
  std::vector<DeviceJobRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, PICKET_DEVICE_JOB_COLUMNS
                                           "WHERE hub = ? AND device_id = ? ORDER BY job_id || '/' || module_id"));
    statement.bind(hub, device_id);
    TRY(out, all_rows(statement, device_job_from));
    return {};
  }));
  return out;
}

Result<std::vector<DeviceJobRow>> Jobs::pending(std::string_view hub, std::string_view job_id,
                                                std::size_t count_max) const {
  std::vector<DeviceJobRow> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, PICKET_DEVICE_JOB_COLUMNS "WHERE hub = ? AND job_id = ? AND status = 0 LIMIT ?"));
    statement.bind(hub, job_id, static_cast<std::int64_t>(count_max));
    TRY(out, all_rows(statement, device_job_from));
    return {};
  }));
  return out;
}

Result<> Jobs::collect(const JobRow& job, const std::vector<std::pair<std::string, std::string>>& targets, bool done,
                       Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    // A job that was cancelled in the meantime takes no more devices.
    TRY(auto moved,
        Statement::prepare(
            db, "UPDATE job SET status = ?, cursor = ?, cursor_module = ? WHERE hub = ? AND id = ? AND status < 3"));
    TRY_VOID(
        moved
            .bind(number(done ? JobStatus::running : JobStatus::queued), job.cursor, job.cursor_module, job.hub, job.id)
            .run());
    if (sqlite3_changes(db) == 0) return {};
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO device_job (hub, device_id, job_id, module_id, status, created, updated, "
                           "start, end, outcome, error) VALUES (?,?,?,?,0,?,?,0,0,'','') ON CONFLICT DO NOTHING"));
    for (const auto& [device, module] : targets) {
      TRY_VOID(statement.reset().bind(job.hub, device, job.id, module, now, now).run());
    }
    return {};
  });
}

Result<> Jobs::update(const std::vector<DeviceJobRow>& rows) {
  if (rows.empty()) return {};
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db,
                           "UPDATE device_job SET status = ?, updated = ?, start = ?, end = ?, outcome = ?, error = ? "
                           "WHERE hub = ? AND device_id = ? AND job_id = ? AND module_id = ? AND status < 2"));
    for (const DeviceJobRow& row : rows) {
      TRY_VOID(statement.reset()
                   .bind(number(row.status), row.updated, row.start, row.end, row.outcome, row.error, row.hub,
                         row.device_id, row.job_id, row.module_id)
                   .run());
    }
    return {};
  });
}

Result<> Jobs::finish(const JobRow& job, JobStatus status, std::string_view failure, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db,
                           "UPDATE job SET status = ?, failure = ?, end = ? WHERE hub = ? AND id = ? AND status < 3"));
    return statement.bind(number(status), failure, now, job.hub, job.id).run();
  });
}

Result<> Jobs::recover(std::string_view error, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto methods,
        Statement::prepare(
            db,
            "UPDATE device_job SET status = 3, error = ?, updated = ?, end = ? WHERE status = 1 AND EXISTS (SELECT 1 "
            "FROM job WHERE job.hub = device_job.hub AND job.id = device_job.job_id AND job.kind = 1)"));
    TRY_VOID(methods.bind(error, now, now).run());
    TRY(auto twins, Statement::prepare(db, "UPDATE device_job SET status = 0 WHERE status = 1"));
    TRY_VOID(twins.run());
    TRY(auto ended,
        Statement::prepare(db,
                           "UPDATE device_job SET status = 4 WHERE status = 0 AND EXISTS (SELECT 1 FROM job WHERE "
                           "job.hub = device_job.hub AND job.id = device_job.job_id AND job.status >= 3)"));
    return ended.run();
  });
}

Result<> Jobs::fail_rest(const JobRow& job, std::string_view error, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    return end_device_rows(db, job.hub, job.id, DeviceJobStatus::failed, error, now);
  });
}

Result<> Jobs::remove_ended(Timestamp before) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM job WHERE status >= 3 AND end < ?"));
    return statement.bind(before).run();
  });
}

}  // namespace picket::state
