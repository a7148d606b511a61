// What keeps many aggregates in little memory: texts that are shared, records without their zeros, an index of links.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/core/hash.h"
#include "base/core/time.h"

namespace picket::agent {

/// Texts that several entries have in common (paths, interpreters, command lines), each once, for as long as somebody
/// keeps it. One thread.
class TextPool {
 public:
  explicit TextPool(SipKey secret) : secret_(secret) {}
  ~TextPool();
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;

  /// The same text, valid until it was dropped as often as kept. Empty texts cost nothing.
  std::string_view keep(std::string_view text);
  void drop(std::string_view kept);
  [[nodiscard]] std::size_t bytes() const { return bytes_ + buckets_.capacity() * sizeof(void*); }

 private:
  struct Text {  // its characters follow
    Text* chain;
    std::uint32_t uses, size, hash;
  };
  Text*& place(std::uint32_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  void grow();

  SipKey secret_;
  std::vector<Text*> buckets_;
  std::size_t count_ = 0, bytes_ = 0;
};

/// The words that are not zero, small ones short. A record has 300 to 500 bytes, of which about 80 say something.
class PackedWords {
 public:
  explicit PackedWords(std::span<const std::uint64_t> words);
  void unpack(std::span<std::uint64_t> words) const;  ///< As many as were packed.
  [[nodiscard]] std::size_t bytes() const { return size_; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::uint16_t size_ = 0;
};

/// A record bit by bit; its views must outlive it, see TextPool.
template <class Record>
class Packed {
 public:
  explicit Packed(const Record& record) : words_(words_of(record)) {}
  [[nodiscard]] Record unpack() const {
    Words words;
    words_.unpack(words);
    Record record;
    std::memcpy(static_cast<void*>(&record), words.data(), sizeof record);
    return record;
  }
  [[nodiscard]] std::size_t bytes() const { return words_.bytes(); }

 private:
  static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) <= 1024);
  using Words = std::array<std::uint64_t, (sizeof(Record) + 7) / 8>;
  static Words words_of(const Record& record) {
    Words words{};
    std::memcpy(words.data(), static_cast<const void*>(&record), sizeof record);
    return words;
  }
  PackedWords words_;
};

/// A keyed hash of 128 bits stands for the parts of a key: an attacker who chooses command lines cannot aim at a
/// collision, and no second copy of a long text is kept.
using AggregateKey = SipHash128::Digest;

/// Part of what is in a SlotIndex.
struct SlotLinks {
  AggregateKey key;
  Duration window_start;
  Duration used;
  std::uint8_t collector = 0;  ///< Number within the table.

  SlotLinks* chain = nullptr;
  SlotLinks* before = nullptr;  ///< Used longer ago.
  SlotLinks* after = nullptr;
};

/// Slots by key, and in the order of their last use. Owns none of them.
class SlotIndex {
 public:
  [[nodiscard]] SlotLinks* find(const AggregateKey& key) const;
  void insert(SlotLinks& slot);  ///< As the last used one; its key must be new.
  void erase(SlotLinks& slot);
  void touch(SlotLinks& slot);  ///< It is the last used one now.

  [[nodiscard]] SlotLinks* oldest() const { return oldest_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return buckets_.capacity() * sizeof(void*); }

 private:
  SlotLinks*& place(const AggregateKey& key) { return buckets_[key.a & (buckets_.size() - 1)]; }
  void append(SlotLinks& slot);
  void unlink(SlotLinks& slot);
  void grow();

  std::vector<SlotLinks*> buckets_;
  SlotLinks *oldest_ = nullptr, *newest_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace picket::agent
