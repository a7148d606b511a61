// What the pipeline writes to the derived journal, in the order in which it was found.
#pragma once

#include <string>
#include <variant>

#include "journal/record.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "pipeline/recommendation.h"

namespace picket::pipeline {

using DerivedChange = std::variant<AlertChange, RecommendationChange, IncidentChange>;

[[nodiscard]] const std::string& id_of(const DerivedChange& change);
[[nodiscard]] std::uint32_t number_of(const DerivedChange& change);
[[nodiscard]] const Identity& device_of(const DerivedChange& change);
[[nodiscard]] Timestamp generated_of(const DerivedChange& change);
[[nodiscard]] journal::RecordId source_of(const DerivedChange& change);
[[nodiscard]] journal::RecordKind record_kind_of(const DerivedChange& change);
[[nodiscard]] std::string body_of(const DerivedChange& change);

/// The kinds of derived records that hold one.
[[nodiscard]] bool is_change(journal::RecordKind kind);
/// Of a record of the derived journal; other kinds: unsupported "derived.kind".
Result<DerivedChange> parse_derived_change(journal::RecordKind kind, std::string_view body);

}  // namespace picket::pipeline
