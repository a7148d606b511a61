// Kusto's commands about how long a table is kept.
#include <boost/json.hpp>

#include "fixture.h"

namespace picket::api {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class KustoRetention : public ApiTest {
 protected:
  KustoRetention() {
    workspace_.table_list = {{.table = "LoginEvents", .stream = "messages", .retention = {Duration::days(30), {}}}};
    schema_.tables.push_back({.name = "LoginEvents", .columns = {{"TimeGenerated", kql::Type::datetime}}});
    start();
  }
  Reply run(std::string_view command, const Credentials& who = admin()) {
    const boost::json::object body{{"db", "picket"}, {"csl", command}};
    return client_->call("POST", "/v1/rest/mgmt", boost::json::serialize(body), who,
                         {"Content-Type: application/json"});
  }
  [[nodiscard]] workspace::TableRetention in_force() const { return workspace_.table_list[0].retention; }
  [[nodiscard]] std::vector<std::string> audit_kinds() {
    std::vector<std::string> out;
    for (const auto& record : *outbox_->pending(100)) out.push_back(record.kind);
    return out;
  }
};

TEST_F(KustoRetention, IsSetInEachOfTheDocumentedForms) {
  const std::pair<const char*, int> kForms[] = {
      {R"(.alter table LoginEvents policy retention '{"SoftDeletePeriod": "10.00:00:00", "Recoverability": "Disabled"}')",
       10},
      {R"(.alter table LoginEvents policy retention "{\"SoftDeletePeriod\": \"11.00:00:00\"}")", 11},
      {".alter table LoginEvents policy retention ```{\n \"SoftDeletePeriod\": \"12.00:00:00\"\n}```", 12},
      {R"(.alter table ['LoginEvents'] policy retention @'{"SoftDeletePeriod": "13.00:00:00"}')", 13},
      {".alter-merge table LoginEvents policy retention softdelete = 14d recoverability = disabled", 14},
      {".alter-merge  table LoginEvents  policy retention softdelete=15d;", 15},
      {".alter table LoginEvents policy retention softdelete = time(16d)", 16},
      {".ALTER TABLE LoginEvents POLICY Retention SoftDelete = 17.00:00:00", 17},
  };
  for (const auto& [command, days] : kForms) {
    const Reply reply = run(command);
    EXPECT_EQ(reply.status, 200) << command << reply.body;
    EXPECT_EQ(in_force(), (workspace::TableRetention{Duration::days(days), {}})) << command;
    EXPECT_THAT(reply.body, HasSubstr(std::to_string(days) + ".00:00:00"));
  }
}

TEST_F(KustoRetention, IsShownToReadersAsItWasSet) {
  ASSERT_EQ(run(".alter table LoginEvents policy retention softdelete = 21d").status, 200);
  const Reply shown = run(".show table LoginEvents policy retention", bearer(state::Role::reader));
  EXPECT_EQ(shown.status, 200);
  EXPECT_THAT(shown.body, HasSubstr("21.00:00:00"));
  EXPECT_THAT(shown.body, HasSubstr("[picket].[LoginEvents]"));
}

TEST_F(KustoRetention, IsRememberedAndAuditedAsThroughRest) {
  ASSERT_EQ(run(".alter table LoginEvents policy retention softdelete = 7d").status, 200);
  const auto rows = table_retentions_->list();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().days, 7);
  EXPECT_EQ(rows->front().changed_by, "root");
  EXPECT_THAT(audit_kinds(), Contains("retention.set"));
  ASSERT_EQ(run(".delete table LoginEvents policy retention").status, 200);
  EXPECT_EQ(in_force().keep, Duration::days(30));
  EXPECT_TRUE(table_retentions_->list()->empty());
  EXPECT_THAT(audit_kinds(), Contains("retention.reset"));
}

TEST_F(KustoRetention, IsTheWholeTimeWhereThereIsAnArchive) {
  workspace_.table_list[0].retention = {Duration::days(7), Duration::days(365)};
  EXPECT_THAT(run(".alter table LoginEvents policy retention softdelete = 100d").body, HasSubstr("100.00:00:00"));
  EXPECT_EQ(in_force(), (workspace::TableRetention{Duration::days(7), Duration::days(93)}));
  ASSERT_EQ(run(".alter table LoginEvents policy retention softdelete = 7d").status, 200);
  EXPECT_EQ(in_force(), (workspace::TableRetention{Duration::days(7), {}}));
}

TEST_F(KustoRetention, IsSetByAnAdminOnly) {
  for (const state::Role role : {state::Role::reader, state::Role::contributor}) {
    for (const char* command :
         {".alter table LoginEvents policy retention softdelete = 7d", ".delete table LoginEvents policy retention"}) {
      const Reply reply = run(command, bearer(role));
      EXPECT_EQ(reply.status, 403) << command;
      EXPECT_THAT(reply.body, HasSubstr("An Admin says how long tables are kept."));
    }
  }
  EXPECT_EQ(in_force().keep, Duration::days(30));
  EXPECT_TRUE(table_retentions_->list()->empty());
  EXPECT_THAT(audit_kinds(), Not(Contains("retention.set")));
}

TEST_F(KustoRetention, RefusesWhatItCannotKeep) {
  const std::pair<const char*, const char*> kRefused[] = {
      {"softdelete = 7h", "whole days"},
      {"softdelete = 0d", "whole days"},
      {"softdelete = -3d", "whole days"},
      {"softdelete = 36501d", "whole days"},
      {"softdelete = soon", "whole days"},
      {"softdelete", "softdelete = 30d"},
      {"", "softdelete = 30d"},
      {"softdelete = 7d recoverability = enabled", "cannot be brought back"},
      {"softdelete = 7d recoverability = perhaps", "Enabled or Disabled"},
      {"harddelete = 7d", "no 'harddelete'"},
      {R"('{"SoftDeletePeriod": []}')", "whole days"},
      {R"('{"Recoverability": "Disabled"}')", "softdelete = 30d"},
      {R"('{"SoftDeletePeriod": "7.00:00:00", "More": 1}')", "no 'More'"},
      {R"('[]')", "must be an object"},
      {R"('{')", "must be an object"},
      {"```", "softdelete = 30d"},
  };
  for (const auto& [policy, why] : kRefused) {
    const Reply reply = run(std::string(".alter table LoginEvents policy retention ") + policy);
    EXPECT_EQ(reply.status, 400) << policy << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(why)) << policy;
  }
  EXPECT_EQ(run(".alter table SecurityIoTRawEvent policy retention softdelete = 7d").status, 404) << "a view";
  EXPECT_EQ(run(".alter table LoginEvents policy caching hot = 7d").status, 403) << "the only policy there is to set";
  EXPECT_EQ(in_force().keep, Duration::days(30));
  EXPECT_TRUE(table_retentions_->list()->empty());
}

}  // namespace
}  // namespace picket::api
