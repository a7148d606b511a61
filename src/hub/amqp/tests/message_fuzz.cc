// Bytes of a message into the decoder. Claims: no crash; what was read can be written and is read as the same again; a
// batch's messages lie inside it.
#include <cstdlib>

#include "message.h"
#include "telemetry_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::hub::amqp;
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto message = read_message(bytes)) {
    const auto written = write_message(*message);
    const auto again = read_message(written);
    if (again && write_message(*again) != written) std::abort();
  }
  if (const auto batch = read_batch(bytes)) {
    for (const auto one : *batch) {
      if (one.data() < bytes.data() || one.data() + one.size() > bytes.data() + bytes.size()) std::abort();
    }
  }
  for (const auto format : {0U, kBatchedFormat}) {
    const auto records = read_telemetry(bytes, format);
    if (!records) continue;
    for (const auto& record : *records) {
      if (record.properties.size() > kTelemetryPropertiesMax) std::abort();
      for (const auto& [name, value] : record.properties) {
        if (name.starts_with("iothub-connection-")) std::abort();
      }
    }
  }
  return 0;
}
