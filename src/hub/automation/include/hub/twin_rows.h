// Twins and device jobs as rows of queries.
#pragma once

#include <string>

#include "hub/query.h"
#include "hub/twins.h"
#include "state/configurations.h"
#include "state/jobs.h"

namespace picket::hub {

/// Streams the twins of one hub page by page: never all in memory.
/// `configurations` not nullptr: each document carries "configurations": {id:
/// {"status": "Applied" or "Targeted"}}.
class TwinRows final : public RowSource {
 public:
  TwinRows(const Twins& twins, std::string hub, state::TwinKind kind, const state::Configurations* configurations)
      : twins_(twins), hub_(std::move(hub)), kind_(kind), configurations_(configurations) {}
  HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view second,
                                         std::size_t count_max) override;
  HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) override;

 private:
  HubResult<QueryRow> row_of(const state::TwinRow& row) const;
  const Twins& twins_;
  std::string hub_;
  state::TwinKind kind_;
  const state::Configurations* configurations_;
};

/// devices.jobs
class DeviceJobRows final : public RowSource {
 public:
  DeviceJobRows(const state::Jobs& jobs, std::string hub) : jobs_(jobs), hub_(std::move(hub)) {}
  HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view second,
                                         std::size_t count_max) override;
  HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) override;

 private:
  HubResult<std::vector<QueryRow>> rows_of(const std::vector<state::DeviceJobRow>& rows) const;
  const state::Jobs& jobs_;
  std::string hub_;
};

/// Whether the query looks at "configurations".
bool reads_configurations(const Query& query);

}  // namespace picket::hub
