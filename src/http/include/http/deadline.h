// A time limit on whatever a connection is doing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/core/time.h"
#include "net/stream.h"

namespace picket::http {

/// Closes the stream when time is up. Lives on the connection's thread, shorter than the stream.
class Deadline {
 public:
  Deadline(net::Stream& stream, std::atomic<std::uint64_t>& expired);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(Duration after);
  void clear();

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< Shared with the handler of the timer, which may run after the deadline has gone.
};

}  // namespace picket::http
