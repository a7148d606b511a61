#include "http/connection.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/random.h"
#include "http/file_body.h"
#include "http/websocket_codec.h"
#include "http/websocket_stream.h"
#include "tls_client.h"

namespace picket::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Echoes what a stream carries, in the same pieces, until it ends.
asio::awaitable<void> echo(net::Connection connection) {
  std::array<std::byte, 7> piece{};
  for (;;) {
    const auto got = co_await connection.stream->read_some(piece);
    if (!got) co_return;
    const auto written = co_await connection.stream->write(Bytes(piece).first(*got));
    if (!written) co_return;
  }
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    settings_.answer = [this](Request& request, ConnectionInfo& connection) { return answer(request, connection); };
    settings_.accept = [this](Request& head, ConnectionInfo& connection) { return accept(head, connection); };
    listener_ = net::Listener::open(threads_, {.address = "127.0.0.1"}, nullptr, [this](net::Connection connection) {
                  return serve(settings_, std::move(connection));
                }).value();
  }
  ~ConnectionTest() override {
    listener_->stop();
    workers_.stop();
    threads_.stop();
    ::unlink(file_.c_str());
  }

  asio::awaitable<Response> answer(Request& request, ConnectionInfo& connection) {
    if (request.path == "/ws") co_return upgrade(request, protocols_);
    if (request.path == "/file") {
      auto response = Response::empty(200);
      auto file = open_file(file_, O_RDONLY).value();
      response.source = file_source(workers_, connection.stream.executor(), std::move(file), 0, request.path.size());
      co_return response;
    }
    if (request.path == "/large") {
      auto& sink = static_cast<FileSink&>(*request.sink);
      co_return Response::text(201, std::to_string(sink.size()) + "/" + std::to_string(request.body_bytes),
                               "text/plain");
    }
    co_return Response::text(200, request.method + " " + request.path + " " + request.body, "text/plain");
  }

  asio::awaitable<std::expected<BodyPlan, Response>> accept(Request& head, ConnectionInfo& connection) {
    if (head.path == "/unwanted") co_return std::unexpected(Response::empty(403));
    if (head.path != "/large") co_return BodyPlan{.bytes_max = 1000};
    auto file = open_file(file_, O_RDWR | O_CREAT | O_TRUNC).value();
    co_return BodyPlan{.bytes_max = 64U << 20,
                       .sink = std::make_shared<FileSink>(workers_, connection.stream.executor(), std::move(file))};
  }

  std::unique_ptr<net::TestClient> connect() { return net::TestClient::connect(listener_->port(), {.tls = false}); }
  /// Sends bytes, returns what comes until the end.
  std::string exchange(std::string_view bytes) {
    const auto client = connect();
    if (!client || !client->send(as_bytes(bytes))) return {};
    std::string out;
    while (const auto byte = client->receive(1)) out.append(as_text(*byte));
    return out;
  }
  static std::string take(net::TestClient& client, std::size_t n) {
    const auto bytes = client.receive(n);
    return bytes ? std::string(as_text(*bytes)) : "closed";
  }
  /// Through the head of a response.
  static std::string take_head(net::TestClient& client) {
    std::string out;
    while (!out.ends_with("\r\n\r\n")) {
      const auto byte = client.receive(1);
      if (!byte) return "closed after " + out;
      out.append(as_text(*byte));
    }
    return out;
  }
  std::unique_ptr<net::TestClient> websocket(std::string_view behind = "") {
    auto client = connect();
    const std::string request =
        "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: echo\r\n\r\n";
    EXPECT_TRUE(client->send(as_bytes(request + std::string(behind))));
    EXPECT_THAT(take_head(*client), StartsWith("HTTP/1.1 101 "));
    return client;
  }
  static Buffer frame(Opcode opcode, std::string_view payload, bool final = true) {
    Buffer out;
    append_client_frame(out, opcode, as_bytes(payload), final,
                        {std::byte{9}, std::byte{8}, std::byte{7}, std::byte{6}});
    return out;
  }

  std::string file_ = testing::TempDir() + "/http-" + random_uuid();
  net::IoThreads threads_{2};
  Workers workers_{2, 16};
  Counters counters_;
  Settings settings_{.counters = counters_, .headers = "X-All: 1\r\n"};
  std::vector<WebSocketProtocol> protocols_{{"echo", echo}};
  std::unique_ptr<net::Listener> listener_;
};

TEST_F(ConnectionTest, RequestsInOneGoAreAnsweredInOrder) {
  const std::string answers = exchange(
      "GET /one HTTP/1.1\r\nHost: h\r\n\r\nPOST /two HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\nHEAD /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answers, HasSubstr("X-All: 1\r\n"));
  EXPECT_LT(answers.find("GET /one "), answers.find("POST /two abc"));
  EXPECT_THAT(answers, testing::EndsWith("Connection: close\r\n\r\n")) << "HEAD has no body";
}

TEST_F(ConnectionTest, ABodyThatIsNotWantedIsRefusedBeforeItComes) {
  const auto client = connect();
  ASSERT_TRUE(client->send(
      as_bytes("PUT /unwanted HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n")));
  EXPECT_THAT(take_head(*client), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(ConnectionTest, ContinueIsSaidOnceTheBodyIsWanted) {
  const auto client = connect();
  ASSERT_TRUE(client->send(as_bytes("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")));
  EXPECT_EQ(take(*client, 25), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client->send(as_bytes("ab")));
  EXPECT_THAT(take_head(*client), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ConnectionTest, LargeBodiesGoIntoAFile) {
  const std::string body(3'000'000, 'b');
  const std::string answer =
      exchange("PUT /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3000000\r\n\r\n" + body);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer, HasSubstr("3000000/3000000"));
  EXPECT_EQ(read_file(file_, 4'000'000).value(), body);
}

TEST_F(ConnectionTest, LargeAnswersComeFromAFile) {
  ASSERT_TRUE(replace_file(file_, as_bytes("12345 and more")));
  const std::string answer = exchange("GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n12345"));
}

TEST_F(ConnectionTest, BodiesOverTheirLimitAre413) {
  EXPECT_THAT(exchange("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      exchange("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(ConnectionTest, SlowHeadersAndBodiesAreCutOff) {
  settings_.limits.header_timeout = Duration::milliseconds(100);
  settings_.limits.body_timeout = Duration::milliseconds(100);
  for (const auto* bytes :
       {"GET / HTTP/1.1\r\nHost: h\r\n", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\na"}) {
    const auto client = connect();
    ASSERT_TRUE(client->send(as_bytes(bytes)));
    EXPECT_TRUE(client->closed_by_peer()) << bytes;
  }
  EXPECT_EQ(counters_.timeouts, 2u);
}

TEST_F(ConnectionTest, AWebSocketIsAStreamOfBytes) {
  const auto client = websocket(as_text(frame(Opcode::binary, "early")));
  EXPECT_EQ(take(*client, 7),
            "\x82\x05"
            "early")
      << "sent behind the handshake, in one go";
  Buffer out = frame(Opcode::binary, "ab", false);
  append(out, frame(Opcode::continuation, "cde"));
  ASSERT_TRUE(client->send(out));
  EXPECT_EQ(take(*client, 7),
            "\x82\x05"
            "abcde")
      << "frames of the client mean nothing";
}

TEST_F(ConnectionTest, AWebSocketAnswersPingsAndItsEnd) {
  const auto client = websocket();
  ASSERT_TRUE(client->send(frame(Opcode::ping, "still?")));
  EXPECT_EQ(take(*client, 8),
            "\x8a\x06"
            "still?");
  ASSERT_TRUE(client->send(frame(Opcode::close, "\x03\xe8 bye")));
  EXPECT_EQ(take(*client, 4), "\x88\x02\x03\xe8");
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(ConnectionTest, AWebSocketThatBreaksTheRulesIsToldSo) {
  const auto client = websocket();
  ASSERT_TRUE(client->send(as_bytes("\x82\x01x")));
  EXPECT_EQ(take(*client, 4), "\x88\x02\x03\xea") << "1002: not masked";
  EXPECT_TRUE(client->closed_by_peer());
}

}  // namespace
}  // namespace picket::http
