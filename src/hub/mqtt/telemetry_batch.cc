#include "telemetry_batch.h"

#include "hub/throttle.h"

namespace picket::hub {
namespace {

/// What counts towards the size of a message: values of system properties, names and values of the others.
std::size_t counted_bytes(std::span<const mqtt::PropertyView> properties) {
  std::size_t bytes = 0;
  for (const auto& property : properties) {
    if (!property.name.starts_with("$.")) bytes += property.name.size();
    if (property.value) bytes += property.value->size();
  }
  return bytes;
}

}  // namespace

Result<> TelemetryBatch::add(const Sender& sender, const mqtt::Publish& packet, std::string_view bag, Timestamp now,
                             bool will) {
  views_.clear();
  if (decoded_used_ == decoded_.size()) decoded_.emplace_back();
  auto& decoded = decoded_[decoded_used_];
  TRY_VOID(mqtt::decode_property_views(bag, decoded, views_));
  const auto body = packet.payload.bytes;
  if (body.size() + counted_bytes(views_) > kMessageBytesMax) return fail(Errc::limit_exceeded, "hub.message.size");
  if (!decoded.empty()) ++decoded_used_;

  const auto begin = properties_.size();
  properties_.push_back({"iothub-connection-auth-method", sender.auth_method});
  if (will) properties_.push_back({"iothub-MessageType", "Will"});
  for (const auto& view : views_) {
    if (is_reserved(view.name)) {
      ++reserved_dropped_;
    } else {
      properties_.push_back({view.name, view.value.value_or(std::string_view())});
    }
  }
  if (packet.retain) properties_.push_back({"mqtt-retain", "true"});  // a hub keeps no retained messages
  ranges_.push_back({begin, properties_.size()});
  records_.push_back({.kind = journal::RecordKind::message,
                      .partition = sender.partition,
                      .enqueued = now,
                      .identity = sender.identity,
                      .properties = {},
                      .body = body});
  bytes_ += body.size() + bag.size() + 1;
  body_bytes_ += body.size();
  return {};
}

std::span<const journal::Record> TelemetryBatch::records() {
  const std::span<const journal::Property> all(properties_);
  for (std::size_t i = 0; i < records_.size(); ++i) {
    records_[i].properties = all.subspan(ranges_[i].begin, ranges_[i].end - ranges_[i].begin);
  }
  return records_;
}

std::uint64_t TelemetryBatch::blocks() const {
  std::uint64_t blocks = 0;
  for (const auto& record : records_) blocks += message_blocks(record.body.size());
  return blocks;
}

void TelemetryBatch::clear() {
  constexpr std::size_t kKeptMax = 1024;  // one strange message must not keep its memory for ever
  if (properties_.capacity() > kKeptMax * 4) properties_ = {};
  for (std::size_t i = 0; i < decoded_.size() && i <= decoded_used_; ++i) {
    if (decoded_[i].capacity() > kKeptMax) decoded_[i] = {};
  }
  records_.clear();
  ranges_.clear();
  properties_.clear();
  decoded_used_ = 0;
  bytes_ = body_bytes_ = 0;
  reserved_dropped_ = 0;
  sequence_.reset();
  paid = false;
}

}  // namespace picket::hub
