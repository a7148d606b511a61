// Text files of cases: "#" begins a comment line, "document {...}" sets the
// document, everything else is a case.
#pragma once

#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace picket::hub {

inline void for_each_line(const std::string& name,
                          const std::function<void(const std::string& line, int number)>& use) {
  std::ifstream in(std::string(PICKET_SOURCE_DIR) + "/src/hub/query/tests/cases/" + name);
  ASSERT_TRUE(in) << name;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && !line.starts_with('#')) use(line, number);
  }
}

}  // namespace picket::hub
