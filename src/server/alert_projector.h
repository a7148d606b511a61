// Makes the alert list (state) and the table SecurityAlert (workspace) out of the derived journal.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/core/result.h"
#include "journal/journal.h"
#include "state/alerts.h"
#include "workspace/workspace.h"

namespace picket::server {

enum class AlertEvent { raised, updated, triaged };

/// Both projections are idempotent and have positions of their own, so it begins where the one that is further behind
/// stands. Owns one thread.
class AlertProjector {
 public:
  /// Called on the projector's thread after a change is in both projections.
  using Listener = std::function<void(AlertEvent, const state::Alert&)>;

  /// `table`: place of SecurityAlert in the workspace's schema.
  AlertProjector(journal::Journal& derived, state::Alerts& alerts, workspace::Workspace& workspace,
                 workspace::TableIndex table, std::string installation_id, Listener listener);
  ~AlertProjector() { stop(); }

  /// Begins to read. Errors: as of Journal::reader and Alerts::position.
  Result<> start();
  void stop();

  struct Stats {
    std::uint64_t changes = 0;  ///< Alert changes applied to the list.
    std::uint64_t triages = 0;
    std::uint64_t rejected = 0;  ///< Records that could not be read; logged with their position.
    std::uint64_t retries = 0;   ///< Times a projection could not take a record and it was tried again.
  };
  [[nodiscard]] Stats stats() const;

 private:
  void run(const std::stop_token& stopping);
  Result<> apply(const journal::RecordView& record);
  Result<> apply_change(const journal::RecordView& record, const std::string& position);
  Result<> apply_triage(const journal::RecordView& record, const std::string& position);
  Result<> append_row(const journal::RecordView& record, std::span<const workspace::Row> rows);

  journal::Journal& derived_;
  state::Alerts& alerts_;
  workspace::Workspace& workspace_;
  workspace::TableIndex table_;
  std::string installation_id_;
  Listener listener_;
  std::unique_ptr<journal::Reader> reader_;
  std::jthread thread_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> triages_ = 0;
  std::atomic<std::uint64_t> rejected_ = 0;
  std::atomic<std::uint64_t> retries_ = 0;
};

/// Body of a triage record in the derived journal, and back. Errors: malformed "triage.…".
std::string to_json(const state::Triage& triage);
Result<state::Triage> parse_triage(std::string_view json);

}  // namespace picket::server
