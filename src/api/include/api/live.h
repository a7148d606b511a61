// Live updates: what changed, kept for a while so that a reader can resume, and told to whoever listens.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"

namespace picket::api {

inline constexpr std::size_t kLiveEventsKept = 1024;
inline constexpr std::size_t kLiveReadersMax = 256;
inline constexpr std::size_t kDirtyDevicesMax = 10'000;

/// One ring of frames for all readers: a reader is only a place in it, so a slow one costs nothing and is closed once
/// the ring has gone past it. Any thread.
class Live {
 public:
  using Frame = std::shared_ptr<const std::string>;

  /// `epoch` tells the ids of this run from those of earlier ones: the start time will do.
  explicit Live(std::string_view epoch);

  /// An alert was raised, updated or triaged and stored; `json` is an AlertChange of the OpenAPI document.
  void alert(std::string_view json) { publish("alert", json); }
  /// An incident was made, has grown or was triaged and stored; `json` is an Incident of the OpenAPI document.
  void incident(std::string_view json) { publish("incident", json); }
  /// The device needs a new summary; the server makes it, at most once a second for each device.
  void device_changed(std::string_view device_id);
  void device(std::string_view json) { publish("device", json); }
  /// Replaces the newest statistics; they carry no id and are not resumed.
  void stats(std::string_view json);
  /// Ids since the last call; when there were more than kDirtyDevicesMax, the rest is counted in devices_skipped().
  std::vector<std::string> take_changed_devices();
  /// Ends all readers.
  void close();

  /// A reader's place. `wake` is called from the publishing thread; it must be quick and not call back.
  class Reader {
   public:
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Frames since the last call, at most `count_max`. nullopt: closed, or fallen behind the ring.
    std::optional<std::vector<Frame>> next(std::size_t count_max);

   private:
    friend class Live;
    Reader(Live& live, std::function<void()> wake) : live_(live), wake_(std::move(wake)) {}
    Live& live_;
    std::function<void()> wake_;
    std::uint64_t sequence_ = 0;  ///< Of the last frame given.
    std::uint64_t stats_seen_ = 0;
    bool reset_ = false;
  };

  /// nullptr: too many readers, or closed. `last_event_id`: what the reader has seen, "" for a new one; when that is no
  /// longer known, its first frame is `reset`.
  std::unique_ptr<Reader> subscribe(std::string_view last_event_id, std::function<void()> wake);

  [[nodiscard]] std::size_t readers() const;
  [[nodiscard]] std::uint64_t published() const;
  [[nodiscard]] std::uint64_t readers_refused() const { return refused_; }
  [[nodiscard]] std::uint64_t readers_behind() const { return behind_; }
  [[nodiscard]] std::uint64_t devices_skipped() const { return devices_skipped_; }

 private:
  void publish(std::string_view name, std::string_view json);
  void wake_all();

  const std::string epoch_;
  mutable std::mutex mutex_;
  std::deque<Frame> ring_;
  std::uint64_t newest_ = 0;  ///< Sequence of ring_.back().
  Frame stats_;
  std::uint64_t stats_version_ = 0;
  std::set<Reader*> readers_;
  std::set<std::string, std::less<>> changed_devices_;
  bool closed_ = false;
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> behind_{0};
  std::atomic<std::uint64_t> devices_skipped_{0};
};

}  // namespace picket::api
