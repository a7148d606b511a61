#include "base/core/cursor.h"

#include <gtest/gtest.h>

#include "base/core/byte_writer.h"
#include "base/core/encoding.h"

namespace picket {
namespace {

TEST(Cursor, ReadsIntegersInBothOrders) {
  const Buffer bytes = *from_hex("0102030405060708");
  EXPECT_EQ(*Cursor{bytes}.be<std::uint64_t>(), 0x0102030405060708u);
  EXPECT_EQ(*Cursor{bytes}.le<std::uint64_t>(), 0x0807060504030201u);
  EXPECT_EQ(*Cursor{bytes}.be<std::uint16_t>(), 0x0102u);
  EXPECT_EQ(*Cursor{bytes}.le<std::uint16_t>(), 0x0201u);
}

TEST(Cursor, StaysWhereItWasWhenTheInputIsTooShort) {
  const Buffer bytes = *from_hex("010203");
  Cursor in{bytes};
  ASSERT_TRUE(in.u8());
  const auto read = in.be<std::uint32_t>();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::truncated);
  EXPECT_EQ(read.error().offset, 1u);
  EXPECT_EQ(in.offset(), 1u);
  EXPECT_FALSE(in.take(static_cast<std::size_t>(-1)));
  EXPECT_EQ(in.remaining(), 2u);
}

TEST(Cursor, KeepsANestedReaderInItsPart) {
  const Buffer bytes = *from_hex("aabbccdd");
  Cursor in{bytes};
  ASSERT_TRUE(in.u8());
  auto part = in.sub(2);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->offset(), 1u);
  ASSERT_TRUE(part->take(2));
  EXPECT_FALSE(part->u8());
  EXPECT_EQ(part->offset(), 3u);
  EXPECT_EQ(*in.u8(), 0xDDu);
}

TEST(ByteWriter, IsTheMirrorOfCursor) {
  Buffer out;
  ByteWriter writer(out);
  writer.le<std::uint32_t>(0).be<std::uint16_t>(0x1234).le<std::uint64_t>(5).text("ab");
  writer.patch_le<std::uint32_t>(0, static_cast<std::uint32_t>(out.size()));
  Cursor in{out};
  EXPECT_EQ(*in.le<std::uint32_t>(), 16u);
  EXPECT_EQ(*in.be<std::uint16_t>(), 0x1234u);
  EXPECT_EQ(*in.le<std::uint64_t>(), 5u);
  EXPECT_EQ(*in.take_text(2), "ab");
  EXPECT_TRUE(in.empty());
}

}  // namespace
}  // namespace picket
