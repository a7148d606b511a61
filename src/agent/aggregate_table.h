// The bounded table below the aggregation: keys by hash, entries in the order of last use.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/random.h"
#include "base/core/time.h"

namespace picket::agent {

/// Collects the parts of a key. Two keyed 64-bit hashes stand for the parts: an attacker who chooses command lines
/// cannot aim at a collision, and no second copy of a long text is kept.
struct AggregateKey {
  std::uint64_t a = 0, b = 0;
  friend bool operator==(const AggregateKey&, const AggregateKey&) = default;
};
struct AggregateKeyHash {
  std::size_t operator()(const AggregateKey& key) const { return key.a; }
};

class AggregateKeyBuilder {
 public:
  AggregateKeyBuilder& text(std::string_view part) {
    number(part.size());
    append(bytes_, as_bytes(part));
    return *this;
  }
  AggregateKeyBuilder& number(std::uint64_t part) {
    append(bytes_, std::as_bytes(std::span(&part, 1)));
    return *this;
  }
  AggregateKeyBuilder& bytes(std::span<const std::uint8_t> part) {
    append(bytes_, std::as_bytes(part));
    return *this;
  }
  [[nodiscard]] AggregateKey finish(SipKey secret) const {
    return {siphash24(secret, bytes_), siphash24({~secret.k1, secret.k0}, bytes_)};
  }

 private:
  Buffer bytes_;
};

}  // namespace picket::agent
