#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/websocket_stream.h"

namespace picket::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpMessage, NoHeaderValueBeginsAnotherLine) {
  Response response = Response::empty(200);
  response.headers = {{"X-Good", "1"}, {"X-Bad", "1\r\nSet-Cookie: a=b"}, {"X\nBad", "2"}};
  const std::string head = serialize_head(response, true, "");
  EXPECT_THAT(head, HasSubstr("X-Good: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(head, Not(HasSubstr("Bad")));
}

TEST(HttpMessage, FindsTokensInLists) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("mqtt", "mqtt"));
  EXPECT_FALSE(has_token("mqttv3.1, x-mqtt", "mqtt"));
  EXPECT_FALSE(has_token("", "mqtt"));
}

TEST(HttpMessage, WritesDatesAsHttpDoes) {
  EXPECT_EQ(format_http_date(Timestamp{784'111'777'000'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpMessage, DecodesQueries) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("a=b%20c&d=e+f&g&&h="), (Pairs{{"a", "b c"}, {"d", "e f"}, {"g", ""}, {"h", ""}}));
  EXPECT_EQ(parse_query("a=%zz"), std::nullopt);
  EXPECT_EQ(parse_query("a=%ff"), std::nullopt);
}

Request handshake() {
  Request request;
  request.method = "GET";
  request.path = "/$iothub/websocket";
  request.headers = {{"Host", "h"},
                     {"Upgrade", "websocket"},
                     {"Connection", "keep-alive, Upgrade"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Protocol", "other, mqtt"}};
  return request;
}
void set(Request& request, std::string_view name, std::string value) {
  for (auto& [key, old] : request.headers) {
    if (key == name) old = value;
  }
}
const std::vector<WebSocketProtocol> kOffered = {{"AMQPWSB10", {}}, {"mqtt", {}}};

TEST(WebSocketHandshake, AnswersTheExampleOfTheSpecification) {
  // RFC 6455, section 1.3.
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const Response response = upgrade(handshake(), kOffered);
  EXPECT_EQ(response.status, 101);
  EXPECT_TRUE(response.takeover != nullptr);
  const std::string head = serialize_head(response, false, "");
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Protocol: mqtt\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, Not(HasSubstr("Connection: close")));
}

TEST(WebSocketHandshake, RefusesWhatIsNone) {
  auto request = handshake();
  request.method = "POST";
  EXPECT_EQ(upgrade(request, kOffered).status, 400);
  for (const auto& [name, value] : std::vector<Header>{{"Connection", "close"},
                                                       {"Sec-WebSocket-Key", "short"},
                                                       {"Sec-WebSocket-Protocol", "chat"},
                                                       {"Upgrade", "h2c"}}) {
    request = handshake();
    set(request, name, value);
    EXPECT_EQ(upgrade(request, kOffered).status, 400) << name;
  }
  request = handshake();
  set(request, "Sec-WebSocket-Version", "8");
  const Response response = upgrade(request, kOffered);
  EXPECT_EQ(response.status, 426);
  EXPECT_THAT(serialize_head(response, false, ""), HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

}  // namespace
}  // namespace picket::http
