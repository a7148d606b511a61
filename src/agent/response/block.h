// block and unblock: programs that must not start, by the SHA-256 of their content.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "action.h"
#include "agent/event_loop.h"
#include "agent/response_settings.h"
#include "base/core/file.h"
#include "base/core/json_reader.h"
#include "block_list.h"

namespace picket::agent {

/// The kernel asks before each start of a program (fanotify(7), FAN_OPEN_EXEC_PERM; Linux 5.0), only while something is
/// blocked. Whatever goes wrong, the program starts: this must never hold up the device. When the agent stops, its
/// descriptor closes and everything starts. One thread: the loop's.
class Block {
 public:
  /// Refused: a blocked program was to start. Unchecked: a program started without a look at its content.
  enum class Notice : std::uint8_t { refused, unchecked, list };
  /// Gets what is to be said, with the JSON of its arguments; at most kNoticesMax of each kind in kNoticeWindow.
  using OnNotice = std::function<void(Notice notice, std::string_view command_id, const std::string& arguments,
                                      const std::string& text)>;
  static constexpr unsigned kNoticesMax = 20;
  static constexpr Duration kNoticeWindow = Duration::minutes(10);
  static constexpr std::size_t kCachedMax = 1'024;  ///< Hashes of files that did not change; some 80 KiB.
  /// Hashed in one turn of the loop; starts beyond it wait for the next one.
  static constexpr std::size_t kHashedATurn = 32U << 20;

  struct Counters {
    std::uint64_t seen = 0;       ///< Starts that the kernel asked about: started + refused.
    std::uint64_t refused = 0;    ///< Blocked programs that did not start.
    std::uint64_t unchecked = 0;  ///< Started, since the file was too large or could not be read.
    /// Questions that the kernel answered itself: yes when its queue was full, no when it could not give the file.
    std::uint64_t lost = 0;
  };

  /// `settings` outlive it.
  Block(EventLoop& loop, const ResponseSettings& settings, std::string list_file, OnNotice on_notice);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// At the start: goes on with the list that a former run left.
  void resume();
  /// {"sha256": 64 hex digits}. The agent's own program is not blocked.
  ActionResult block(const Json& arguments, std::string_view command_id);
  ActionResult unblock(const Json& arguments);
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  /// A content: changes of it change these. Nobody but root's clock can set a change time back.
  struct FileKey {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    friend bool operator==(const FileKey&, const FileKey&) = default;
  };
  struct Cached {
    FileKey key;
    std::optional<Sha256> hash;  ///< nullopt: too large, and said so.
  };
  struct NoticeLimit {
    Duration begin;
    unsigned shown = 0;
    std::uint64_t hidden = 0;
  };

  static FileKey key_of(const struct stat& info);
  Result<> watch();
  void mark_file_systems();
  void stop();
  void on_ready();
  bool may_start(int file, pid_t pid);
  std::optional<Sha256> hash_of(int file, const struct stat& info, pid_t pid);
  void unchecked(int file, pid_t pid, const std::string& why);
  void notice(Notice kind, std::string_view command_id, int file, pid_t pid, const std::string& text);
  ActionResult answer(std::string text) const;

  EventLoop& loop_;
  const ResponseSettings& settings_;
  BlockList list_;
  OnNotice on_notice_;
  UniqueFd events_, mounts_;
  std::size_t marked_ = 0, not_marked_ = 0;  ///< Mount points.
  int mark_error_ = 0;                       ///< Of the last of them.
  std::size_t hashed_ = 0;                   ///< Bytes, in this turn.
  std::vector<Cached> cache_;
  std::array<NoticeLimit, 2> limits_;  ///< By Notice.
  Counters counters_;
};

}  // namespace picket::agent
