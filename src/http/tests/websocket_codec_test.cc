#include "http/websocket_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"

namespace picket::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::array<std::byte, 4> kMask = {std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};

Buffer hex(std::string_view text) {
  std::string packed;
  for (const char c : text) {
    if (c != ' ') packed += c;
  }
  return from_hex(packed).value();
}

Buffer client(Opcode opcode, std::string_view payload, bool final = true) {
  Buffer out;
  append_client_frame(out, opcode, as_bytes(payload), final, kMask);
  return out;
}

Buffer join(std::initializer_list<Buffer> parts) {
  Buffer out;
  for (const Buffer& part : parts) append(out, part);
  return out;
}

/// What a whole input decodes to, or where it broke.
struct Outcome {
  Decoded decoded;
  std::string broken;
};
Outcome decode(Bytes in) {
  WebSocketDecoder decoder;
  Outcome out;
  const auto fed = decoder.feed(in, out.decoded);
  if (!fed) out.broken = fed.error().where;
  return out;
}
std::string data_of(const Outcome& outcome) { return std::string(as_text(outcome.decoded.data)); }

TEST(WebSocketCodec, ReadsTheExampleOfTheSpecification) {
  // RFC 6455, section 5.7, as a binary message: "Hello" under its mask.
  EXPECT_EQ(data_of(decode(hex("82 85 37fa213d 7f9f4d5158"))), "Hello");
}

TEST(WebSocketCodec, JoinsFragmentsWithControlFramesBetween) {
  const auto outcome = decode(join({client(Opcode::binary, "one", false), client(Opcode::ping, "p"),
                                    client(Opcode::continuation, "", false), client(Opcode::continuation, "two")}));
  EXPECT_EQ(outcome.broken, "");
  EXPECT_EQ(data_of(outcome), "onetwo");
  EXPECT_THAT(outcome.decoded.controls, ElementsAre(ControlFrame{Opcode::ping, hex("70")}));
}

TEST(WebSocketCodec, CuttingDoesNotMatter) {
  const Buffer whole = join({client(Opcode::binary, std::string(300, 'x'), false), client(Opcode::ping, "abc"),
                             client(Opcode::continuation, "tail"), client(Opcode::close, "\x03\xe8")});
  const auto expected = decode(whole);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    WebSocketDecoder decoder;
    Decoded out;
    ASSERT_TRUE(decoder.feed(Bytes(whole).first(cut), out));
    ASSERT_TRUE(decoder.feed(Bytes(whole).subspan(cut), out));
    ASSERT_EQ(out.data, expected.decoded.data) << cut;
    ASSERT_EQ(out.controls, expected.decoded.controls) << cut;
    ASSERT_TRUE(decoder.closed());
  }
}

TEST(WebSocketCodec, RejectsWhatIsNotMasked) {
  EXPECT_EQ(decode(hex("82 05 48656c6c6f")).broken, "ws.frame.unmasked");
  EXPECT_EQ(decode(hex("89 00")).broken, "ws.frame.unmasked");
}

TEST(WebSocketCodec, RejectsExtensionsNobodyAgreedOn) {
  for (const auto* bytes : {"c2 80 00000000", "a2 80 00000000", "92 80 00000000"})
    EXPECT_EQ(decode(hex(bytes)).broken, "ws.frame.reserved") << bytes;
}

TEST(WebSocketCodec, RejectsUnknownOpcodes) {
  for (const auto* bytes : {"83 80 00000000", "87 80 00000000", "8b 80 00000000", "8f 80 00000000"})
    EXPECT_EQ(decode(hex(bytes)).broken, "ws.frame.opcode") << bytes;
}

TEST(WebSocketCodec, RejectsTextSinceNothingHereIsText) {
  EXPECT_EQ(decode(client(Opcode::text, "hello")).broken, "ws.frame.text");
}

TEST(WebSocketCodec, ControlFramesAreWholeAndShort) {
  EXPECT_EQ(decode(hex("09 80 00000000")).broken, "ws.frame.control") << "a fragment";
  EXPECT_EQ(decode(hex("89 fe 007e 00000000")).broken, "ws.frame.control") << "126 bytes";
  const std::string largest(kControlBytesMax, 'p');
  EXPECT_THAT(decode(client(Opcode::ping, largest)).decoded.controls, SizeIs(1));
}

TEST(WebSocketCodec, ContinuationsContinueAndBeginningsBegin) {
  EXPECT_EQ(decode(client(Opcode::continuation, "x")).broken, "ws.frame.continuation");
  EXPECT_EQ(decode(join({client(Opcode::binary, "a", false), client(Opcode::binary, "b")})).broken,
            "ws.frame.continuation");
  EXPECT_EQ(decode(join({client(Opcode::binary, "a"), client(Opcode::continuation, "b")})).broken,
            "ws.frame.continuation");
}

// CVE class "varint and length confusion": a length has one spelling, and none is negative.
TEST(WebSocketCodec, RejectsLengthsThatAreNotTheShortestForm) {
  EXPECT_EQ(decode(hex("82 fe 007d 00000000")).broken, "ws.frame.length") << "125 in two bytes";
  EXPECT_EQ(decode(hex("82 ff 000000000000ffff 00000000")).broken, "ws.frame.length") << "65535 in eight bytes";
  EXPECT_EQ(decode(hex("82 fe 007e 00000000")).broken, "") << "126 needs two bytes";
  EXPECT_EQ(decode(hex("82 ff 0000000000010000 00000000")).broken, "") << "65536 needs eight";
}

TEST(WebSocketCodec, RejectsALengthOf2To63AndAbove) {
  EXPECT_EQ(decode(hex("82 ff 8000000000000000 00000000")).broken, "ws.frame.length");
  EXPECT_EQ(decode(hex("82 ff ffffffffffffffff 00000000")).broken, "ws.frame.length");
}

// CVE-2026-25627 class: a length that promises more than follows must neither be allocated nor read past.
TEST(WebSocketCodec, AnAnnouncedLengthTakesNoMemory) {
  const auto outcome = decode(hex("82 ff 7fffffffffffffff 00000000 4142"));
  EXPECT_EQ(outcome.broken, "");
  EXPECT_EQ(data_of(outcome), "AB");
  EXPECT_LE(outcome.decoded.data.capacity(), 64u);
}

TEST(WebSocketCodec, NothingIsReadBehindAClose) {
  const auto outcome = decode(join({client(Opcode::close, "\x03\xe8 bye"), client(Opcode::binary, "late")}));
  EXPECT_EQ(outcome.broken, "");
  EXPECT_THAT(outcome.decoded.data, IsEmpty());
  EXPECT_THAT(outcome.decoded.controls, SizeIs(1));
}

TEST(WebSocketCodec, ACloseHasAStatusThatMayBeSent) {
  using namespace std::string_view_literals;
  for (const auto payload : {"\x03"sv, "\x03\xe7"sv, "\x03\xed"sv, "\x03\xee"sv, "\x03\xf7"sv, "\x13\x88"sv, "\0\0"sv})
    EXPECT_EQ(decode(client(Opcode::close, payload)).broken, "ws.frame.close") << to_hex(as_bytes(payload));
  for (const auto payload : {""sv, "\x03\xe8"sv, "\x03\xf3"sv, "\x0b\xb8"sv, "\x13\x87"sv})
    EXPECT_EQ(decode(client(Opcode::close, payload)).broken, "") << to_hex(as_bytes(payload));
}

TEST(WebSocketCodec, FramesOfTheServerAreNotMasked) {
  Buffer out;
  append_frame(out, Opcode::binary, as_bytes("Hello"));
  EXPECT_EQ(to_hex(out), "820548656c6c6f");
  for (const std::size_t size : {125U, 126U, 65535U, 65536U}) {
    out.clear();
    append_frame(out, Opcode::binary, Buffer(size));
    EXPECT_EQ(out.size(), size + (size < 126 ? 2 : size < 65536 ? 4 : 10));
  }
  out.clear();
  append_close(out, kCloseProtocol);
  EXPECT_EQ(to_hex(out), "880203ea");
}

}  // namespace
}  // namespace picket::http
