// The operations log as resource logs, revoked certificates, and tables of the operator.
#include <boost/json.hpp>

#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;

workspace::QueryResult one_row(std::string_view kind, std::string_view body) {
  using workspace::ColumnType;
  workspace::QueryResult out;
  out.columns = {{"TimeGenerated", ColumnType::timestamp},
                 {"Kind", ColumnType::text},
                 {"DeviceId", ColumnType::text},
                 {"ModuleId", ColumnType::text},
                 {"Details", ColumnType::text}};
  out.columns[0].push_integer(1'795'000'000'000'000);
  out.columns[1].push_text(kind);
  out.columns[2].push_text("press-1");
  out.columns[3].push_text("");
  out.columns[4].push_text(body);
  out.rows = 1;
  return out;
}

TEST_F(ApiTest, DiagnosticsAreLinesOfResourceLogs) {
  workspace_.answer = [](const auto&) {
    return one_row("connect", R"({"v":2,"kind":"connect","hub":"picket","identity":{"device":"press-1"}})");
  };
  start();
  const Reply reply =
      client_->get("/api/v1/hubs/picket/diagnostics?category=Connections&limit=5", bearer(state::Role::reader));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.header("content-type"), "application/x-ndjson");
  ASSERT_TRUE(reply.body.ends_with("}\n"));
  EXPECT_EQ(reply.json().at("operationName").as_string(), "deviceConnect");
  EXPECT_THAT(std::string(reply.json().at("resourceId").as_string()), HasSubstr("/iothubs/picket"));
  EXPECT_EQ(workspace_.last.rows_max, 5u);
}

TEST_F(ApiTest, DiagnosticsOfAFailedChangeSayItOnce) {
  workspace_.answer = [](const auto&) {
    return one_row("certificate.add_failed", R"({"actor":"root","hub":"picket","outcome":"failed","certificate":"c"})");
  };
  start();
  const Reply reply = client_->get("/api/v1/hubs/picket/diagnostics", admin());
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json().at("operationName").as_string(), "certificate.add_failed");
  EXPECT_EQ(reply.json().at("level").as_string(), "Warning");
}

TEST_F(ApiTest, DiagnosticsRefuseWhatTheyDoNotKnow) {
  start();
  const std::string path = "/api/v1/hubs/picket/diagnostics";
  EXPECT_EQ(client_->get(path + "?category=None", admin()).error_code(), "invalid_argument");
  EXPECT_EQ(client_->get(path + "?limit=0", admin()).error_code(), "invalid_argument");
  EXPECT_EQ(client_->get(path + "?timespan=yesterday", admin()).error_code(), "invalid_argument");
  EXPECT_EQ(client_->get("/api/v1/hubs/none/diagnostics", admin()).error_code(), "not_found");
}

TEST_F(ApiTest, ACertificateIsRevokedListedAndRestored) {
  start();
  const std::string path = "/api/v1/hubs/picket/revocations";
  const std::string thumbprint = "00112233445566778899aabbccddeeff00112233";
  const std::string body = R"({"thumbprint":")" + thumbprint + R"(","reason":"stolen"})";
  EXPECT_EQ(client_->call("POST", path, body, bearer(state::Role::contributor)).error_code(), "denied");
  EXPECT_EQ(client_->call("POST", path, body, admin()).status, 201);
  EXPECT_TRUE(hub_settings_.of("picket")->has_revoked(thumbprint));
  EXPECT_EQ(outbox_->pending(100)->back().kind, "certificate.revoke");
  EXPECT_EQ(client_->call("POST", path, body, admin()).error_code(), "exists");
  EXPECT_EQ(client_->call("POST", path, R"({"reason":"x"})", admin()).error_code(), "invalid_argument");
  EXPECT_EQ(client_->get(path, admin()).json().at("items").as_array().size(), 1u);
  EXPECT_EQ(client_->call("DELETE", path + "/" + thumbprint, "", admin()).status, 204);
  EXPECT_FALSE(hub_settings_.of("picket")->has_revoked(thumbprint));
}

TEST_F(ApiTest, ACountryTableIsTakenWholeOrNotAtAll) {
  start();
  const std::string path = "/api/v1/intelligence/country";
  const std::string csv = "192.0.2.0/24,DE,64500\n2001:db8::/32,BR\n";
  EXPECT_EQ(client_->call("PUT", path, csv, bearer(state::Role::contributor)).error_code(), "denied");
  const Reply wrong = client_->call("PUT", path, csv + "nonsense,DE\n", admin());
  EXPECT_EQ(wrong.error_code(), "invalid_argument");
  EXPECT_THAT(wrong.body, HasSubstr("line 3"));
  EXPECT_TRUE(intelligence_.put.empty());
  const Reply done = client_->call("PUT", path, csv, admin());
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json().at("entries").as_int64(), 2);
  ASSERT_EQ(intelligence_.put.size(), 3u);
  EXPECT_EQ(intelligence_.put[0], "prefixes");
  EXPECT_EQ(intelligence_.put[2], csv);
  const Reply list = client_->get("/api/v1/intelligence", admin());
  EXPECT_EQ(list.json().at("items").at(0).at("version"), done.json().at("version"));
  EXPECT_EQ(outbox_->pending(100)->back().kind, "intelligence.set");
  EXPECT_EQ(client_->call("PUT", "/api/v1/intelligence/other", csv, admin()).error_code(), "not_found");
}

TEST_F(ApiTest, ALargeCountryTableFitsThroughTheDoor) {
  start();
  std::string csv;
  for (int i = 0; i < 100'000; ++i) {
    csv += std::to_string(1 + i / 65'536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
           ".0/24,DE,64500\n";
  }
  ASSERT_GT(csv.size(), 2'000'000u);
  EXPECT_EQ(client_->call("PUT", "/api/v1/intelligence/country", csv, admin()).status, 200);
  intelligence_.broken = true;
  EXPECT_EQ(client_->call("PUT", "/api/v1/intelligence/country", csv, admin()).error_code(), "busy");
}

}  // namespace
}  // namespace picket::api::testing
