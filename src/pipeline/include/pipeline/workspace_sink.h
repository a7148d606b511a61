// The workspace as a RowSink.
#pragma once

#include "pipeline/row_sink.h"
#include "workspace/workspace.h"

namespace picket::pipeline {

class WorkspaceSink final : public RowSink {
 public:
  explicit WorkspaceSink(workspace::Workspace& workspace) : workspace_(workspace) {}
  Result<> append(std::string_view stream, std::uint64_t through, std::span<const workspace::Row> rows) override {
    return workspace_.append(stream, through, rows);
  }
  std::uint64_t sealed_through(std::string_view stream) const override { return workspace_.sealed_through(stream); }

 private:
  workspace::Workspace& workspace_;
};

}  // namespace picket::pipeline
