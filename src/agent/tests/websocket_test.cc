#include "websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_head.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;

Buffer bytes_of(std::initializer_list<int> values, std::string_view text = {}) {
  Buffer out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  append(out, as_bytes(text));
  return out;
}

/// All data of a stream of frames.
Result<std::string> data_of(Buffer frames) {
  WebSocketDecoder decoder;
  TRY(const auto decoded, decoder.decode(frames));
  return std::string(as_text(Bytes(frames).first(decoded.bytes)));
}

std::string refusal(Buffer frames) {
  const auto out = data_of(std::move(frames));
  return out ? "taken: " + *out : std::string(out.error().where);
}

TEST(WebSocket, ReadsFramesHoweverTheyAreCut) {
  Buffer whole = bytes_of({0x02, 3}, "abc");
  append(whole, bytes_of({0x89, 2}, "hi"));
  append(whole, bytes_of({0x80, 0}));
  append(whole, bytes_of({0x82, 126, 0, 200}, std::string(200, 'z')));
  const std::string expected = "abc" + std::string(200, 'z');
  EXPECT_EQ(data_of(whole).value(), expected);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    WebSocketDecoder decoder;
    Buffer first(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    Buffer second(whole.begin() + static_cast<std::ptrdiff_t>(cut), whole.end());
    const auto a = decoder.decode(first), b = decoder.decode(second);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(std::string(as_text(Bytes(first).first(a->bytes))) + std::string(as_text(Bytes(second).first(b->bytes))),
              expected)
        << cut;
    EXPECT_EQ(a->ping.has_value() + b->ping.has_value(), 1) << cut;
  }
}

TEST(WebSocket, ReadsNothingBehindAClose) {
  WebSocketDecoder decoder;
  Buffer frames = bytes_of({0x82, 1}, "a");
  append(frames, bytes_of({0x88, 2, 3, 232}));
  append(frames, bytes_of({0x82, 1}, "b"));
  const auto decoded = decoder.decode(frames);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->closed);
  EXPECT_EQ(as_text(Bytes(frames).first(decoded->bytes)), "a");
}

TEST(WebSocket, RefusesWhatAServerMustNotSend) {
  EXPECT_EQ(refusal(bytes_of({0x82, 0x81, 0, 0, 0, 0}, "a")), "websocket.masked");
  EXPECT_EQ(refusal(bytes_of({0xc2, 0})), "websocket.reserved");
  EXPECT_EQ(refusal(bytes_of({0x83, 0})), "websocket.opcode");
  EXPECT_EQ(refusal(bytes_of({0x81, 1}, "a")), "websocket.text");
  EXPECT_EQ(refusal(bytes_of({0x80, 0})), "websocket.continuation");
  EXPECT_EQ(refusal(bytes_of({0x02, 0, 0x82, 0})), "websocket.continuation");
  EXPECT_EQ(refusal(bytes_of({0x09, 0})), "websocket.control");
  EXPECT_EQ(refusal(bytes_of({0x89, 126, 0, 126})), "websocket.control");
  EXPECT_EQ(refusal(bytes_of({0x82, 126, 0, 125})), "websocket.length");
  EXPECT_EQ(refusal(bytes_of({0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255})), "websocket.length");
  EXPECT_EQ(refusal(bytes_of({0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0})), "websocket.length");
}

TEST(WebSocket, MasksWhatItSends) {
  const std::array<std::byte, 4> mask{std::byte{1}, std::byte{2}, std::byte{4}, std::byte{8}};
  Buffer out;
  append_websocket_frame(out, WsOpcode::binary, as_bytes("\0\0\0\0\0"), mask);
  EXPECT_EQ(out, bytes_of({0x82, 0x80, 1, 2, 4, 8}));
  for (const auto& [length, header_bytes] : {std::pair(125U, 2U), {126U, 4U}, {65'535U, 4U}, {65'536U, 10U}}) {
    Buffer frame;
    append_websocket_frame(frame, WsOpcode::binary, Buffer(length), mask);
    EXPECT_EQ(frame.size(), length + header_bytes + 4) << length;
  }
}

TEST(WebSocket, ProvesTheHandshakeByTheExampleOfTheStandard) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, SaysWhyAHandshakeFailed) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const std::string good =
      "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
      "Sec-WebSocket-Protocol: mqtt\r\n";
  EXPECT_FALSE(websocket_refusal(good + "\r\n", key));
  EXPECT_THAT(*websocket_refusal("HTTP/1.1 404 Not Found\r\n\r\n", key), HasSubstr("404 Not Found"));
  EXPECT_THAT(*websocket_refusal(good + "\r\n", "b3RoZXI="), HasSubstr("wrong"));
  EXPECT_THAT(*websocket_refusal(good + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", key),
              HasSubstr("extension"));
  EXPECT_THAT(*websocket_refusal("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                                 key),
              HasSubstr("not MQTT"));
}

TEST(HttpHead, AsksForMoreUntilTheEmptyLine) {
  const std::string whole = "HTTP/1.1 200 Fine, thanks\r\nA: 1\r\nb:2 \r\n\r\nrest";
  for (std::size_t n = 0; n < whole.size() - 4; ++n) {
    const auto parsed = parse_http_head(std::string_view(whole).substr(0, n));
    ASSERT_TRUE(parsed) << n;
    EXPECT_FALSE(*parsed) << n;
  }
  const auto parsed = parse_http_head(whole);
  ASSERT_TRUE(parsed && *parsed);
  EXPECT_EQ((*parsed)->status, 200);
  EXPECT_EQ((*parsed)->reason, "Fine, thanks");
  EXPECT_EQ((*parsed)->field("B"), "2");
  EXPECT_EQ((*parsed)->field("c"), "");
  EXPECT_EQ(whole.substr((*parsed)->bytes), "rest");
}

TEST(HttpHead, HasABound) {
  const std::string begin = "HTTP/1.1 200 OK\r\nA: ";
  const std::string fits = begin + std::string(kHttpHeadBytesMax - begin.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_TRUE(parse_http_head(fits).value().has_value());
  const auto too_long = parse_http_head(begin + std::string(kHttpHeadBytesMax, 'x') + "\r\n\r\n");
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::limit_exceeded);
}

TEST(HttpHead, RefusesOtherProtocols) {
  for (const char* text : {"SSH-2.0", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 A\r\n\r\n", "HTTP/1.1 099 A\r\n\r\n",
                           "HTTP/1.1\r\n\r\n", "HTTP/1.1 2000\r\n\r\n"}) {
    EXPECT_FALSE(parse_http_head(text)) << text;
  }
}

}  // namespace
}  // namespace picket::agent
