// collect: a file of the device as events, in parts.
#pragma once

#include <string>
#include <string_view>

#include "action.h"
#include "agent/event_loop.h"
#include "agent/record.h"
#include "base/core/json_reader.h"

namespace picket::agent {

/// Reads at once, so that hash and parts are of one content; sends kPartsPerTurn parts a turn of the loop, so that it
/// stays responsive. One file at a time. One thread: the loop's.
class FileCollection {
 public:
  static constexpr std::size_t kPartBytes = 24 << 10;
  static constexpr int kPartsPerTurn = 2;

  FileCollection(EventLoop& loop, RecordSink& sink);
  /// {"path": "/…"}: a regular file, reached without any symbolic link, of at most `bytes_max`, also one that
  /// the kernel makes up as it is read (/proc/PID/maps).
  ActionResult collect(const Json& arguments, std::size_t bytes_max, std::string_view command_id);

 private:
  void send_some();

  EventLoop& loop_;
  RecordSink& sink_;
  std::uint32_t timer_;
  std::string command_id_, path_, content_, hash_;
  std::size_t next_ = 0, parts_ = 0;
};

}  // namespace picket::agent
