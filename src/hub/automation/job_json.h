// Jobs as IoT Hub's JSON. Private to this library.
#pragma once

#include <string>
#include <string_view>

#include "configuration_content.h"
#include "hub/jobs.h"

namespace picket::hub {

/// A row from the body of a PUT; hub, id and actor are the caller's. Errors:
/// 400, 413.
HubResult<state::JobRow> parse_job(std::string_view body, Timestamp now);

/// What a job does, from its stored request.
struct JobTask {
  TargetCondition target;
  TwinChange change;
  std::string if_match;
  JobMethod method;
};
HubResult<JobTask> parse_task(const state::JobRow& job);

JsonValue job_json(const state::JobRow& job, const state::JobCounts& counts);
std::optional<state::JobKind> job_kind_from(std::string_view type);
std::optional<state::JobStatus> job_status_from(std::string_view status);

}  // namespace picket::hub
