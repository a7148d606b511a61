// The hash that tells long command lines apart, also those of which only a prefix is kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace picket::agent {

/// FNV-1a over words of 8 bytes, little-endian, the last one filled up with zeros. Words, because the program in the
/// kernel (bpf/process.bpf.c) hashes a megabyte with it while an exec waits. The bytes may come in pieces of any size.
class ArgvHash {
 public:
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), sizeof(word_) - held_);
      std::memcpy(reinterpret_cast<char*>(&word_) + held_, bytes.data(), n);
      bytes.remove_prefix(n);
      held_ += n;
      if (held_ < sizeof(word_)) return;
      hash_ = mixed();
      word_ = 0;
      held_ = 0;
    }
  }
  [[nodiscard]] std::uint64_t value() const { return held_ == 0 ? hash_ : mixed(); }

 private:
  [[nodiscard]] std::uint64_t mixed() const { return (hash_ ^ word_) * 0x100000001b3ULL; }
  std::uint64_t hash_ = 0xcbf29ce484222325ULL, word_ = 0;
  std::size_t held_ = 0;
};

inline std::uint64_t argv_hash(std::string_view bytes) {
  ArgvHash hash;
  hash.add(bytes);
  return hash.value();
}

}  // namespace picket::agent
