#include "base/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace picket {

void check_failed(const char* expression, const char* reason, const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s (%s) at %s:%d\n", reason, expression, file, line);
  std::abort();
}

}  // namespace picket
