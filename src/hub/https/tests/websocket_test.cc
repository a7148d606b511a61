#include "http/websocket_codec.h"
#include "https_fixture.h"

namespace picket::hub {
namespace {

/// Answers each byte with its successor: proof that a protocol of bytes runs inside.
boost::asio::awaitable<void> successor(net::Connection connection) {
  std::array<std::byte, 16> piece{};
  for (;;) {
    const auto got = co_await connection.stream->read_some(piece);
    if (!got) co_return;
    for (std::byte& b : std::span(piece).first(*got)) b = static_cast<std::byte>(std::to_integer<int>(b) + 1);
    const auto written = co_await connection.stream->write(Bytes(piece).first(*got));
    if (!written) co_return;
  }
}

class HttpsWebSocket : public HttpsTest {
 protected:
  void add(HttpsHeadNeeds& needs) override { needs.websocket = {{"mqtt", successor}, {"AMQPWSB10", successor}}; }
  std::unique_ptr<net::TestClient> upgrade(std::string_view path, std::string_view protocol, int status = 101) {
    auto client = net::TestClient::connect(head_->port());
    const Headers headers = {{"Upgrade", "websocket"},
                             {"Connection", "Upgrade"},
                             {"Sec-WebSocket-Version", "13"},
                             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                             {"Sec-WebSocket-Protocol", std::string(protocol)}};
    std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    EXPECT_TRUE(client->send(as_bytes(text + "\r\n")));
    EXPECT_EQ(read_reply(*client).status, status) << path;
    return client;
  }
  static std::string echoed(net::TestClient& client, std::string_view text) {
    Buffer frame;
    http::append_client_frame(frame, http::Opcode::binary, as_bytes(text), true, {std::byte{1}, std::byte{2}});
    client.send(frame);
    const auto answer = client.receive(2 + text.size());
    return answer ? std::string(as_text(*answer).substr(2)) : "closed";
  }
};

TEST_F(HttpsWebSocket, CarriesMqttAndAmqpOnThePathsOfTheSdks) {
  start();
  for (const auto* path : {"/$iothub/websocket", "/%24iothub/websocket",
                           "/$iothub/websocket?iothub-no-client-cert=true", "/:18883/$iothub/websocket", "/mqtt"}) {
    for (const auto* protocol : {"mqtt", "AMQPWSB10"})
      EXPECT_EQ(echoed(*upgrade(path, protocol), "HAL"), "IBM") << path;
  }
  EXPECT_EQ(head_->stats().websockets, 10u);
}

TEST_F(HttpsWebSocket, OtherPathsAndProtocolsAreRefused) {
  start();
  upgrade("/$iothub/other", "mqtt", 404);
  upgrade("/$iothub/websocket", "chat", 400);
}

TEST_F(HttpsWebSocket, EndsWithTheHead) {
  start();
  const auto client = upgrade("/$iothub/websocket", "mqtt");
  EXPECT_EQ(echoed(*client, "HAL"), "IBM");
  head_->stop();
  EXPECT_TRUE(client->closed_by_peer());
}

}  // namespace
}  // namespace picket::hub
