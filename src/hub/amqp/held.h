// Work that waits for its time, in the order it came.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

#include "base/core/time.h"

namespace picket::hub::amqp {

/// Its owner bounds how much comes (by credit), and asks again when time has passed.
template <class T>
class Held {
 public:
  /// `due` is monotonic; nothing overtakes what came before.
  void put(Duration due, T item) {
    last_ = std::max(last_, due);
    items_.push_back({last_, std::move(item)});
  }
  /// The next, when its time has come; nullptr: nothing is due.
  [[nodiscard]] T* due(Duration now) {
    return items_.empty() || items_.front().due > now ? nullptr : &items_.front().item;
  }
  void pop() { items_.pop_front(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }

 private:
  struct Item {
    Duration due;
    T item;
  };
  std::deque<Item> items_;
  Duration last_{};
};

}  // namespace picket::hub::amqp
