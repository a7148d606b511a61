#include "message/decoder.h"

#include <charconv>

#include "arena.h"
#include "json_decoder.h"
#include "rtos_decoder.h"

namespace picket::message {
namespace {

// Property mti (spec/security-message.md, section 6): MAJOR.MINOR-ENC-SRC-TYPE.
struct MessageTypeId {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned encoding = 0;  // 0 JSON, 1 FlatBuffers
  unsigned source = 0;    // 0 RTOS, 1 Linux
  unsigned type = 0;      // 0 raw events
};

Result<MessageTypeId> parse_mti(std::string_view text) {
  MessageTypeId out;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  struct Part {
    unsigned* value;
    char after;
  };
  for (const Part part : {Part{&out.major, '.'}, Part{&out.minor, '-'}, Part{&out.encoding, '-'},
                          Part{&out.source, '-'}, Part{&out.type, '\0'}}) {
    const auto [next, error] = std::from_chars(at, end, *part.value);
    const auto offset = static_cast<std::uint64_t>(next - text.data());
    if (error != std::errc{}) return fail(Errc::malformed, "message.mti", offset);
    if (part.after == '\0') {
      if (next != end) return fail(Errc::malformed, "message.mti", offset);
      break;
    }
    if (next == end || *next != part.after) return fail(Errc::malformed, "message.mti", offset);
    at = next + 1;
  }
  return out;
}

bool needs_decompression(std::string_view encoding) { return !encoding.empty() && encoding != "identity"; }

}  // namespace

SecurityMessage::SecurityMessage() : arena(std::make_unique<Arena>()) {}
SecurityMessage::~SecurityMessage() = default;
SecurityMessage::SecurityMessage(SecurityMessage&&) noexcept = default;
SecurityMessage& SecurityMessage::operator=(SecurityMessage&&) noexcept = default;

struct Decoder::State {
  explicit State(Limits given) : limits(given), json(given) {}
  Limits limits;
  JsonDecoder json;
};

Decoder::Decoder(Limits limits) : state_(std::make_unique<State>(limits)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<SecurityMessage> Decoder::decode(Bytes body, const ContentInfo& content) {
  bool flatbuffers = false;
  if (!content.mti.empty()) {
    TRY(const MessageTypeId id, parse_mti(content.mti));
    if (id.encoding > 1 || id.type != 0) return fail(Errc::unsupported, "message.mti");
    flatbuffers = id.encoding == 1;
    if (flatbuffers && id.major != 2) return fail(Errc::unsupported, "message.schema_version");
  }
  Buffer decoded;
  if (needs_decompression(content.content_encoding)) {
    TRY(decoded, decompress(body, content.content_encoding, state_->limits));
    body = decoded;
  }
  if (body.size() > state_->limits.decoded_bytes_max) return fail(Errc::limit_exceeded, "message.size");
  if (flatbuffers) return decode_rtos(body, content.mti.substr(0, content.mti.find('-')), state_->limits, state_->json);
  return state_->json.decode(as_text(body));
}

}  // namespace picket::message
