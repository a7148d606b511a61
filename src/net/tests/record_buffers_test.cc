#include "record_buffers.h"

#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/crypto.h>

namespace picket::net {
namespace {

constexpr std::size_t kRecordBuffer = 16'704;  // what OpenSSL 3.0 takes to read a record

TEST(RecordBuffers, OpenSslAllocatesThroughThisModule) { EXPECT_TRUE(keeps_record_buffers()); }

TEST(RecordBuffers, WhatWasGivenBackLastIsTakenFirst) {
  void* first = OPENSSL_malloc(kRecordBuffer);
  OPENSSL_free(first);
  void* second = OPENSSL_malloc(kRecordBuffer + 500);  // a write's buffer is larger
  EXPECT_EQ(first, second);
  std::memset(second, 0x5A, kRecordBuffer + 500);
  OPENSSL_free(second);
}

TEST(RecordBuffers, OthersAndResizedOnesKeepTheirContent) {
  auto* block = static_cast<unsigned char*>(OPENSSL_malloc(100));
  std::memset(block, 0x5A, 100);
  for (const std::size_t bytes : {std::size_t{17'000}, std::size_t{100'000}, kRecordBuffer, std::size_t{100}}) {
    block = static_cast<unsigned char*>(OPENSSL_realloc(block, bytes));
    ASSERT_NE(block, nullptr);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(block[i], 0x5A) << bytes;
  }
  OPENSSL_free(block);
  OPENSSL_free(nullptr);
}

TEST(RecordBuffers, MoreThanAThreadKeepsAndFromAnotherThreadAreGivenBackToo) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 20; ++i) blocks.push_back(OPENSSL_malloc(kRecordBuffer));
    for (int i = 0; i < 10; ++i) OPENSSL_free(blocks[static_cast<std::size_t>(i)]);
  }).join();
  for (std::size_t i = 10; i < blocks.size(); ++i) {
    std::memset(blocks[i], 0x5A, kRecordBuffer);  // sanitizers tell when it is not ours any more
    OPENSSL_free(blocks[i]);
  }
}

}  // namespace
}  // namespace picket::net
