#include <gmock/gmock.h>

#include "provisioning_harness.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

using ServiceApiTest = ProvisioningHarness;
using testing::HasSubstr;
using testing::Not;

std::string body(const std::string& id, const std::string& more = "") {
  return R"({"registrationId":")" + id + R"(","attestation":{"type":"symmetricKey"})" + more + "}";
}

TEST_F(ServiceApiTest, PutGetAndDelete) {
  const auto made = enroll("dev-1", R"({"type":"symmetricKey"})", R"(,"deviceId":"d")");
  const auto got = call("GET", "/enrollments/dev%2D1");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, made);
  EXPECT_EQ(got.body.substr(0, 80),
            R"({"registrationId":"dev-1","deviceId":"d","attestation":{"type":"symmetricKey"},")");
  for (const auto* name :
       {"\"etag\":\"\\\"", "createdDateTimeUtc", "lastUpdatedDateTimeUtc", "\"provisioningStatus\":\"enabled\"",
        "\"capabilities\":{\"iotEdge\":false}", "\"allocationPolicy\":\"hashed\""}) {
    EXPECT_THAT(got.body, HasSubstr(name));
  }
  EXPECT_EQ(call("DELETE", "/enrollments/dev-1").status, 204);
  EXPECT_EQ(call("GET", "/enrollments/dev-1").status, 404);
  EXPECT_THAT(call("DELETE", "/enrollments/dev-1").body, HasSubstr("\"errorCode\":404201"));
}

TEST_F(ServiceApiTest, AChangeNeedsTheEtag) {
  const auto made = enroll("dev-1", R"({"type":"symmetricKey"})");
  const auto at = made.find(R"("etag":"\")") + 10;
  const auto etag = made.substr(at, made.find('\\', at) - at);
  EXPECT_EQ(call("PUT", "/enrollments/dev-1", body("dev-1")).status, 409);
  EXPECT_EQ(call("PUT", "/enrollments/dev-1", body("dev-1"), "\"other\"").status, 412);
  EXPECT_EQ(call("DELETE", "/enrollments/dev-1", "", "other").status, 412);
  const auto changed =
      call("PUT", "/enrollments/dev-1", body("dev-1", R"(,"provisioningStatus":"disabled")"), "\"" + etag + "\"");
  EXPECT_EQ(changed.status, 200);
  EXPECT_THAT(changed.body, HasSubstr("\"disabled\""));
  EXPECT_EQ(call("PUT", "/enrollments/dev-1", body("dev-1"), etag).status, 412) << "it has another now";
  EXPECT_EQ(call("PUT", "/enrollments/nobody", body("nobody"), "*").status, 404);
}

TEST_F(ServiceApiTest, KeysAreShownOnlyByTheirOwnCallAndThatIsRecorded) {
  enroll("dev-1", key_json(key, key2));
  EXPECT_THAT(call("GET", "/enrollments/dev-1").body, Not(HasSubstr(to_base64(key))));
  const auto shown = call("POST", "/enrollments/dev-1/attestationmechanism");
  EXPECT_EQ(shown.body, key_json(key, key2));
  const auto history = state::Outbox(*state).history(0, 10).value();
  EXPECT_EQ(history.front().kind, "key.read");
  EXPECT_THAT(history.front().body, HasSubstr(R"("actor":"admin","source":"192.0.2.1","object":"dev-1")"));
  EXPECT_THAT(history.front().body, Not(HasSubstr(to_base64(key))));
  enroll("g", key_json(key, key2), "", true);
  EXPECT_EQ(call("POST", "/enrollmentgroups/g/attestationmechanism").status, 200) << "the SDK writes it so";
}

TEST_F(ServiceApiTest, AChangeKeepsKeysThatItDoesNotName) {
  enroll("dev-1", key_json(key, key2));
  ASSERT_EQ(call("PUT", "/enrollments/dev-1", body("dev-1"), "*").status, 200);
  EXPECT_EQ(call("POST", "/enrollments/dev-1/attestationmechanism").body, key_json(key, key2));
}

TEST_F(ServiceApiTest, BulkDoesWhatItCanAndNamesTheRest) {
  const auto bulk = [&](const std::string& mode, const std::string& items) {
    return call("POST", "/enrollments", R"({"mode":")" + mode + R"(","enrollments":[)" + items + "]}");
  };
  EXPECT_EQ(bulk("create", body("a") + "," + body("b")).body, R"({"isSuccessful":true,"errors":[]})");
  const auto again = bulk("create", body("a") + "," + body("c"));
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr(R"({"isSuccessful":false,"errors":[{"registrationId":"a","errorCode":409201,)"));
  EXPECT_EQ(call("GET", "/enrollments/c").status, 200);
  EXPECT_THAT(bulk("update", body("b") + "," + body("x")).body,
              HasSubstr(R"("registrationId":"x","errorCode":404201)"));
  EXPECT_THAT(bulk("updateIfMatchEtag", body("b", R"(,"etag":"\"no\"")")).body, HasSubstr("412202"));
  EXPECT_EQ(bulk("delete", body("a") + "," + body("b") + "," + body("c")).body, R"({"isSuccessful":true,"errors":[]})");
  EXPECT_EQ(call("GET", "/enrollments/a").status, 404);
  EXPECT_EQ(bulk("destroy", body("a")).status, 400);
  EXPECT_THAT(bulk("create", "{}").body, HasSubstr("400004"));
  std::string many = body("n0");
  for (std::size_t i = 1; i <= kBulkEnrollmentsMax; ++i) many += "," + body("n" + std::to_string(i));
  EXPECT_EQ(bulk("create", many).status, 400);
}

TEST_F(ServiceApiTest, QueriesComeInPages) {
  for (const auto* id : {"a", "b", "c"}) enroll(id, R"({"type":"symmetricKey"})");
  const auto query = R"({"query":"SELECT * FROM enrollments"})";
  const auto first = call("POST", "/enrollments/query", query, "", 2);
  EXPECT_EQ(first.status, 200);
  EXPECT_THAT(first.body, HasSubstr(R"("registrationId":"a")"));
  EXPECT_THAT(first.body, Not(HasSubstr(R"("registrationId":"c")")));
  ASSERT_NE(first.continuation, "");
  const auto second = call("POST", "/enrollments/query", query, "", 2, first.continuation);
  EXPECT_THAT(second.body, HasSubstr(R"("registrationId":"c")"));
  EXPECT_EQ(second.continuation, "");
  EXPECT_EQ(call("POST", "/enrollmentGroups/query", R"({"query":"select *  from enrollmentgroups "})").body, "[]");
  EXPECT_EQ(call("POST", "/enrollments/query", R"({"query":"SELECT * FROM devices"})").status, 400);
  EXPECT_EQ(call("POST", "/enrollments/query", R"({"query":"SELECT * FROM enrollments; DROP TABLE x"})").status, 400);
  EXPECT_EQ(call("POST", "/enrollments/query", "{}").status, 400);
  EXPECT_EQ(call("POST", "/enrollments/query", query, "", 2, "!!").status, 400);
}

TEST_F(ServiceApiTest, RegistrationsAreReadListedAndRemoved) {
  enroll("fleet", key_json(key, key2), "", true);
  enroll("single", key_json(key, key2));
  for (const std::string id : {"dev-1", "dev-2"})
    provision(claim(id, token(id, from_base64(derived_key(key, id)).value())));
  provision(claim("single", token("single", key)));
  const auto one = call("GET", "/registrations/dev-1");
  EXPECT_EQ(member(one.body, "assignedHub"), "hub1.example:8883");
  EXPECT_EQ(member(one.body, "status"), "assigned");
  EXPECT_THAT(call("GET", "/enrollments/single").body, HasSubstr(R"("registrationState":{"registrationId":"single")"));
  const auto list = call("POST", "/registrations/fleet/query", R"({"query":"*"})");
  EXPECT_THAT(list.body, HasSubstr("dev-1"));
  EXPECT_THAT(list.body, HasSubstr("dev-2"));
  EXPECT_THAT(list.body, Not(HasSubstr("single")));
  EXPECT_EQ(call("DELETE", "/registrations/dev-1", "", "wrong").status, 412);
  EXPECT_EQ(call("DELETE", "/registrations/dev-1").status, 204);
  EXPECT_EQ(call("GET", "/registrations/dev-1").status, 404);
  EXPECT_EQ(call("DELETE", "/enrollments/single").status, 204);
  EXPECT_EQ(call("GET", "/registrations/single").status, 404) << "goes with its enrollment";
}

TEST_F(ServiceApiTest, TheIdInThePathIsTheIdInTheBody) {
  EXPECT_EQ(call("PUT", "/enrollments/a", body("b")).status, 400);
  EXPECT_EQ(call("PUT", "/enrollmentGroups/a", body("a")).status, 400);
}

TEST_F(ServiceApiTest, UnknownPathsAreNotFound) {
  for (const auto* path : {"/", "/enrollments", "/enrollments/a/b", "/registrations", "/x", "/enrollments/%"}) {
    EXPECT_EQ(call("GET", path).status, 404) << path;
  }
  EXPECT_EQ(call("PATCH", "/enrollments/a").status, 404);
}

TEST_F(ServiceApiTest, EverythingSurvivesARestart) {
  const auto made = enroll("dev-1", key_json(key, key2));
  restart();
  EXPECT_EQ(call("GET", "/enrollments/dev-1").body, made);
  EXPECT_TRUE(proves(claim("dev-1", token("dev-1", key))));
}

}  // namespace
}  // namespace picket::hub
