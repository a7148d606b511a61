// Records about the hub in the shape of Azure's resource logs: what diagnostic settings send and the API exports.
// docs/formats/diagnostics.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "journal/record.h"

namespace picket::pipeline {

/// What a line says of the hub besides the record.
struct DiagnosticSource {
  std::string resource_id;
  std::string location;
};

struct DiagnosticLine {
  std::string_view category;  ///< "Connections", …; static storage.
  std::string hub;
  std::string json;  ///< One object, no line break.
};

/// Asked once a record: nullopt, and nothing is written for it.
using DiagnosticWanted =
    std::function<std::optional<DiagnosticSource>(std::string_view hub, std::string_view category)>;

/// nullopt: no record about the hub, not readable, not wanted, or the count of telemetry that went well, which IoT Hub
/// does not log. Addresses are masked, since this leaves the installation.
std::optional<DiagnosticLine> diagnostic_line(const journal::RecordView& record, const DiagnosticWanted& wanted);

/// "203.0.113.XXX"; of IPv6 the first three groups stay. What is no address: "".
std::string masked_address(std::string_view address);

}  // namespace picket::pipeline
