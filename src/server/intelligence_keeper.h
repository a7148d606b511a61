// Keeps threat intelligence up to date: reads feeds when they are due, makes sets of indicators and puts them in force,
// and looks for what is new in the events that are stored.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "api/indicators.h"
#include "intelligence/index_builder.h"
#include "intelligence_feeds.h"
#include "journal/journal.h"
#include "pipeline/indicators.h"
#include "retro_hunt.h"
#include "state/devices.h"
#include "state/intelligence.h"
#include "workspace/workspace.h"

namespace picket::server {

inline constexpr std::uint32_t kHuntDays = 30;  ///< Of hunts that follow a new set.
inline constexpr std::size_t kJobsMax = 1'000;

/// One thread of its own. Files: DIR/intelligence/{feeds,sets}, secrets in DIR/secrets/intelligence.
class IntelligenceKeeper final : public api::IndicatorDesk {
 public:
  struct Parts {
    state::Intelligence& state;
    state::Devices& devices;
    journal::Journal& messages;
    workspace::Workspace& workspace;
    const Clock& clock;
    std::string directory;
    std::string secrets;
    std::string hub;
  };
  /// Makes the folders. Errors: io.
  static Result<std::unique_ptr<IntelligenceKeeper>> open(Parts parts);
  ~IntelligenceKeeper() override;

  /// How the pipeline opens a set; outlived by the keeper's folder only.
  [[nodiscard]] pipeline::OpenIndicators opener() const;
  void start();
  void stop();

  void changed() override;
  Result<> set_secret(std::string_view feed, std::string_view secret) override;
  [[nodiscard]] bool has_secret(std::string_view feed) const override;
  void forget(std::string_view feed) override;
  Result<> refresh(std::string_view feed, bool force) override;
  std::expected<std::uint64_t, std::string> upload(std::string_view feed, std::string_view content,
                                                   bool force) override;
  [[nodiscard]] api::IndicatorLookUp look_up(std::string_view text) const override;
  [[nodiscard]] api::IndicatorSetState set() const override;
  Result<std::string> hunt(std::uint32_t days) override;

 private:
  struct Job {
    enum class Kind : std::uint8_t { refresh, hunt };
    Kind kind = Kind::refresh;
    std::string feed;
    bool force = false;
    state::RetroHuntRow hunt;
    std::shared_ptr<const intelligence::Index> before;  ///< Of a hunt: what was in force when it was new.
  };

  explicit IntelligenceKeeper(Parts parts);
  void run(const std::stop_token& stopping);
  void read_due_feeds(const std::stop_token& stopping);
  void make_set();
  Result<> put_in_force(const std::string& version, const intelligence::BuildReport& report);
  void hunt_in_events(Job job, const std::stop_token& stopping);
  void keep_hits(const state::RetroHuntRow& row, HuntResult& found);
  Result<journal::RecordId> append(std::string_view name, const std::string& version, std::string_view body);
  void remove_old_sets();
  [[nodiscard]] std::string set_file(const std::string& version) const { return parts_.directory + "/sets/" + version; }
  [[nodiscard]] std::shared_ptr<const intelligence::Index> current() const;
  Result<> push(Job job);

  Parts parts_;
  IntelligenceFeeds feeds_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;
  bool dirty_ = false;
  bool building_ = false;
  std::shared_ptr<const intelligence::Index> current_;
  std::string version_;
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace picket::server
