// Raw events that alerts were made of, read back from the workspace by their row ids.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/json_writer.h"
#include "base/core/time.h"
#include "router.h"

namespace picket::api {

inline constexpr std::size_t kEvidenceRowsMax = 100;  ///< Of one answer.

/// One row that an alert names.
struct EvidenceName {
  std::int64_t position = 0;
  std::int64_t event = 0;
  std::int64_t item = 0;
  std::string raw_event_id;
  std::string time;  ///< RFC 3339, as the alert says it.
};
/// Of an alert's record (docs/formats/alert.md).
std::vector<EvidenceName> evidence_of(std::string_view alert_json);

/// A row of SecurityIoTRawEvent, or of HubOperations where the hub itself told of it.
struct RawRow {
  EvidenceName name;
  std::string table;
  std::vector<std::pair<std::string, std::string>> columns;  ///< Name and value as JSON, in the table's order.
};

/// Rows that still exist, in the order of the names. What retention has removed, or cannot be read within five seconds,
/// is left out.
std::vector<RawRow> read_raw_rows(const Call& call, const std::vector<EvidenceName>& names);

/// Member "items": the rows; "missing": IoTRawEventIds of those that are gone; "query": KQL that finds the same.
void write_raw_rows(JsonWriter& out, const Call& call, const std::vector<EvidenceName>& names);

}  // namespace picket::api
