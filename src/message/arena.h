// The memory that the views of a SecurityMessage point into.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "message/decoder.h"

namespace picket::message {

/// Hands out bytes that live as long as it does. Blocks never move, so views stay valid when the arena is moved.
class SecurityMessage::Arena {
 public:
  char* allocate(std::size_t n) {
    if (n > left_) grow(n);
    char* out = at_;
    at_ += n;
    left_ -= n;
    return out;
  }
  std::string_view store(std::string_view text) {
    if (text.empty()) return {};
    char* out = allocate(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }
  /// Returns the last `n` bytes of what the latest allocate() gave.
  void give_back(std::size_t n) {
    at_ -= n;
    left_ += n;
  }

 private:
  static constexpr std::size_t kBlockBytes = 16'384;

  void grow(std::size_t n) {
    const std::size_t size = n > kBlockBytes ? n : kBlockBytes;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    at_ = blocks_.back().get();
    left_ = size;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace picket::message
