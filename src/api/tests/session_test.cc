#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ApiTest, SignInGivesASessionCookieThatScriptsAndOtherSitesCannotUse) {
  start();
  const Reply reply = sign_in("viewer", secret_of("viewer"));
  ASSERT_EQ(reply.status, 200);
  for (const auto* part : {"HttpOnly", "Secure", "SameSite=Strict", "Path=/api"})
    EXPECT_THAT(reply.header("set-cookie"), HasSubstr(part));
  EXPECT_EQ(reply.json().at("role").as_string(), "Reader");
  const Reply me = client_->get("/api/v1/me", session_of(reply));
  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(me.json().at("user").as_string(), "viewer");
  EXPECT_EQ(me.json().at("csrf_token").as_string(), std::string_view(session_of(reply).csrf));
}

TEST_F(ApiTest, UnknownUserAndWrongSecretLookTheSame) {
  start();
  const Reply unknown = sign_in("nobody", "x");
  const Reply wrong = sign_in("viewer", "x");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.body, wrong.body);
}

TEST_F(ApiTest, TenFailuresInFiveMinutesMakeAnAddressWait) {
  start();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sign_in("viewer", "wrong").status, 401);
  const Reply reply = sign_in("editor", secret_of("editor"));
  EXPECT_EQ(reply.status, 429);
  EXPECT_GT(std::stoi(reply.header("retry-after")), 0);
  clock_.advance(Duration::minutes(5));
  EXPECT_EQ(sign_in("editor", secret_of("editor")).status, 200);
}

TEST_F(ApiTest, AttemptsByBearerCountToo) {
  start();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client_->get("/api/v1/me", {.bearer = "viewer:wrong"}).status, 401);
  EXPECT_EQ(sign_in("viewer", secret_of("viewer")).status, 429);
}

TEST_F(ApiTest, SignInNeverAdoptsTheSessionThatTheBrowserBrought) {
  start();
  const Credentials planted = session_of(sign_in("viewer", secret_of("viewer")));
  const Reply reply = sign_in("root", secret_of("root"), planted);
  EXPECT_NE(session_of(reply).cookie, planted.cookie);
  EXPECT_EQ(client_->get("/api/v1/me", planted).status, 401) << "the planted session has ended";
  const Credentials invented{.cookie = std::string(64, 'a')};
  EXPECT_NE(session_of(sign_in("root", secret_of("root"), invented)).cookie, invented.cookie);
}

TEST_F(ApiTest, UnsafeMethodsOfASessionNeedItsOwnCsrfToken) {
  start();
  const Credentials mine = session_of(sign_in("editor", secret_of("editor")));
  const Credentials other = session_of(sign_in("editor", secret_of("editor")));
  const std::string body = R"({"deviceId":"d1"})";
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", body, {.cookie = mine.cookie}).error_code(), "csrf");
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", body, {.cookie = mine.cookie, .csrf = other.csrf}).error_code(),
            "csrf");
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", body, mine).status, 201);
}

TEST_F(ApiTest, BodiesThatAFormCouldSendAreRefused) {
  start();
  const Credentials mine = session_of(sign_in("editor", secret_of("editor")));
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", "", mine, {"Content-Type: text/plain"}).status, 415);
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", "{", mine).error_code(), "invalid_json");
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", R"({"deviceId":"a","nope":1})", mine)
                .json()
                .at("error")
                .at("target")
                .as_string(),
            "nope");
}

TEST_F(ApiTest, SessionsEndTwelveHoursAfterTheirLastUseAndAfterSevenDays) {
  start();
  const Credentials mine = session_of(sign_in("viewer", secret_of("viewer")));
  for (int i = 0; i < 3; ++i) {
    clock_.advance(Duration::hours(11));
    EXPECT_EQ(client_->get("/api/v1/me", mine).status, 200) << i;
  }
  clock_.advance(Duration::hours(13));
  EXPECT_EQ(client_->get("/api/v1/me", mine).status, 401);
  const Credentials busy = session_of(sign_in("viewer", secret_of("viewer")));
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(client_->get("/api/v1/me", busy).status, 200) << i;
    clock_.advance(Duration::hours(11));
  }
  clock_.advance(Duration::hours(4));
  EXPECT_EQ(client_->get("/api/v1/me", busy).status, 401);
}

TEST_F(ApiTest, SignOutEndsTheSession) {
  start();
  const Credentials mine = session_of(sign_in("viewer", secret_of("viewer")));
  const Reply out = client_->call("POST", "/api/v1/sign-out", "", mine);
  EXPECT_EQ(out.status, 204);
  EXPECT_THAT(out.header("set-cookie"), HasSubstr("Max-Age=0"));
  EXPECT_EQ(client_->get("/api/v1/me", mine).status, 401);
}

TEST_F(ApiTest, ChangingTheSecretEndsTheOtherSessionsOnly) {
  start();
  const Credentials mine = session_of(sign_in("viewer", secret_of("viewer")));
  const Credentials other = session_of(sign_in("viewer", secret_of("viewer")));
  const auto change = [&](std::string_view now, std::string_view next) {
    return client_->call("POST", "/api/v1/me/secret",
                         R"({"secret":")" + std::string(now) + R"(","new_secret":")" + std::string(next) + R"("})",
                         mine);
  };
  EXPECT_EQ(change("wrong", "long-enough-secret").status, 401);
  EXPECT_EQ(change(secret_of("viewer"), "short").status, 400);
  EXPECT_EQ(change(secret_of("viewer"), "long-enough-secret").status, 204);
  EXPECT_EQ(client_->get("/api/v1/me", mine).status, 200);
  EXPECT_EQ(client_->get("/api/v1/me", other).status, 401);
  EXPECT_EQ(sign_in("viewer", secret_of("viewer")).status, 401);
  EXPECT_EQ(client_->get("/api/v1/me", {.bearer = "viewer:" + secret_of("viewer")}).status, 401)
      << "also where it was known to be right";
  EXPECT_EQ(sign_in("viewer", "long-enough-secret").status, 200);
}

TEST_F(ApiTest, FirstSecretsWorkOnceMadeAndAreNotMadeAgain) {
  const std::string folder = folder_ + "/fresh";
  std::filesystem::create_directories(folder);
  auto database = state::Database::open(folder + "/state.sqlite").value();
  state::Users users(*database);
  EXPECT_EQ(make_first_secrets(users, folder, kCheap, clock_.now()), true);
  EXPECT_EQ(make_first_secrets(users, folder, kCheap, clock_.now()), false);
  std::ifstream secret_file(folder + "/first-sign-in");
  std::string secret;
  std::getline(secret_file, secret);
  EXPECT_EQ(secret.size(), 19u);
  EXPECT_TRUE(verify_secret(secret, users.find("admin")->secret_hash));
  EXPECT_FALSE(verify_secret(secret + "x", users.find("admin")->secret_hash));
  std::ifstream token_file(folder + "/cli-token");
  std::string token;
  std::getline(token_file, token);
  EXPECT_EQ(users.find_token(token_hash(token), clock_.now())->user, "local");
  EXPECT_FALSE(verify_secret("none", users.find("local")->secret_hash)) << "nobody signs in as local";
  std::filesystem::remove(folder + "/cli-token");
  EXPECT_EQ(make_first_secrets(users, folder, kCheap, clock_.now()), false);
  EXPECT_TRUE(std::filesystem::exists(folder + "/cli-token")) << "a lost token is made anew";
}

TEST_F(ApiTest, TheLastAdminStays) {
  start();
  EXPECT_EQ(client_->call("DELETE", "/api/v1/users/root", "", admin()).error_code(), "last_admin");
  EXPECT_EQ(client_->call("POST", "/api/v1/users", R"({"user":"second","role":"Admin"})", admin()).status, 201);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/users/root", "", admin()).status, 204);
  EXPECT_EQ(client_->get("/api/v1/me", admin()).status, 401);
}

TEST_F(ApiTest, ChangesAndDeniedCallsAreInTheAuditRecord) {
  start();
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", R"({"deviceId":"d1"})", bearer(state::Role::contributor)).status,
            201);
  EXPECT_EQ(client_->get("/api/v1/devices/d1/connection-string", admin()).status, 200);
  EXPECT_EQ(client_->get("/api/v1/users", bearer(state::Role::reader)).status, 403);
  const Reply page = client_->get("/api/v1/audit?limit=3", admin());
  ASSERT_EQ(page.status, 200);
  std::vector<std::string> seen;
  for (const auto& item : page.json().at("items").as_array())
    seen.push_back(std::string(item.at("user").as_string()) + " " + std::string(item.at("action").as_string()));
  EXPECT_THAT(seen, ::testing::ElementsAre("viewer session.denied", "root key.read", "editor device.create"));
  const Reply next =
      client_->get("/api/v1/audit?limit=4&cursor=" + std::string(page.json().at("next_cursor").as_string()), admin());
  EXPECT_EQ(next.json().at("items").as_array().size(), 4u) << "the fixture made a hub and three users";
  EXPECT_FALSE(next.json().as_object().contains("next_cursor"));
}

}  // namespace
}  // namespace picket::api::testing
