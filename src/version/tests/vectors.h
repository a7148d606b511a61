// Files of pairs with their order: `A op B` a line, op one of < = >; lines with # or // in front are comments.
#pragma once

#include <string>
#include <vector>

#include "version/compare.h"

namespace picket::version::testing {

struct Vector {
  std::string a, b;
  char op = '=';
  std::string line;  ///< For the message of a test.
};

/// Aborts the test when the file is missing or a line is none of these.
std::vector<Vector> read_vectors(const std::string& path);

/// Lines of which compare() gives another order, in either direction.
std::vector<std::string> disagreements(Scheme scheme, const std::vector<Vector>& vectors);

}  // namespace picket::version::testing
