#include "schema.h"

#include <string>

#include "base/server/log.h"
#include "state/database.h"
#include "statement.h"

namespace picket::state {

// One line a domain: the script stands in the domain's file.
extern const char* const kIdentitiesSchema;
extern const char* const kHubsSchema;
extern const char* const kSessionsSchema;
extern const char* const kCommandsSchema;
extern const char* const kFeedbackSchema;
extern const char* const kUploadsSchema;
extern const char* const kEnrollmentsSchema;
extern const char* const kTwinsSchema;
extern const char* const kRoutingSchema;
extern const char* const kConfigurationsSchema;
extern const char* const kIntelligenceSchema;
extern const char* const kJobsSchema;
extern const char* const kRecommendationsSchema;
extern const char* const kRevocationsSchema;
extern const char* const kPostureSchema;
extern const char* const kTableRetentionSchema;
extern const char* const kActiveSchema;
extern const char* const kDeviceScoresSchema;
extern const char* const kRulesSchema;
extern const char* const kSavedQueriesSchema;
extern const char* const kAnalyticsSchema;
extern const char* const kAlertLifeSchema;
extern const char* const kIncidentsSchema;
extern const char* const kSolutionsSchema;
extern const char* const kSuppressionsSchema;

namespace {

// Times are microseconds UTC; keys are base64; text ids are case-sensitive (BINARY collation, the default).
constexpr const char* kFirstRelease = R"sql(
CREATE TABLE device (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, generation_id TEXT NOT NULL, enabled INTEGER NOT NULL,
  security_group TEXT NOT NULL, key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (hub, device_id)) WITHOUT ROWID;
CREATE TABLE module (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, generation_id TEXT NOT NULL,
  enabled INTEGER NOT NULL, key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY (hub, device_id, module_id),
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, kind TEXT NOT NULL, device_id TEXT NOT NULL,
  body TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent = 0;
CREATE TABLE user (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, secret_hash TEXT NOT NULL, created INTEGER NOT NULL,
  secret_changed INTEGER NOT NULL, last_sign_in INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE token (
  hash TEXT PRIMARY KEY, kind INTEGER NOT NULL, user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
  csrf TEXT NOT NULL, label TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX token_user ON token (user);
CREATE TABLE alert (
  alert_id TEXT PRIMARY KEY, alert_type TEXT NOT NULL, display_name TEXT NOT NULL, severity TEXT NOT NULL,
  status TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, start INTEGER NOT NULL,
  end INTEGER NOT NULL, updated INTEGER NOT NULL, change INTEGER NOT NULL, json TEXT NOT NULL);
CREATE INDEX alert_updated ON alert (updated, alert_id);
CREATE INDEX alert_device ON alert (hub, device_id, status);
CREATE TABLE triage (
  id INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT NOT NULL, status TEXT NOT NULL, user TEXT NOT NULL,
  comment TEXT NOT NULL, time INTEGER NOT NULL);
CREATE INDEX triage_alert ON triage (alert_id);
CREATE TABLE projection (name TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
)sql";

Result<int> schema_version(sqlite3* db) {
  TRY(auto statement, Statement::prepare(db, "PRAGMA user_version"));
  TRY_VOID(statement.step());
  return static_cast<int>(statement.integer(0));
}

Result<> run(sqlite3* db, const UpgradeStep& step) {
  TRY_VOID(execute(db, "BEGIN IMMEDIATE"));
  const auto number = "PRAGMA user_version = " + std::to_string(step.version);
  Result<> done;
  for (const DomainScript& script : step.scripts) {
    done = execute(db, script.sql);
    if (done) continue;
    log::error("state", "upgrade to schema {} failed at '{}'", step.version, script.domain);
    break;
  }
  if (done) done = execute(db, number.c_str());
  if (done) done = execute(db, "COMMIT");
  if (!done && sqlite3_get_autocommit(db) == 0) TRY_VOID(execute(db, "ROLLBACK"));
  return done;
}

}  // namespace

std::span<const UpgradeStep> upgrade_steps() {
  static const DomainScript first[] = {{"first release", kFirstRelease}};
  static const DomainScript device_hub[] = {
      {"identities", kIdentitiesSchema},
      {"hubs", kHubsSchema},
      {"sessions", kSessionsSchema},
      {"commands", kCommandsSchema},
      {"feedback", kFeedbackSchema},
      {"uploads", kUploadsSchema},
      {"enrollments", kEnrollmentsSchema},
      {"twins", kTwinsSchema},
      {"routing", kRoutingSchema},
      {"configurations", kConfigurationsSchema},
      {"jobs", kJobsSchema},
      {"recommendations", kRecommendationsSchema},
  };
  static const DomainScript revocations[] = {{"revocations", kRevocationsSchema}};
  static const DomainScript rules[] = {{"rules", kRulesSchema}};
  static const DomainScript queries[] = {{"saved queries", kSavedQueriesSchema}, {"analytics", kAnalyticsSchema}};
  static const DomainScript life[] = {{"alert life", kAlertLifeSchema},
                                      {"incidents", kIncidentsSchema},
                                      {"suppressions", kSuppressionsSchema},
                                      {"solutions", kSolutionsSchema}};
  static const DomainScript intelligence[] = {{"intelligence", kIntelligenceSchema}};
  static const DomainScript posture[] = {{"posture", kPostureSchema}};
  static const DomainScript device_scores[] = {{"device scores", kDeviceScoresSchema},
                                               {"active recommendations", kActiveSchema}};
  static const DomainScript table_retention[] = {{"table retention", kTableRetentionSchema}};
  static const UpgradeStep steps[] = {
      {1, first}, {2, device_hub},   {3, revocations}, {4, rules},         {5, queries},
      {6, life},  {7, intelligence}, {8, posture},     {9, device_scores}, {10, table_retention}};
  return steps;
}

Result<> upgrade(sqlite3* db) {
  TRY(const int version, schema_version(db));
  if (version > kSchemaVersion) {
    log::error("state", "the state has schema {}, this program knows up to {}: use a newer Picket", version,
               kSchemaVersion);
    return fail(Errc::unsupported, "state.schema_version");
  }
  for (const UpgradeStep& step : upgrade_steps()) {
    if (step.version > version) TRY_VOID(run(db, step));
  }
  return {};
}

}  // namespace picket::state
