#include "message.h"

#include <algorithm>

namespace picket::hub::amqp {
namespace {

enum Section : std::uint8_t {
  kHeader = 0x70,
  kDeliveryAnnotations = 0x71,
  kMessageAnnotations = 0x72,
  kProperties = 0x73,
  kApplicationProperties = 0x74,
  kData = 0x75,
  kSequence = 0x76,
  kValue = 0x77,
  kFooter = 0x78,
};

std::string text_at(const List& list, std::size_t index) {
  return index < list.size() ? std::string(list[index].text().value_or("")) : std::string();
}
Value value_at(const List& list, std::size_t index) { return index < list.size() ? list[index] : Value(); }

/// Order of the fields: part 3.2.4.
Result<> read_properties(Cursor& in, Message& out) {
  TRY(const auto value, read_value(in));
  const auto* list = value.get<List>();
  if (list == nullptr) return fail(Errc::malformed, "amqp.properties", in.offset());
  out.message_id = value_at(*list, 0);
  out.user_id = text_at(*list, 1);
  out.to = text_at(*list, 2);
  out.subject = text_at(*list, 3);
  out.reply_to = text_at(*list, 4);
  out.correlation_id = value_at(*list, 5);
  out.content_type = text_at(*list, 6);
  out.content_encoding = text_at(*list, 7);
  if (const auto expiry = value_at(*list, 8); const auto* time = expiry.get<Timestamp>()) out.expiry = *time;
  return {};
}

Result<> read_map(Cursor& in, Map& out) {
  TRY(auto value, read_value(in));
  if (value.is_null()) return {};
  auto* map = std::get_if<Map>(&value.held);
  if (map == nullptr) return fail(Errc::malformed, "amqp.map", in.offset());
  out = std::move(*map);
  return {};
}

Result<> read_section(Cursor& in, std::uint64_t descriptor, Message& out) {
  switch (descriptor) {
    case kMessageAnnotations:
      return read_map(in, out.annotations);
    case kProperties:
      return read_properties(in, out);
    case kApplicationProperties:
      return read_map(in, out.application);
    case kData: {
      TRY(const auto bytes, read_binary(in));
      append(out.data, bytes);
      return {};
    }
    case kValue: {
      TRY(auto value, read_value(in));
      out.value = std::move(value);
      return {};
    }
    case kHeader:
    case kDeliveryAnnotations:
    case kSequence:
    case kFooter:
      return skip_value(in);
    default:
      return fail(Errc::malformed, "amqp.section", in.offset());
  }
}

Value or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

void write_properties(Buffer& out, const Message& message) {
  List fields = {message.message_id,
                 message.user_id.empty()
                     ? Value()
                     : Value(Buffer(as_bytes(message.user_id).begin(), as_bytes(message.user_id).end())),
                 or_null(message.to),
                 or_null(message.subject),
                 or_null(message.reply_to),
                 message.correlation_id,
                 message.content_type.empty() ? Value() : Value(Symbol{message.content_type}),
                 message.content_encoding.empty() ? Value() : Value(Symbol{message.content_encoding}),
                 message.expiry ? Value(*message.expiry) : Value()};
  if (std::ranges::all_of(fields, &Value::is_null)) return;
  write_descriptor(out, kProperties);
  write_value(out, std::move(fields));
}

}  // namespace

Bytes Message::body() const {
  if (value) return as_bytes(value->text().value_or(""));
  return data;
}

Result<Message> read_message(Bytes bytes) {
  Cursor in{bytes};
  Message out;
  if (in.empty()) return fail(Errc::truncated, "amqp.message");
  for (std::size_t sections = 0; !in.empty(); ++sections) {
    if (sections == kSectionsMax) return fail(Errc::limit_exceeded, "amqp.message.sections");
    TRY(const auto descriptor, read_descriptor(in));
    TRY_VOID(read_section(in, descriptor, out));
  }
  return out;
}

Result<std::vector<Bytes>> read_batch(Bytes bytes) {
  Cursor in{bytes};
  std::vector<Bytes> out;
  while (!in.empty()) {
    TRY(const auto descriptor, read_descriptor(in));
    if (descriptor == kData) {
      if (out.size() == kBatchMessagesMax) return fail(Errc::limit_exceeded, "amqp.batch");
      TRY(const auto message, read_binary(in));
      out.push_back(message);
    } else {
      TRY_VOID(skip_value(in));
    }
  }
  if (out.empty()) return fail(Errc::malformed, "amqp.batch");
  return out;
}

Buffer write_message(const Message& message) {
  Buffer out;
  if (!message.annotations.empty()) {
    write_descriptor(out, kMessageAnnotations);
    write_value(out, message.annotations);
  }
  write_properties(out, message);
  if (!message.application.empty()) {
    write_descriptor(out, kApplicationProperties);
    write_value(out, message.application);
  }
  if (message.value) {
    write_descriptor(out, kValue);
    write_value(out, *message.value);
  } else {
    write_descriptor(out, kData);
    write_binary(out, message.data);
  }
  return out;
}

}  // namespace picket::hub::amqp
