#include "format.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace picket::journal {
namespace {

constexpr std::uint32_t kSalt = 0x1234'5678;

Buffer sealed(const Record& record, std::uint64_t sequence, std::uint32_t salt = kSalt) {
  Buffer out;
  encode_record(record, sequence, out);
  seal_records(out, salt);
  return out;
}

Record example() {
  static const Property properties[] = {{"$.mid", "m-1"}, {"empty", ""}};
  static const Identity identity{"hub", "device", "module", "7"};
  return {.kind = RecordKind::audit,
          .partition = 3,
          .enqueued = Timestamp{-5},
          .identity = identity,
          .properties = properties,
          .body = as_bytes("body")};
}

TEST(JournalFormat, RecordRoundTrips) {
  const Buffer bytes = sealed(example(), 42);
  EXPECT_EQ(bytes.size(), encoded_size(example()).value());
  Cursor in{Bytes(bytes)};
  const auto record = parse_record(in, kSalt).value().value();
  EXPECT_TRUE(in.empty());
  std::vector<Property> properties;
  parse_properties(record, properties);
  EXPECT_EQ(record.view.id.sequence, 42u);
  EXPECT_EQ(record.view.kind, RecordKind::audit);
  EXPECT_EQ(record.view.partition, 3);
  EXPECT_EQ(record.view.enqueued.us, -5);
  EXPECT_EQ(record.view.identity, example().identity);
  EXPECT_EQ(as_text(record.view.body), "body");
  EXPECT_TRUE(std::ranges::equal(properties, example().properties));
}

TEST(JournalFormat, AsksForMoreAtEveryTruncation) {
  const Buffer bytes = sealed(example(), 1);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    Cursor in{Bytes(bytes).first(n)};
    const auto record = parse_record(in, kSalt);
    ASSERT_TRUE(record.has_value()) << n;
    EXPECT_FALSE(record->has_value()) << n;
    EXPECT_EQ(in.offset(), 0u);
  }
}

TEST(JournalFormat, SeesEveryFlippedBit) {
  const Buffer good = sealed(example(), 1);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Buffer bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    Cursor in{Bytes(bad)};
    const auto record = parse_record(in, kSalt);
    EXPECT_FALSE(record && *record) << "bit " << bit;
  }
}

TEST(JournalFormat, RecordOfAnotherSegmentIsNotTaken) {
  const Buffer bytes = sealed(example(), 1, kSalt + 1);
  Cursor in{Bytes(bytes)};
  EXPECT_EQ(parse_record(in, kSalt).error().where, "journal.record.crc");
}

TEST(JournalFormat, RefusesWhatDoesNotFit) {
  const std::string long_name(65'536, 'x');
  Record record = example();
  record.identity.device_id = long_name;
  EXPECT_EQ(encoded_size(record).error().where, "journal.record.identity");
  record.identity.device_id = std::string_view(long_name).substr(1);
  EXPECT_TRUE(encoded_size(record).has_value());

  const Property property{long_name, ""};
  record.properties = {&property, 1};
  EXPECT_EQ(encoded_size(record).error().where, "journal.record.property_name");

  const std::vector<Property> many(kPropertiesMax + 1);
  record.properties = many;
  EXPECT_EQ(encoded_size(record).error().where, "journal.record.properties");
  record.properties = std::span(many).first(kPropertiesMax);
  EXPECT_TRUE(encoded_size(record).has_value());

  record = Record{};
  const std::string big(kRecordBytesMax - kRecordHeaderBytes + 1, 'x');
  record.body = as_bytes(big);
  EXPECT_EQ(encoded_size(record).error().where, "journal.record.size");
  record.body = record.body.subspan(1);
  EXPECT_EQ(encoded_size(record).value(), kRecordBytesMax);
}

TEST(JournalFormat, FileHeaderRoundTripsAndSeesDamage) {
  const FileHeader header{77, Timestamp{123}, kSalt};
  const auto good = encode_file_header(header);
  const auto parsed = parse_file_header(good).value();
  EXPECT_EQ(parsed.first_sequence, 77u);
  EXPECT_EQ(parsed.created.us, 123);
  EXPECT_EQ(parsed.salt, kSalt);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(parse_file_header(bad).has_value()) << i;
    EXPECT_EQ(parse_file_header(Bytes(good).first(i)).error().code, Errc::truncated);
  }
}

TEST(JournalFormat, NewerFormatIsRefusedByItsNumber) {
  auto bytes = encode_file_header({1, Timestamp{}, 0});
  bytes[8] = std::byte{9};
  const auto error = parse_file_header(bytes).error();
  EXPECT_EQ(error.code, Errc::unsupported);
  EXPECT_EQ(error.where, "journal.segment.format");
  EXPECT_EQ(error.offset, 9u);
}

TEST(JournalFormat, SegmentNamesRoundTrip) {
  EXPECT_EQ(segment_name(42), "00000000000000000042.journal");
  EXPECT_EQ(parse_segment_name(segment_name(18'446'744'073'709'551'615ULL)), 18'446'744'073'709'551'615ULL);
  EXPECT_FALSE(parse_segment_name("42.journal"));
  EXPECT_FALSE(parse_segment_name("0000000000000000004x.journal"));
  EXPECT_FALSE(parse_segment_name("00000000000000000042.journal.tmp"));
}

}  // namespace
}  // namespace picket::journal
