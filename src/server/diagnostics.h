// Sends records about the hubs to the sinks of their diagnostic settings.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/core/result.h"
#include "base/core/time.h"
#include "diagnostic_files.h"
#include "hub/hub_settings.h"
#include "journal/journal.h"

namespace picket::server {

struct DiagnosticsOptions {
  std::string directory;                      ///< Of the files; made when it is needed.
  std::uint64_t bytes_max = 1ULL << 30;       ///< Of all files.
  std::uint64_t lag_records_max = 4'000'000;  ///< While the disk refuses: above it records are given up.
  std::function<void(std::string_view)> log;
};

struct DiagnosticsStats {
  bool running = false;  ///< A hub has a setting that sends.
  std::uint64_t written = 0;
  std::uint64_t repeated = 0;        ///< Offered again after a crash, and recognised.
  std::uint64_t dropped_room = 0;    ///< The files of one hour reach the bound.
  std::uint64_t dropped_lag = 0;     ///< Journal records given up: the disk refused for too long, or retention went by.
  std::uint64_t write_failures = 0;  ///< Tried again each second.
  std::uint64_t files_removed = 0;   ///< Oldest hours, to stay below the bound.
  std::uint64_t bytes = 0;
  std::uint64_t lag_records = 0;
};

/// While a hub has a setting with the storage sink: one thread and a consumer "diagnostics" of the journal, which moves
/// only over lines that are on the disk. Otherwise neither: nothing is read. A setting acts on records that come after
/// it; without any, the place in the journal is forgotten.
class Diagnostics {
 public:
  /// All outlive it.
  Diagnostics(journal::Journal& journal, const hub::HubSettingsStore& settings, const Clock& clock,
              DiagnosticsOptions options);
  ~Diagnostics();
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  /// Starts or ends the work as settings say. Cheap; call it now and then, from one thread. The first call goes on
  /// where an earlier run stopped. Errors: those of the journal and the directory; the next call tries again.
  Result<> follow_settings();
  /// What was read is written first.
  void stop();
  [[nodiscard]] DiagnosticsStats stats() const;

 private:
  [[nodiscard]] bool wanted() const;
  Result<> start(bool resume);
  void run(const std::stop_token& stop);
  /// False: something could not be written; the same records are to be read again.
  bool carry(const journal::Batch& batch);
  bool keep(const journal::RecordView& record);
  void give_up(const journal::Position& from, const journal::Position& to);
  void complain(const Error& error);

  journal::Journal& journal_;
  const hub::HubSettingsStore& settings_;
  const Clock& clock_;
  DiagnosticsOptions options_;
  std::unique_ptr<DiagnosticFiles> files_;   ///< The thread's.
  std::unique_ptr<journal::Reader> reader_;  ///< The thread's.
  bool first_ = true;
  std::atomic<std::uint64_t> written_ = 0, repeated_ = 0, dropped_room_ = 0, dropped_lag_ = 0, failures_ = 0,
                             removed_ = 0, bytes_ = 0, done_ = 0;
  std::atomic<bool> running_ = false;
  std::jthread thread_;
};

}  // namespace picket::server
