#include "intelligence/stix_pattern.h"

#include <gtest/gtest.h>

namespace picket::intelligence {
namespace {

std::string read(std::string_view pattern) {
  const auto out = read_pattern(pattern);
  if (!out) return (out.error().malformed ? "broken: " : "refused: ") + out.error().text;
  std::string text;
  for (const Observable& one : *out) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(one.kind)) + " " + to_text(one);
  }
  return text;
}

const std::string kSha256(64, 'a');
const std::string kMd5(32, 'b');

TEST(StixPattern, SingleComparisonsOfEachObject) {
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1']"), "ipv4 192.0.2.1");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.0/24']"), "network4 192.0.2.0/24");
  EXPECT_EQ(read("[ipv4-addr:value ISSUBSET '192.0.2.0/24']"), "network4 192.0.2.0/24");
  EXPECT_EQ(read("[ipv6-addr:value = '2001:db8::1']"), "ipv6 2001:db8::1");
  EXPECT_EQ(read("[domain-name:value = 'Evil.example']"), "domain evil.example");
  EXPECT_EQ(read("[url:value = 'http://evil.example/x?y=1']"), "url evil.example/x?y=1");
  EXPECT_EQ(read("[file:hashes.'SHA-256' = '" + kSha256 + "']"), "sha256 " + kSha256);
  EXPECT_EQ(read("[file:hashes.MD5 = '" + kMd5 + "']"), "md5 " + kMd5);
  EXPECT_EQ(read("[network-traffic:dst_ref.value = '192.0.2.1']"), "ipv4 192.0.2.1");
  EXPECT_EQ(read("[x509-certificate:hashes.'SHA-256' = '" + kSha256 + "']"), "certificate_sha256 " + kSha256);
  EXPECT_EQ(read("[network-traffic:extensions.'http-request-ext'.request_value = '/bins/x.arm']"),
            "url_path /bins/x.arm");
}

TEST(StixPattern, AlternativesAreAllTaken) {
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'evil.example']"),
            "ipv4 192.0.2.1, domain evil.example");
  EXPECT_EQ(read("[ipv4-addr:value IN ('192.0.2.2', '192.0.2.1')]"), "ipv4 192.0.2.1, ipv4 192.0.2.2");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] OR ([ipv4-addr:value = '192.0.2.2'])"),
            "ipv4 192.0.2.1, ipv4 192.0.2.2");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1' OR (ipv4-addr:value = '192.0.2.1')]"), "ipv4 192.0.2.1");
}

TEST(StixPattern, AndIsTakenWhereOneThingSaysItAll) {
  EXPECT_EQ(read("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 4444]"),
            "endpoint4 192.0.2.1:4444");
  EXPECT_EQ(read("[ipv4-addr:value IN ('192.0.2.1','192.0.2.2') AND (network-traffic:dst_port = 80 OR "
                 "network-traffic:dst_port = 81)]"),
            "endpoint4 192.0.2.1:80, endpoint4 192.0.2.1:81, endpoint4 192.0.2.2:80, endpoint4 192.0.2.2:81");
  EXPECT_EQ(read("[file:hashes.MD5 = '" + kMd5 + "' AND file:hashes.'SHA-256' = '" + kSha256 + "']"),
            "sha256 " + kSha256)
      << "the strongest hash names the file";
  EXPECT_EQ(read("[file:name = 'x.arm' AND file:hashes.MD5 = '" + kMd5 + "']"), "md5 " + kMd5);
  // AND binds closer than OR.
  EXPECT_EQ(
      read("[domain-name:value = 'evil.example' OR ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 53]"),
      "endpoint4 192.0.2.1:53, domain evil.example");
}

TEST(StixPattern, WhatOneEventCannotShowIsRefusedByName) {
  EXPECT_EQ(read("[ipv4-addr:value != '192.0.2.1']"), "refused: operator != is not supported");
  EXPECT_EQ(read("[domain-name:value LIKE '%.example']"), "refused: operator LIKE is not supported");
  EXPECT_EQ(read("[domain-name:value MATCHES 'x']"), "refused: operator MATCHES is not supported");
  EXPECT_EQ(read("[ipv4-addr:value NOT = '192.0.2.1']"), "refused: NOT cannot be shown by one event");
  EXPECT_EQ(read("[EXISTS url:value]"), "refused: EXISTS is not supported");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [domain-name:value = 'evil.example']"),
            "refused: FOLLOWEDBY of two observations cannot be shown by one event");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] AND [domain-name:value = 'evil.example']"),
            "refused: AND of two observations cannot be shown by one event");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] WITHIN 300 SECONDS"), "refused: WITHIN cannot be shown by one event");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] REPEATS 5 TIMES"), "refused: REPEATS cannot be shown by one event");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.1'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'"),
            "refused: START … STOP is not supported");
  EXPECT_EQ(read("[process:name = 'x']"), "refused: process:name is not supported");
  EXPECT_EQ(read("[file:name = 'x']"), "refused: a file's name alone");
  EXPECT_EQ(read("[network-traffic:dst_port = 80]"), "refused: a port alone");
  EXPECT_EQ(read("[domain-name:value = 'a.example' AND ipv4-addr:value = '192.0.2.1']"), "refused: AND of two things");
  EXPECT_EQ(read("[ipv4-addr:value = '192.0.2.0/24' AND network-traffic:dst_port = 80]"),
            "refused: a network or no number beside a port");
  EXPECT_EQ(read("[ipv4-addr:value = 'x']"), "refused: the value of ipv4-addr:value is not such a thing");
}

TEST(StixPattern, BrokenPatternsAreBrokenAndNotRefused) {
  for (const std::string_view pattern :
       {"", "[", "[]", "ipv4-addr:value = '192.0.2.1'", "[ipv4-addr:value = '192.0.2.1'", "[ipv4-addr:value = ]",
        "[ipv4-addr:value '192.0.2.1']", "[ipv4-addr = '192.0.2.1']", "[ipv4-addr:value = '192.0.2.1]",
        "[ipv4-addr:value = '192.0.2.1'] x", "[ipv4-addr:value IN ()]", "[a:b[ = 1]", "[a:b = '\\x']",
        "[ipv4-addr:value = '192.0.2.1'] WITHIN SECONDS", "[a:b LIKE 'x'", "[ipv4-addr:value = '192.0.2.1'] OR",
        "[a:b & 'x']"}) {
    const auto out = read_pattern(pattern);
    ASSERT_FALSE(out) << pattern;
    EXPECT_TRUE(out.error().malformed) << pattern << ": " << out.error().text;
  }
}

TEST(StixPattern, TextsAreUnescapedAndCommentsPassedOver) {
  EXPECT_EQ(read("/* one */ [domain-name:value = 'evil.example'] // end"), "domain evil.example");
  EXPECT_EQ(read("[url:value = 'http://evil.example/\\'a\\\\b']"), "url evil.example/'a\\b");
}

TEST(StixPattern, DepthAndProductsAreBounded) {
  EXPECT_TRUE(read_pattern("[" + std::string(60, '(') + "ipv4-addr:value='192.0.2.1'" + std::string(60, ')') + "]"));
  EXPECT_EQ(read("[" + std::string(100, '(') + "ipv4-addr:value='192.0.2.1'" + std::string(100, ')') + "]"),
            "broken: nested too deep");
  std::string product = "[";
  for (int i = 0; i < 20; ++i) {
    product += std::string(i == 0 ? "" : " AND ") + "(file:name='a' OR file:name='b')";
  }
  EXPECT_EQ(read(product + "]"), "refused: too many comparisons");
  EXPECT_EQ(read(std::string((1U << 20) + 1, ' ')), "refused: longer than 1 MiB");
}

}  // namespace
}  // namespace picket::intelligence
