// The pipeline's rows on their way into the workspace, counted: events by minute, newest message of each device.
#pragma once

#include <optional>

#include "api/event_rate.h"
#include "pipeline/row_sink.h"
#include "presence.h"
#include "workspace/schema.h"

namespace picket::server {

/// Everything referred to outlives it. One thread, the pipeline's.
class ActivitySink final : public pipeline::RowSink {
 public:
  ActivitySink(pipeline::RowSink& next, const workspace::Schema& schema, Presence& presence, api::EventRate& events,
               api::EventRate& dead_letters);
  Result<> append(std::string_view stream, std::uint64_t through, std::span<const workspace::Row> rows) override;
  [[nodiscard]] std::uint64_t sealed_through(std::string_view stream) const override {
    return next_.sealed_through(stream);
  }

 private:
  /// Places of the identity's columns; all event tables begin with the same ones.
  struct IdentityColumns {
    std::size_t hub;
    std::size_t device_id;
    std::size_t module_id;
  };
  void note(std::span<const workspace::Row> rows);

  pipeline::RowSink& next_;
  std::optional<workspace::TableIndex> dead_letter_table_;
  IdentityColumns columns_;
  Presence& presence_;
  api::EventRate& events_;
  api::EventRate& dead_letters_;
};

}  // namespace picket::server
