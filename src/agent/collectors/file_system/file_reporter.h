// From a change that a tier saw to the event that is sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/collector.h"
#include "agent/user_names.h"
#include "message/events.h"

namespace picket::agent {

struct FileChange {
  message::FileMask mask = message::FileMask::Modified;
  std::string_view path;
  std::string_view old_path;  ///< Moved only; empty: unknown.
  std::uint32_t pid = 0;      ///< 0: unknown.
  bool is_folder = false;
};

/// Adds what the file is now (mode, hash) and who did it, and sends it, counted by path, mask and program. One thread.
class FileReporter {
 public:
  FileReporter(const Environment& environment, Origin origin) : environment_(environment), origin_(origin) {}

  /// Before the changes of one batch: what was looked up for the last change of the batch before is forgotten. Equal
  /// changes in a row of one batch are counted each, but looked up once.
  void begin_batch() { last_path_.clear(); }
  void report(const FileChange& change, Moment time);
  /// Something was lost in the kernel; it does not say how much.
  void lost() {
    ++counters_.seen;
    ++counters_.dropped_kernel;
  }
  /// Something is past a bound of ours.
  void refused() {
    ++counters_.seen;
    ++counters_.dropped_user;
  }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void look_up(const FileChange& change);
  void look_up_process(std::uint32_t pid);

  Environment environment_;
  Origin origin_;
  UserNames users_;
  Counters counters_;
  // Of the last change:
  message::FileMask last_mask_{};
  std::uint32_t last_pid_ = 0;
  std::string last_path_, mode_, hash_, executable_, user_id_, user_name_;
};

/// SHA-256 of a regular file of at most `bytes_max`, lower-case hex; empty: larger, unreadable, or no file. Never waits
/// (a FIFO is no file).
std::string hash_of_file(const std::string& path, std::size_t bytes_max);

}  // namespace picket::agent
