#include "base/core/json_writer.h"
#include "hub/commands.h"

namespace picket::hub {

std::string to_json(const FeedbackBatch& batch) {
  JsonWriter json;
  json.begin_array();
  for (const auto& record : batch.records) {
    json.begin_object()
        .key("originalMessageId")
        .value(record.original_message_id)
        .key("enqueuedTimeUtc")
        .value(record.enqueued)
        .key("statusCode")
        .value(record.status_code)
        .key("description")
        .value(record.description)
        .key("deviceId")
        .value(record.device_id)
        .key("deviceGenerationId")
        .value(record.generation_id)
        .end_object();
  }
  return json.end_array().take();
}

}  // namespace picket::hub
