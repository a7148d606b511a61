// The build option PICKET_AGENT_ZSTD: what it makes, the server's decoder takes back.
#include <string>

#include <gtest/gtest.h>

#include "agent/compression.h"
#include "message/decoder.h"

namespace picket::agent {
namespace {

/// A message of `count` events that differ as those of a device do.
std::string message_of(int count) {
  std::string out = "[";
  for (int i = 0; i < count; ++i) {
    out += R"({"RawEventName":"ProcessCreate","TimestampUtc":"2026-11-22T07:)" + std::to_string(10 + i % 50) +
           R"(:00.000Z","Payload":[{"Executable":"/usr/bin/tool-)" + std::to_string(i * 7919 % 1000) +
           R"(","UserId":0,"ProcessId":)" + std::to_string(i * 31) + "}]},";
  }
  out.back() = ']';
  return out;
}

TEST(Zstd, TheServerReadsWhatTheAgentCompresses) {
  for (const int count : {6, 100, 1'000}) {
    const std::string message = message_of(count);
    const auto compressed = compress_message(message);
    ASSERT_TRUE(compressed) << count;
    EXPECT_LT(compressed->size(), message.size() / 2) << count;
    const auto read = message::decompress(*compressed, compression_name(), message::Limits{});
    ASSERT_TRUE(read) << read.error().where;
    EXPECT_EQ(as_text(*read), message);
  }
}

TEST(Zstd, LeavesAloneWhatIsSmallOrDoesNotShrink) {
  EXPECT_FALSE(compress_message("[]"));
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 4'000; ++i) noise.push_back(static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24));
  EXPECT_FALSE(compress_message(noise));
  EXPECT_TRUE(compress_message(std::string(50'000, 'x')));
  EXPECT_FALSE(compress_message(std::string(200'000, 'x'))) << "the server would refuse it";
}

}  // namespace
}  // namespace picket::agent
