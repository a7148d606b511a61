// Token buckets by source, in a table that cannot grow.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/core/hash.h"
#include "base/core/time.h"

namespace picket::net {

/// Each source may take `burst` at once and `per_second` over time. Sources share a bucket by keyed hash: memory is
/// fixed, and an attacker cannot choose whom to share with. Strand only.
class RateLimit {
 public:
  RateLimit(double per_second, double burst, std::size_t buckets, SipKey key);

  /// False: over the limit. `now` is monotonic.
  [[nodiscard]] bool take(std::string_view source, Duration now);

 private:
  struct Bucket {
    double tokens;
    Duration filled{};
  };
  double per_second_;
  double burst_;
  SipKey key_;
  std::vector<Bucket> buckets_;
};

/// What counts as one source: an IPv4 address, or the /64 prefix of an IPv6 address.
std::string_view source_prefix(std::string_view address);

}  // namespace picket::net
