#include <zlib.h>
#include <zstd.h>

#include "support.h"

namespace picket::message {
namespace {

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

// window_bits: 31 gzip, 15 zlib, -15 raw deflate.
std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

const std::string kMessage = message_with("[" + event_with("Heartbeat", "[]") + "]");

TEST(ContentEncoding, IsUndoneWhateverItsName) {
  EXPECT_TRUE(decode(deflated(kMessage, 31), {.content_encoding = "gzip"}).has_value());
  EXPECT_TRUE(decode(deflated(kMessage, 31), {.content_encoding = "GZIP"}).has_value());
  EXPECT_TRUE(decode(deflated(kMessage, 15), {.content_encoding = "deflate"}).has_value());
  EXPECT_TRUE(decode(deflated(kMessage, -15), {.content_encoding = "deflate"}).has_value());
  EXPECT_TRUE(decode(zstd(kMessage), {.content_encoding = "zstd"}).has_value());
  EXPECT_TRUE(decode(kMessage, {.content_encoding = "utf-8"}).has_value()) << "SDKs put the charset there";
  EXPECT_TRUE(decode(kMessage, {.content_encoding = "application/json"}).has_value()) << "Java's setAsSecurityMessage";
  EXPECT_THAT(decode(kMessage, {.content_encoding = "br"}), FailsWith(Errc::unsupported, "message.encoding"));
}

TEST(ContentEncoding, BrokenCutOrWithBytesBehindIsMalformed) {
  for (const auto* encoding : {"gzip", "deflate", "zstd"}) {
    const std::string whole = encoding == std::string_view("zstd")
                                  ? zstd(kMessage)
                                  : deflated(kMessage, encoding == std::string_view("gzip") ? 31 : 15);
    for (const std::string& wrong :
         {std::string("nonsense"), std::string{}, whole.substr(0, whole.size() - 1), whole + "x"}) {
      EXPECT_THAT(decode(wrong, {.content_encoding = encoding}), FailsWith(Errc::malformed, "message.encoding"))
          << encoding << " " << wrong.size();
    }
  }
}

TEST(Limits, StopABombAtTheRatioOrTheSize) {
  const std::string zeros(std::size_t{64} << 20, ' ');
  for (const auto& bomb : {zstd(zeros), deflated(zeros, 31)}) {
    const auto* const encoding = bomb[0] == '\x1f' ? "gzip" : "zstd";
    const auto message = decode(bomb, {.content_encoding = encoding});
    ASSERT_FALSE(message.has_value());
    EXPECT_EQ(message.error().code, Errc::limit_exceeded);
  }
  EXPECT_THAT(decode(zstd(zeros.substr(0, 100'000)), {.content_encoding = "zstd"}),
              FailsWith(Errc::limit_exceeded, "message.ratio"));
}

TEST(Limits, HoldTheDecodedSizeOnBothSides) {
  const Limits limits{.decoded_bytes_max = kMessage.size()};
  EXPECT_TRUE(decode(kMessage, {}, limits).has_value());
  EXPECT_TRUE(decode(zstd(kMessage), {.content_encoding = "zstd"}, limits).has_value());
  const Limits less{.decoded_bytes_max = kMessage.size() - 1};
  EXPECT_THAT(decode(kMessage, {}, less), FailsWith(Errc::limit_exceeded, "message.size"));
  EXPECT_THAT(decode(zstd(kMessage), {.content_encoding = "zstd"}, less),
              FailsWith(Errc::limit_exceeded, "message.size"));
}

TEST(Limits, HoldTheDepthOnBothSides) {
  const auto nested = [](std::size_t depth) {  // the item stands at depth 5
    return message_with(
        "[" + event_with("Custom", R"([{"a":)" + std::string(depth - 5, '[') + std::string(depth - 5, ']') + "}]") +
        "]");
  };
  EXPECT_TRUE(decode(nested(32)).has_value());
  EXPECT_THAT(decode(nested(33)), FailsWith(Errc::limit_exceeded, "message.json.depth"));
  EXPECT_THAT(decode(std::string(100'000, '[')), FailsWith(Errc::limit_exceeded, "message.json.depth"));
}

TEST(Limits, HoldTheEventsAndItemsOnBothSides) {
  const std::string event = event_with("Custom", "[{},{},{}]");
  const std::string two = message_with("[" + event + "," + event + "]");
  EXPECT_TRUE(decode(two, {}, {.events_max = 2}).has_value());
  EXPECT_THAT(decode(two, {}, {.events_max = 1}), FailsWith(Errc::limit_exceeded, "message.events"));
  EXPECT_TRUE(decode(two, {}, {.items_max = 6})->rejected.empty());
  const auto cut = decode(two, {}, {.items_max = 5});
  EXPECT_EQ(cut->events.size(), 1u);
  EXPECT_EQ(cut->rejected.at(0).error.where, "message.event.items");
}

TEST(Limits, HoldTheTextsOfTheEnvelope) {
  const auto events = "[" + event_with("Heartbeat", "[]") + "]";
  EXPECT_TRUE(decode(message_with(events, R"("BootId":")" + std::string(128, 'x') + R"(",)")).has_value());
  EXPECT_THAT(decode(message_with(events, R"("BootId":")" + std::string(129, 'x') + R"(",)")),
              FailsWith(Errc::limit_exceeded, "message.boot_id"));
}

}  // namespace
}  // namespace picket::message
