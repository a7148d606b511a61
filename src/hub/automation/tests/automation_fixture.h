// Twins, configurations, jobs and queries over one state; work is done by
// run_due() until nothing is left.
#pragma once

#include <sqlite3.h>

#include "hub/automation.h"
#include "hub/query_service.h"
#include "twins_fixture.h"

namespace picket::hub {

/// Answers methods as the test says, at once or later.
class ScriptedMethods final : public MethodInvoker {
 public:
  struct Call {
    IdentityKey target;
    JobMethod method;
    Done<JobMethodAnswer> done;
  };
  bool hold = false;  ///< Keep calls in `calls` until the test answers them.
  std::function<HubResult<JobMethodAnswer>(const IdentityKey&, const JobMethod&)> script;
  std::vector<Call> calls;
  std::vector<std::string> called;

  void invoke(const IdentityKey& target, JobMethod method, std::string_view, Done<JobMethodAnswer> done) override {
    called.push_back(target.device_id + (target.module_id.empty() ? "" : "/") + target.module_id);
    if (hold) {
      calls.push_back({target, std::move(method), std::move(done)});
    } else {
      done(script ? script(target, method) : HubResult<JobMethodAnswer>(JobMethodAnswer{200, "null"}));
    }
  }
};

class AutomationFixture : public TwinsFixture {
 protected:
  AutomationFixture() { open_automation(); }
  ~AutomationFixture() override { automation_.reset(); }

  void open_automation() {
    queries_ = std::make_unique<QueryService>(*database_, *twins_);
    automation_ = std::make_unique<Automation>(*database_, *twins_, methods_, clock_);
  }
  /// Devices d1000, d1001, ... with their security module, in one transaction:
  /// a commit each would take most of the test.
  void add_many(int count) {
    const std::string sql =
        "CREATE TEMP TABLE made AS WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n LIMIT " +
        std::to_string(count) +
        ") SELECT 'd' || i AS id FROM n;INSERT INTO device (hub, device_id, generation_id, enabled, security_group, "
        "key_primary, key_secondary, created, updated) SELECT 'hub', id, 'g' || id, 1, 'default', '', '', 1, 1 FROM "
        "made;INSERT INTO module (hub, device_id, module_id, generation_id, enabled, key_primary, key_secondary, "
        "created) SELECT 'hub', id, 'DefenderIotMicroAgent', 'm' || id, 1, '', '', 1 FROM made;DROP TABLE made;";
    ASSERT_TRUE(database_->write([&](sqlite3* db) -> Result<> {
      return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? Result<>()
                                                                                   : fail(Errc::internal, "test");
    }));
  }
  /// As after a crash of the process: nothing in memory is left.
  void restart() {
    queries_.reset();
    automation_.reset();
    close();
    open();
    open_automation();
    ASSERT_TRUE(automation_->recover());
  }
  /// Runs until nothing is left to do.
  void settle() {
    for (int step = 0; step < 1000; ++step) {
      const auto more = automation_->run_due(clock_.now());
      ASSERT_TRUE(more) << describe(more.error());
      if (!*more) return;
    }
    FAIL() << "there is always something left to do";
  }
  HubResult<std::string> put(const std::string& id, const std::string& body, const std::string& etag = "") {
    return wait<std::string>([&](Done<std::string> done) {
      automation_->configurations().put("hub", id, body, etag, kService, std::move(done));
    });
  }
  HubResult<> remove(const std::string& id, const std::string& etag = "*") {
    return wait<void>(
        [&](Done<> done) { automation_->configurations().remove("hub", id, etag, kService, std::move(done)); });
  }
  HubResult<std::string> configuration(const std::string& id) {
    return wait<std::string>(
        [&](Done<std::string> done) { automation_->configurations().get("hub", id, std::move(done)); });
  }
  HubResult<std::string> schedule(const std::string& id, const std::string& body) {
    return wait<std::string>(
        [&](Done<std::string> done) { automation_->jobs().schedule("hub", id, body, kService, std::move(done)); });
  }
  JsonValue job(const std::string& id) {
    const auto found =
        wait<std::string>([&](Done<std::string> done) { automation_->jobs().get("hub", id, std::move(done)); });
    EXPECT_TRUE(found) << found.error().message;
    return found ? json(*found) : JsonValue();
  }
  std::string query(const std::string& text) {
    const auto page = queries_->run("hub", text, "", 0);
    return page ? page->items : page.error().message;
  }
  /// Desired properties without metadata and version.
  std::string desired(const IdentityKey& key) {
    const auto row = twins_->store().find(key.hub, key.device_id, key.module_id);
    EXPECT_TRUE(row);
    const auto loaded = load_twin(*row);
    return JsonValue(loaded->desired.value).to_string();
  }
  std::int64_t desired_version(const IdentityKey& key) {
    return *twin(key).find("properties")->find("desired")->integer_of("$version");
  }

  ScriptedMethods methods_;
  std::unique_ptr<QueryService> queries_;
  std::unique_ptr<Automation> automation_;
};

}  // namespace picket::hub
