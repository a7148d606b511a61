#include "property_block.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

TEST(PropertyBlock, GivesBackWhatItWasMadeOf) {
  const Properties all = {{"", ""}, {"a", std::string("\0b", 2)}, {"\xff", std::string(70'000, 'x')}};
  EXPECT_EQ(decode_properties(encode_properties(all)).value(), all);
  EXPECT_TRUE(decode_properties("").value().empty());
}

TEST(PropertyBlock, RefusesEveryTruncation) {
  const auto whole = encode_properties({{"name", "value"}});
  for (std::size_t n = 1; n < whole.size(); ++n) EXPECT_FALSE(decode_properties(whole.substr(0, n))) << n;
}

}  // namespace
}  // namespace picket::hub
