// Rows of the table HubOperations.
#pragma once

#include <string_view>

#include "hub_record.h"
#include "row_batch.h"

namespace picket::pipeline {

/// How IoT Hub's resource logs call it (hub.md, section 1.6); what they do not have, we name ourselves.
struct OperationName {
  std::string_view category;
  std::string_view name;
};
OperationName operation_name(const HubRecord& record);
/// "Information", "Warning", "Error".
std::string_view level_of(const HubRecord& record);

/// Details of a row; a longer body is replaced by a short object that says so.
inline constexpr std::size_t kHubDetailsBytesMax = 64U << 10;

void add_hub_row(const HubRecord& record, workspace::TableIndex table, RowBatch& batch);

}  // namespace picket::pipeline
