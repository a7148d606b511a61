// Random JSON from few keys and few shapes, so that patches hit what is there.
#pragma once

#include <random>
#include <string>

#include "hub/json_value.h"

namespace picket::hub {

class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }

  JsonObject object(int depth, bool nulls) {
    JsonObject out;
    const unsigned count = below(4);
    for (unsigned i = 0; i < count; ++i)
      out.set(std::string(1, static_cast<char>('a' + below(5))), value(depth, nulls));
    return out;
  }
  JsonValue value(int depth, bool nulls) {
    switch (below(depth > 0 ? 7 : 5)) {
      case 0:
        if (nulls) return {};
        [[fallthrough]];
      case 1:
        return static_cast<int>(below(1000));
      case 2:
        return std::string(below(6), 'x');
      case 3:
        return below(2) == 0;
      case 4:
        return JsonArray{value(0, false), static_cast<int>(below(9))};
      default:
        return object(depth - 1, nulls);
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace picket::hub
