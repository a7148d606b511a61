// Where rows go. The workspace fits it as it is: see workspace_sink.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/result.h"
#include "workspace/rows.h"

namespace picket::pipeline {

class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Adds the rows of all records after the sink's end up to and including `through`, all or nothing; rows that it
  /// holds already are skipped. Errors: limit_exceeded "….full" (try again), everything else is final.
  virtual Result<> append(std::string_view stream, std::uint64_t through, std::span<const workspace::Row> rows) = 0;
  /// Last sequence whose rows survive a crash; 0: none.
  [[nodiscard]] virtual std::uint64_t sealed_through(std::string_view stream) const = 0;
};

}  // namespace picket::pipeline
