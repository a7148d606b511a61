#include "net/rate_limit.h"

#include <algorithm>

namespace picket::net {

RateLimit::RateLimit(double per_second, double burst, std::size_t buckets, SipKey key)
    : per_second_(per_second), burst_(burst), key_(key), buckets_(buckets, Bucket{burst}) {}

bool RateLimit::take(std::string_view source, Duration now) {
  auto& bucket = buckets_[siphash24(key_, as_bytes(source)) % buckets_.size()];
  const auto passed_s = static_cast<double>((now - bucket.filled).us) / 1e6;
  bucket.tokens = std::min(burst_, bucket.tokens + passed_s * per_second_);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::string_view source_prefix(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return address;
  // Four groups of the textual form; "::" inside them means that the rest of the prefix is zero.
  std::size_t end = 0;
  for (int groups = 0; groups < 4; ++groups) {
    const auto colon = address.find(':', end);
    if (colon == std::string_view::npos) return address;
    end = colon + 1;
    if (address.substr(colon).starts_with("::")) break;
  }
  return address.substr(0, end);
}

}  // namespace picket::net
