// The operator's table of networks, before it is put in force.
#include "pipeline/prefixes.h"

#include <gtest/gtest.h>

namespace picket::pipeline {
namespace {

std::size_t fault_line(std::string_view csv) {
  const auto checked = check_prefixes(csv);
  return checked ? 9999 : checked.error().line;
}

TEST(Prefixes, BothFamiliesHeadingsAndCommentsAreTaken) {
  EXPECT_EQ(check_prefixes("network,country,asn\n# of today\n192.0.2.0/24,DE,64500\r\n\n2001:db8::/32,BR\n"
                           "203.0.113.7,,AS64501"),
            2u + 1u);
}

TEST(Prefixes, EachFaultNamesItsLine) {
  EXPECT_EQ(fault_line("192.0.2.0/24,DE\n300.0.2.0/24,DE\n"), 2u);
  EXPECT_EQ(fault_line("192.0.2.0/33,DE\n"), 1u);
  EXPECT_EQ(fault_line("192.0.2.1/24,DE\n"), 1u) << "bits behind the prefix";
  EXPECT_EQ(fault_line("\n\n192.0.2.0/24,Germany\n"), 3u);
  EXPECT_EQ(fault_line("192.0.2.0/24,DE,ASX\n"), 1u);
  EXPECT_EQ(fault_line("192.0.2.0/24\n"), 1u) << "says nothing of it";
  EXPECT_EQ(fault_line("192.0.2.0/24,DE,1,x\n"), 1u);
  EXPECT_EQ(fault_line("192.0.2.0/24,DE\n10.0.0.0/8,FR\n192.0.2.0/24,FR\n"), 3u) << "stands twice";
}

TEST(Prefixes, AnEmptyOrTooLargeTableIsRefusedAsAWhole) {
  EXPECT_EQ(fault_line(""), 0u);
  EXPECT_EQ(fault_line("# nothing\n"), 0u);
  EXPECT_EQ(fault_line(std::string(kPrefixesBytesMax + 1, '#')), 0u);
}

}  // namespace
}  // namespace picket::pipeline
