#include "vectors.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

namespace picket::version::testing {
namespace {

char sign(std::weak_ordering order) { return order < 0 ? '<' : order > 0 ? '>' : '='; }
char reverse(char op) { return op == '<' ? '>' : op == '>' ? '<' : '='; }

}  // namespace

std::vector<Vector> read_vectors(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    std::cerr << "no such file: " << path << '\n';
    std::abort();
  }
  std::vector<Vector> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with("# ") || line.starts_with("// ")) continue;
    std::istringstream parts(line);
    Vector vector;
    std::string op, more;
    if (!(parts >> vector.a >> op >> vector.b) || parts >> more || op.size() != 1 || !std::strchr("<=>", op[0])) {
      std::cerr << path << ": not a comparison: " << line << '\n';
      std::abort();
    }
    vector.op = op[0];
    vector.line = line;
    out.push_back(std::move(vector));
  }
  return out;
}

std::vector<std::string> disagreements(Scheme scheme, const std::vector<Vector>& vectors) {
  std::vector<std::string> out;
  for (const Vector& vector : vectors) {
    const char there = sign(compare(scheme, vector.a, vector.b));
    const char back = sign(compare(scheme, vector.b, vector.a));
    if (there != vector.op || back != reverse(vector.op)) out.push_back(vector.line + "  (got " + there + ")");
  }
  return out;
}

}  // namespace picket::version::testing
