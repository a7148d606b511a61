#include "agent/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string parsed(std::string_view text) {
  const auto proxy = parse_proxy(text);
  if (!proxy) return "refused: " + proxy.error();
  return format_host_port(proxy->address) + " " + proxy->user + " " + proxy->password;
}

TEST(Proxy, IsWrittenAsAnAddressOrAsTheRetiredAgentDid) {
  EXPECT_EQ(parsed("http://proxy.example:3128"), "proxy.example:3128  ");
  EXPECT_EQ(parsed("http://proxy.example:3128/"), "proxy.example:3128  ");
  EXPECT_EQ(parsed("proxy.example:3128"), "proxy.example:3128  ");
  EXPECT_EQ(parsed("http://me:a%40b%3Ac@[::1]:8080"), "[::1]:8080 me a@b:c");
  EXPECT_EQ(parsed("192.0.2.1,8080"), "192.0.2.1:8080  ");
  EXPECT_EQ(parsed("192.0.2.1,8080,me,secret,with,commas"), "192.0.2.1:8080 me secret,with,commas");
  EXPECT_EQ(parsed("2001:db8::1,8080"), "[2001:db8::1]:8080  ");
}

TEST(Proxy, MistakesAreNamedWithoutTheCredentials) {
  for (const char* text :
       {"", "proxy.example", "http://proxy.example", "https://me:s3cret@p:1", "http://s3cret@p:1", "http://:s3cret@p:1",
        "http://m%zz:s3cret@p:1", "p,1,s3cret", "p,0,me,s3cret", "p,99999,me,s3cret", ",1", "http://a%3Ab:s3cret@p:1",
        "http://me:s3cret%0d%0aX@p:1", "http://[::1]"}) {
    const std::string out = parsed(text);
    EXPECT_THAT(out, HasSubstr("refused")) << text;
    EXPECT_THAT(out, Not(HasSubstr("s3cret"))) << text;
  }
}

TEST(Proxy, AsksForTheHubWithCredentialsWhereThereAreSome) {
  EXPECT_EQ(proxy_request({{"p", 1}, "", ""}, {"hub.example", 8883}),
            "CONNECT hub.example:8883 HTTP/1.1\r\nHost: hub.example:8883\r\n\r\n");
  EXPECT_EQ(proxy_request({{"p", 1}, "Aladdin", "open sesame"}, {"::1", 443}),
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n"
            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
}

}  // namespace
}  // namespace picket::agent
