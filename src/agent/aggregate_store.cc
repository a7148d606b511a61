#include "aggregate_store.h"

#include <cstdlib>
#include <new>

#include "base/core/bytes.h"

namespace picket::agent {
namespace {

constexpr std::size_t kBucketsMin = 64;
constexpr std::size_t kBlockBytes = 16;  // what the allocator adds to a block

}  // namespace

TextPool::~TextPool() {
  for (Text* text : buckets_) {
    while (text != nullptr) {
      Text* const gone = text;
      text = text->chain;
      std::free(gone);
    }
  }
}

std::string_view TextPool::keep(std::string_view text) {
  if (text.empty()) return {};
  if (count_ >= buckets_.size()) grow();
  const auto hash = static_cast<std::uint32_t>(siphash24(secret_, as_bytes(text)));
  for (Text* each = place(hash); each != nullptr; each = each->chain) {
    auto* const characters = reinterpret_cast<char*>(each + 1);
    if (each->hash != hash || std::string_view(characters, each->size) != text) continue;
    ++each->uses;
    return {characters, each->size};
  }
  void* const block = std::malloc(sizeof(Text) + text.size());
  if (block == nullptr) std::abort();  // as operator new does here
  Text*& first = place(hash);
  first = new (block) Text{.chain = first, .uses = 1, .size = static_cast<std::uint32_t>(text.size()), .hash = hash};
  ++count_;
  bytes_ += sizeof(Text) + text.size() + kBlockBytes;
  auto* const characters = reinterpret_cast<char*>(first + 1);
  std::memcpy(characters, text.data(), text.size());
  return {characters, text.size()};
}

void TextPool::drop(std::string_view kept) {
  if (kept.empty()) return;
  auto* const gone = reinterpret_cast<Text*>(const_cast<char*>(kept.data())) - 1;
  if (--gone->uses > 0) return;
  Text** link = &place(gone->hash);
  while (*link != gone) link = &(*link)->chain;
  *link = gone->chain;
  --count_;
  bytes_ -= sizeof(Text) + gone->size + kBlockBytes;
  std::free(gone);
}

void TextPool::grow() {
  std::vector<Text*> old(buckets_.empty() ? kBucketsMin : 2 * buckets_.size());
  old.swap(buckets_);
  for (Text* text : old) {
    while (text != nullptr) {
      Text* const next = text->chain;
      text->chain = place(text->hash);
      place(text->hash) = text;
      text = next;
    }
  }
}

// Each eight words: a byte that tells which are not zero, then those, seven bits a byte, the lowest first.
PackedWords::PackedWords(std::span<const std::uint64_t> words) {
  std::array<std::uint8_t, 128 * 10 + 16> out;
  std::size_t size = 0;
  for (std::size_t at = 0; at < words.size(); at += 8) {
    std::uint8_t& present = out[size++];
    present = 0;
    for (std::size_t i = 0; i < 8 && at + i < words.size(); ++i) {
      std::uint64_t word = words[at + i];
      if (word == 0) continue;
      present = static_cast<std::uint8_t>(present | 1U << i);
      for (; word >= 0x80; word >>= 7) out[size++] = static_cast<std::uint8_t>(word | 0x80);
      out[size++] = static_cast<std::uint8_t>(word);
    }
  }
  bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  std::memcpy(bytes_.get(), out.data(), size);
  size_ = static_cast<std::uint16_t>(size);
}

void PackedWords::unpack(std::span<std::uint64_t> words) const {
  const std::uint8_t* in = bytes_.get();
  for (std::size_t at = 0; at < words.size(); at += 8) {
    const unsigned present = *in++;
    for (std::size_t i = 0; i < 8 && at + i < words.size(); ++i) {
      std::uint64_t word = 0;
      if ((present >> i & 1U) != 0) {
        unsigned shift = 0;
        do {
          word |= std::uint64_t{*in & 0x7fU} << shift;
          shift += 7;
        } while ((*in++ & 0x80U) != 0);
      }
      words[at + i] = word;
    }
  }
}

SlotLinks* SlotIndex::find(const AggregateKey& key) const {
  if (buckets_.empty()) return nullptr;
  SlotLinks* slot = buckets_[key.a & (buckets_.size() - 1)];
  while (slot != nullptr && !(slot->key == key)) slot = slot->chain;
  return slot;
}

void SlotIndex::insert(SlotLinks& slot) {
  if (count_ >= buckets_.size()) grow();
  slot.chain = place(slot.key);
  place(slot.key) = &slot;
  ++count_;
  append(slot);
}

void SlotIndex::erase(SlotLinks& slot) {
  SlotLinks** link = &place(slot.key);
  while (*link != &slot) link = &(*link)->chain;
  *link = slot.chain;
  --count_;
  unlink(slot);
}

void SlotIndex::touch(SlotLinks& slot) {
  if (newest_ == &slot) return;
  unlink(slot);
  append(slot);
}

void SlotIndex::append(SlotLinks& slot) {
  slot.before = newest_;
  slot.after = nullptr;
  (newest_ != nullptr ? newest_->after : oldest_) = &slot;
  newest_ = &slot;
}

void SlotIndex::unlink(SlotLinks& slot) {
  (slot.before != nullptr ? slot.before->after : oldest_) = slot.after;
  (slot.after != nullptr ? slot.after->before : newest_) = slot.before;
}

void SlotIndex::grow() {
  buckets_.assign(buckets_.empty() ? kBucketsMin : 2 * buckets_.size(), nullptr);
  for (SlotLinks* slot = oldest_; slot != nullptr; slot = slot->after) {
    slot->chain = place(slot->key);
    place(slot->key) = slot;
  }
}

}  // namespace picket::agent
