#include "base/server/queue.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace picket {
namespace {

using std::chrono::milliseconds;

TEST(BoundedQueue, RefusesAndCountsWhatExceedsItsCapacity) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.offer(1));
  EXPECT_TRUE(queue.offer(2));
  EXPECT_FALSE(queue.offer(3));
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_EQ(queue.take(milliseconds(0)), 1);
  EXPECT_TRUE(queue.offer(4));
}

TEST(BoundedQueue, DrainsWhatItHoldsAfterClose) {
  BoundedQueue<int> queue(4);
  ASSERT_TRUE(queue.offer(1));
  queue.close();
  EXPECT_FALSE(queue.offer(2));
  EXPECT_EQ(queue.take(milliseconds(1000)), 1);
  EXPECT_EQ(queue.take(milliseconds(1000)), std::nullopt);
}

TEST(BoundedQueue, GivesEveryAcceptedItemToExactlyOneConsumer) {
  constexpr int kItems = 20'000;
  BoundedQueue<int> queue(64);
  std::vector<std::atomic<int>> seen(kItems);
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 2; ++i) {
    consumers.emplace_back([&] {
      while (!queue.closed() || queue.size() > 0) {
        if (const auto item = queue.take(milliseconds(5))) ++seen[static_cast<std::size_t>(*item)];
      }
    });
  }
  for (int i = 0; i < kItems; ++i) {
    while (!queue.offer(i)) std::this_thread::yield();
  }
  queue.close();
  consumers.clear();
  for (const auto& count : seen) ASSERT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace picket
