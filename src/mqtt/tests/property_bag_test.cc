#include "mqtt/property_bag.h"

#include <gtest/gtest.h>

namespace picket::mqtt {
namespace {

TEST(PropertyBag, ReadsWhatTheNodeSdkWrites) {
  const auto bag = decode_property_bag(
      "%24.mid=id%201&%24.ct=application%2Fjson&%24.ce=utf-8&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1&"
      "alert%20lvl=hi%26there%3D%C3%A9");
  ASSERT_TRUE(bag.has_value());
  EXPECT_EQ(bag->find("$.mid"), "id 1");
  EXPECT_EQ(bag->find("$.ct"), "application/json");
  EXPECT_EQ(bag->find("$.ifid"), kSecurityInterface);
  EXPECT_EQ(bag->find("alert lvl"), "hi&there=\xc3\xa9");
  EXPECT_EQ(bag->find("$.cid"), std::nullopt);
}

TEST(PropertyBag, DollarMayBeEncodedOrNot) {
  EXPECT_EQ(decode_property_bag("$.mid=1").value(), decode_property_bag("%24.mid=1").value());
}

TEST(PropertyBag, ToldApartAreNoValueAndEmptyValue) {
  const auto bag = decode_property_bag("a&b=").value();
  EXPECT_EQ(bag.properties()[0].value, std::nullopt);
  EXPECT_EQ(bag.properties()[1].value, "");
  EXPECT_EQ(encode_property_bag(bag), "a&b=");
}

TEST(PropertyBag, EmptyIsLegalAndOneSlashAtTheEndIsDropped) {
  EXPECT_TRUE(decode_property_bag("").value().empty());
  EXPECT_TRUE(decode_property_bag("/").value().empty());
  EXPECT_EQ(decode_property_bag("%24.on=out1/").value().find("$.on"), "out1");
}

TEST(PropertyBag, ValueKeepsEqualsSignAndPlus) { EXPECT_EQ(decode_property_bag("a=b=c+d").value().find("a"), "b=c+d"); }

TEST(PropertyBag, SystemPropertyTwiceIsRefusedApplicationPropertyIsNot) {
  EXPECT_EQ(decode_property_bag("$.ifid=a&%24.ifid=b").error().where, "mqtt.bag.system_property_twice");
  EXPECT_EQ(decode_property_bag("a=1&a=2").value().properties().size(), 2u);
}

TEST(PropertyBag, NamesEachDefect) {
  EXPECT_EQ(decode_property_bag("a=%2").error().where, "mqtt.bag.percent_encoding");
  EXPECT_EQ(decode_property_bag("a=%zz").error().where, "mqtt.bag.percent_encoding");
  EXPECT_EQ(decode_property_bag("a=%00").error().where, "mqtt.bag.text");
  EXPECT_EQ(decode_property_bag("a=%ff").error().where, "mqtt.bag.text");
  EXPECT_EQ(decode_property_bag("=b").error().where, "mqtt.bag.name");
  EXPECT_EQ(decode_property_bag("a=b&&c=d").error().where, "mqtt.bag.name");
}

TEST(PropertyBag, CountIsBounded) {
  std::string text = "p=";
  for (std::size_t i = 1; i < kPropertiesMax; ++i) text += "&p=";
  EXPECT_EQ(decode_property_bag(text).value().properties().size(), kPropertiesMax);
  EXPECT_EQ(decode_property_bag(text + "&p=").error().where, "mqtt.bag.properties");
}

TEST(PropertyBag, CountedAreSystemValuesAndUserNamesAndValues) {
  EXPECT_EQ(decode_property_bag("$.mid=abc&name=xy&flag").value().counted_bytes(), 3u + 4u + 2u + 4u);
}

TEST(PropertyBag, DecodesWhatItEncoded) {
  PropertyBag bag;
  bag.add("$.mid", "a/b c");
  bag.add("na=me&%", "\xc3\xa9+/");
  bag.add("empty", "");
  EXPECT_EQ(decode_property_bag(encode_property_bag(bag)).value(), bag);
}

}  // namespace
}  // namespace picket::mqtt
