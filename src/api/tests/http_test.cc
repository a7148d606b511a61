#include <future>
#include <latch>
#include <thread>

#include "fixture.h"
#include "net/listener.h"
#include "tls_client.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpTest : public ApiTest {
 protected:
  [[nodiscard]] std::unique_ptr<net::TestClient> connect() const {
    return net::TestClient::connect(server_->port(), {.ca_pem = identity_.ca_certificate_pem});
  }
  /// Sends bytes, returns what comes until the end or 5 s.
  [[nodiscard]] std::string exchange(std::string_view bytes) const {
    const auto client = connect();
    if (!client || !client->send(as_bytes(bytes))) return {};
    std::string out;
    while (const auto byte = client->receive(1)) out.append(as_text(*byte));
    return out;
  }
};

// RFC 9112, section 3.2.2: a server takes the absolute form too.
TEST_F(HttpTest, TheAbsoluteFormOfATargetIsTaken) {
  start();
  EXPECT_THAT(exchange("GET http://x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTest, WhatIsNotHttpIsAnsweredAndClosed) {
  start();
  for (const auto* bytes :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"}) {
    EXPECT_THAT(exchange(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
  EXPECT_THAT(exchange("GET / HTTP/3.0\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
}

TEST_F(HttpTest, AmbiguousLengthsAreNotGuessed) {
  start();
  EXPECT_THAT(
      exchange(
          "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(exchange("POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpTest, OtherCodingsThanChunkedAreNotGuessed) {
  start();
  const std::string next = "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const std::string framing :
       {"Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n", "Transfer-Encoding: \r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Content-Length: 0, 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    const std::string answer = exchange("POST /api/v1/query HTTP/1.1\r\nHost: x\r\n" + framing + next);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << framing;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "nothing behind it is taken for a request: " << framing;
  }
  EXPECT_THAT(exchange("POST /api/v1/query HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpTest, AChunkThatNeverSaysItsSizeIsCutOff) {
  start();
  const auto client = connect();
  const std::string head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;";
  ASSERT_TRUE(client->send(as_bytes(head)));
  const std::string extension(64 * 1024, 'a');
  int sent = 0;
  while (sent < 1000 && client->send(as_bytes(extension))) ++sent;
  EXPECT_LT(sent, 1000) << "else it is kept in memory, as much as a stranger likes";
}

TEST_F(HttpTest, SlowQueriesHoldUpNothingElse) {
  std::latch asked(1);
  std::promise<void> go_on;
  workspace_.answer = [&](const workspace::QueryRequest&) {
    asked.count_down();
    go_on.get_future().wait();
    return workspace::QueryOutcome(workspace::QueryResult{});
  };
  start({.workers = 1, .query_workers = 1});
  const std::jthread caller([this] { client_->call("POST", "/api/v1/query", R"({"query":"T | count"})", admin()); });
  asked.wait();
  EXPECT_EQ(client_->get("/api/v1/me", admin()).status, 200);
  EXPECT_EQ(client_->get("/").status, 200);
  go_on.set_value();
}

TEST_F(HttpTest, SizesAreHeldOnBothSides) {
  start();
  const auto with_header = [](std::size_t bytes) {
    return "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Fill: " + std::string(bytes, 'a') + "\r\n\r\n";
  };
  EXPECT_THAT(exchange(with_header(15'000)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(exchange(with_header(17'000)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 414 "));
  EXPECT_EQ(client_->call("POST", "/api/v1/query", std::string((1U << 20) + 1, ' '), admin()).status, 413);
  EXPECT_EQ(client_->call("POST", "/api/v1/query", std::string(1U << 20, ' '), admin()).status, 400)
      << "read as a whole, and no JSON";
}

TEST_F(HttpTest, RequestsInOneGoAreAnsweredInOrder) {
  start();
  const std::string one = "GET /assets/app-1a2b.js HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answer =
      exchange(one + one + "GET /assets/nothing.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t first = answer.find("HTTP/1.1 200 ");
  const std::size_t second = answer.find("HTTP/1.1 200 ", first + 1);
  EXPECT_EQ(first, 0u);
  EXPECT_LT(second, answer.find("HTTP/1.1 404 "));
}

TEST_F(HttpTest, AHeaderThatNeverEndsIsCutOff) {
  start({.header_timeout = Duration::milliseconds(200)});
  const auto client = connect();
  ASSERT_TRUE(client->send(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n")));
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_EQ(client_->get("/").status, 200) << "others are served";
}

TEST_F(HttpTest, ABodyThatNeverComesIsCutOff) {
  start({.body_timeout = Duration::milliseconds(200)});
  const auto client = connect();
  ASSERT_TRUE(client->send(as_bytes("POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")));
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HttpTest, AnIdleConnectionIsClosed) {
  start({.idle_timeout = Duration::milliseconds(200)});
  const auto client = connect();
  ASSERT_TRUE(client->send(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HttpTest, ContinueIsSaidBeforeTheBody) {
  start();
  const auto client = connect();
  ASSERT_TRUE(client->send(
      as_bytes("POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")));
  const auto told = client->receive(25);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(as_text(*told), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_F(HttpTest, EveryAnswerCarriesTheSecurityHeaders) {
  start();
  for (const auto* path : {"/", "/api/v1/me", "/nothing.txt"}) {
    const Reply reply = client_->get(path);
    EXPECT_THAT(reply.header("content-security-policy"), HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_THAT(reply.header("content-security-policy"), HasSubstr("script-src 'self';")) << path;
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.header("referrer-policy"), "no-referrer");
    EXPECT_THAT(reply.header("strict-transport-security"), HasSubstr("max-age="));
  }
}

TEST_F(HttpTest, NoPathLeavesThePortalsFolder) {
  start();
  for (const auto* path :
       {"/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt", "//secret.txt", "/.%00./secret.txt", "/..%5csecret.txt"}) {
    const Reply reply = client_->get(path);
    EXPECT_TRUE(reply.status == 404 || reply.body == "<!doctype html>portal") << path;
    EXPECT_THAT(reply.body, ::testing::Not(HasSubstr("not for the world"))) << path;
  }
}

TEST_F(HttpTest, PagesOfThePortalGetItsIndexAndAssetsLastForEver) {
  start();
  const Reply page = client_->get("/devices/press-17");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<!doctype html>portal");
  EXPECT_EQ(page.header("cache-control"), "no-cache");
  const Reply again = client_->call("GET", "/", "", {}, {"If-None-Match: " + page.header("etag")});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  const Reply asset = client_->get("/assets/app-1a2b.js");
  EXPECT_THAT(asset.header("cache-control"), HasSubstr("immutable"));
  EXPECT_THAT(asset.header("content-type"), StartsWith("text/javascript"));
  EXPECT_EQ(client_->call("HEAD", "/", "").body, "");
  EXPECT_EQ(client_->call("POST", "/", "{}").status, 405);
  EXPECT_EQ(client_->get("/devices/press.17").body, "<!doctype html>portal") << "ids may hold dots";
  EXPECT_EQ(client_->get("/assets/app.js").status, 404) << "an old name must not be answered with a page";
  EXPECT_EQ(client_->get("/api/v2/me").status, 404) << "no page of the portal below /api";
}

TEST_F(HttpTest, LargeTextsAreCompressedForThoseWhoTakeIt) {
  const std::string text(100'000, 'x');
  write("portal/assets/large-1a2b.js", text);
  start();
  const auto get = [this](const char* accept) {
    return client_->call("GET", "/assets/large-1a2b.js", "", {}, {std::string("Accept-Encoding: ") + accept});
  };
  for (const auto* accept : {"gzip", "deflate, GZIP;q=0.5", "*"}) {
    const Reply reply = get(accept);
    EXPECT_EQ(reply.header("content-encoding"), "gzip") << accept;
    EXPECT_LT(reply.body.size(), 1000u);
    EXPECT_THAT(reply.body, StartsWith("\x1f\x8b"));
  }
  for (const auto* accept : {"br", "gzip;q=0", "gzip;q=0.0, br"}) {
    const Reply reply = get(accept);
    EXPECT_EQ(reply.header("content-encoding"), "") << accept;
    EXPECT_EQ(reply.header("vary"), "Accept-Encoding");
    EXPECT_EQ(reply.body, text);
  }
}

TEST_F(HttpTest, StrangersCannotTakeEveryConnection) {
  // Whoever was given a public file is still a stranger: the oldest of them makes room.
  start();
  std::vector<std::unique_ptr<net::TestClient>> strangers;
  for (int i = 0; i < 20; ++i) {
    strangers.push_back(connect());
    ASSERT_TRUE(strangers.back()->send(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    ASSERT_TRUE(strangers.back()->receive(12));
  }
  double unauthenticated = 0;
  for (const auto& [name, value] : server_->counters().counters) {
    if (name == "connections_unauthenticated") unauthenticated = value;
  }
  EXPECT_GE(unauthenticated, 20);
  EXPECT_GT(ServerOptions{}.connections_max, net::ListenerOptions{}.unauthenticated_max);
}

TEST_F(HttpTest, MetricsNeedACallerAndAreTextForPrometheus) {
  start();
  EXPECT_EQ(client_->get("/metrics").status, 401);
  const Reply reply = client_->get("/metrics", bearer(state::Role::reader));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("picket_hub_connections 3\n"));
  EXPECT_THAT(reply.body, HasSubstr("picket_api_requests 2\n"));
}

}  // namespace
}  // namespace picket::api::testing
