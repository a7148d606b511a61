// After a start: when each device was last heard of, from the rows that are stored.
#pragma once

#include <stop_token>
#include <thread>

#include "base/core/time.h"
#include "presence.h"
#include "workspace/workspace.h"

namespace picket::server {

/// Reads in a thread of its own, a day at a time, the newest first: all at once would take the threads of the queries
/// for seconds, when people wait for their first answer. Others' queries go first. Ends when it has read everything,
/// when reading fails (that is logged) or with the destructor. The workspace, the presence and the clock outlive it.
class ActivityReader {
 public:
  ActivityReader(workspace::Workspace& workspace, Presence& presence, const Clock& clock);

 private:
  void read_all(const std::stop_token& stopping);
  /// False: do not go on.
  bool read(Timestamp from, Timestamp to, const std::stop_token& stopping);
  void wait_for_quiet(const std::stop_token& stopping) const;

  workspace::Workspace& workspace_;
  Presence& presence_;
  const Clock& clock_;
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace picket::server
