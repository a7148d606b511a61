#include "aggregate_store.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "agent/record.h"

namespace picket::agent {
namespace {

TEST(TextPool, KeepsEqualTextsOnceUntilTheLastIsDropped) {
  TextPool pool({1, 2});
  const std::string text = "/usr/bin/python3";
  const auto a = pool.keep(text), b = pool.keep(std::string(text));
  EXPECT_EQ(a, text);
  EXPECT_EQ(a.data(), b.data());
  const std::size_t one = pool.bytes();
  pool.drop(a);
  EXPECT_EQ(pool.bytes(), one);
  EXPECT_EQ(b, text);
  pool.drop(b);
  EXPECT_LT(pool.bytes(), one);
  EXPECT_TRUE(pool.keep("").empty());
  pool.drop({});
}

TEST(TextPool, EqualsAMapAfterAnyOperations) {
  TextPool pool({3, 4});
  std::multimap<std::string, std::string_view> model;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 3 != 0 || model.empty()) {
      const std::string text(random() % 5, static_cast<char>('a' + random() % 26));
      const std::string whole = text + std::to_string(random() % 300);
      model.emplace(whole, pool.keep(whole));
    } else {
      const auto gone = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      EXPECT_EQ(gone->first, gone->second);
      pool.drop(gone->second);
      model.erase(gone);
    }
  }
  for (const auto& [text, kept] : model) EXPECT_EQ(text, kept);
}

TEST(PackedWords, GiveBackWhatWasPacked) {
  std::mt19937_64 random(2);
  for (std::size_t count = 0; count <= 128; ++count) {
    std::vector<std::uint64_t> words(count), back(count, 7);
    for (auto& word : words) word = random() % 3 == 0 ? 0 : random() >> random() % 64;
    const PackedWords packed(words);
    packed.unpack(back);
    EXPECT_EQ(words, back);
    EXPECT_LE(packed.bytes(), count * 10 + count / 8 + 1);
  }
  const std::vector<std::uint64_t> highest(128, ~std::uint64_t{0});
  std::vector<std::uint64_t> back(128);
  PackedWords(highest).unpack(back);
  EXPECT_EQ(highest, back);
}

TEST(Packed, ARecordTakesAThirdOfItsSize) {
  ProcessRecord record{.time = {Timestamp{1'800'000'000'000'000}, Duration::hours(5)}, .origin = {"process", "ebpf"}};
  record.pid = 4711;
  record.ppid = 4710;
  record.executable = "/usr/bin/true";
  record.argv = "true";
  record.stdio[2] = {.kind = StdioFact::Kind::socket, .family = 2, .inode = 5, .remote = {{{192, 0, 2, 9}, 4}, 4444}};
  const Packed<ProcessRecord> packed(record);
  const ProcessRecord back = packed.unpack();
  EXPECT_EQ(back.pid, record.pid);
  EXPECT_EQ(back.executable.data(), record.executable.data());
  EXPECT_EQ(back.stdio, record.stdio);
  EXPECT_EQ(back.time.monotonic, record.time.monotonic);
  EXPECT_EQ(back.origin.tier, "ebpf");
  EXPECT_LT(packed.bytes(), sizeof record / (sizeof(void*) == 8 ? 3 : 2));
}

TEST(SlotIndex, FindsByKeyAndKeepsTheOrderOfUse) {
  std::vector<SlotLinks> slots(500);
  SlotIndex index;
  EXPECT_EQ(index.find({1, 2}), nullptr);
  for (std::uint64_t i = 0; i < slots.size(); ++i) {
    slots[i].key = {i % 7, i};  // few different hashes: chains
    index.insert(slots[i]);
  }
  for (std::uint64_t i = 0; i < slots.size(); ++i) EXPECT_EQ(index.find({i % 7, i}), &slots[i]);
  for (std::uint64_t i = 0; i < slots.size(); i += 2) index.touch(slots[i]);
  for (std::uint64_t i = 0; i < slots.size(); i += 3) index.erase(slots[i]);
  std::vector<std::uint64_t> order, wanted;
  for (SlotLinks* slot = index.oldest(); slot != nullptr; slot = slot->after) order.push_back(slot->key.b);
  for (const std::uint64_t even : {1U, 0U}) {
    for (std::uint64_t i = even; i < slots.size(); i += 2) {
      if (i % 3 != 0) wanted.push_back(i);
    }
  }
  EXPECT_EQ(order, wanted);
  EXPECT_EQ(index.size(), wanted.size());
  EXPECT_EQ(index.find({0, 0}), nullptr);
}

}  // namespace
}  // namespace picket::agent
