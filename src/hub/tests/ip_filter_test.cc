#include "hub/ip_filter.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

IpRule rule(std::string_view name, IpAction action, std::string_view cidr) {
  return {std::string(name), action, parse_cidr(cidr).value()};
}

TEST(Cidr, ReadsBothFamiliesAndClearsHostBits) {
  EXPECT_EQ(to_string(*parse_cidr("192.0.2.77/24")), "192.0.2.0/24");
  EXPECT_EQ(to_string(*parse_cidr("192.0.2.77")), "192.0.2.77/32");
  EXPECT_EQ(to_string(*parse_cidr("0.0.0.0/0")), "0.0.0.0/0");
  EXPECT_EQ(to_string(*parse_cidr("2001:DB8::1/33")), "2001:db8::/33");
  EXPECT_EQ(to_string(*parse_cidr("::1")), "::1/128");
  EXPECT_EQ(to_string(*parse_cidr("::ffff:10.1.2.3/104")), "10.0.0.0/8");
}

TEST(Cidr, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/+8", "10.0.0/8",
        "010.0.0.1/8x", "::/129", "2001:db8::/0x1", "10.0.0.0/8/8", "host.example/8", "::1%lo/128"}) {
    EXPECT_FALSE(parse_cidr(text)) << text;
  }
  EXPECT_FALSE(parse_cidr(std::string_view("10.0.0.1\0", 9)));
}

TEST(Cidr, ContainsExactlyItsAddresses) {
  const auto net = *parse_cidr("192.0.2.128/25");
  EXPECT_TRUE(net.contains(*parse_cidr("192.0.2.128")));
  EXPECT_TRUE(net.contains(*parse_cidr("192.0.2.255")));
  EXPECT_FALSE(net.contains(*parse_cidr("192.0.2.127")));
  EXPECT_FALSE(net.contains(*parse_cidr("192.0.3.128")));
  EXPECT_FALSE(net.contains(*parse_cidr("192.0.2.0/24"))) << "a larger network is not in a smaller one";
  EXPECT_FALSE(parse_cidr("::/0")->contains(*parse_cidr("192.0.2.1")));
  EXPECT_TRUE(parse_cidr("2001:db8::/33")->contains(*parse_cidr("2001:db8:7fff::1")));
  EXPECT_FALSE(parse_cidr("2001:db8::/33")->contains(*parse_cidr("2001:db8:8000::1")));
}

TEST(IpFilter, TheFirstMatchDecides) {
  const std::vector<IpRule> rules = {rule("one", IpAction::reject, "10.0.0.5"),
                                     rule("office", IpAction::accept, "10.0.0.0/8"),
                                     rule("rest", IpAction::reject, "0.0.0.0/0")};
  EXPECT_FALSE(evaluate(rules, "10.0.0.5").accepted);
  EXPECT_TRUE(evaluate(rules, "10.0.0.6").accepted);
  EXPECT_EQ(evaluate(rules, "10.0.0.6").rule->name, "office");
  EXPECT_FALSE(evaluate(rules, "192.0.2.1").accepted);
  EXPECT_FALSE(evaluate(rules, "::ffff:192.0.2.1").accepted) << "IPv4 in the clothes of IPv6";
}

TEST(IpFilter, AcceptsWhenNothingMatchesAndWhenThereAreNoRules) {
  EXPECT_TRUE(evaluate({}, "192.0.2.1").accepted);
  EXPECT_TRUE(evaluate({}, "").accepted);
  const std::vector<IpRule> rules = {rule("one", IpAction::reject, "10.0.0.5")};
  EXPECT_TRUE(evaluate(rules, "10.0.0.6").accepted);
  EXPECT_EQ(evaluate(rules, "10.0.0.6").rule, nullptr);
}

TEST(IpFilter, RejectsWhatIsNoAddressAsSoonAsThereAreRules) {
  const std::vector<IpRule> rules = {rule("one", IpAction::accept, "0.0.0.0/0")};
  EXPECT_FALSE(evaluate(rules, "").accepted);
  EXPECT_FALSE(evaluate(rules, "localhost").accepted);
}

TEST(IpFilter, ReadsScopedAddresses) {
  const std::vector<IpRule> rules = {rule("link", IpAction::accept, "fe80::/10"),
                                     rule("rest", IpAction::reject, "::/0")};
  EXPECT_TRUE(evaluate(rules, "fe80::1%eth0").accepted);
}

}  // namespace
}  // namespace picket::hub
