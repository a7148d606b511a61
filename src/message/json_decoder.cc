#include "json_decoder.h"

#include <cstring>
#include <string>

#include <simdjson.h>

#include "arena.h"
#include "event_reader.h"
#include "json_text.h"

namespace picket::message {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kTextBytesMax = 128;  // of an envelope's text: it is repeated in every row
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

enum class Schema : std::uint8_t { classic, ours };

// "1.0" and "3.<digits>": minor versions of ours only add.
std::optional<Schema> schema_of(std::string_view version) {
  if (version == "1.0") return Schema::classic;
  if (!version.starts_with("3.") || version.size() < 3 || version.size() > 8) return std::nullopt;
  if (version.find_first_not_of("0123456789", 2) != std::string_view::npos) return std::nullopt;
  return Schema::ours;
}

// A member's text; empty when it is absent or null.
Result<std::string_view> text_member(const object& root, std::string_view key, std::string_view where) {
  const auto found = root.at_key(key);
  if (found.error() != simdjson::SUCCESS || found.value_unsafe().is_null()) return std::string_view{};
  std::string_view text;
  if (found.get(text) != simdjson::SUCCESS) return fail(Errc::malformed, where);
  if (text.size() > kTextBytesMax) return fail(Errc::limit_exceeded, where);
  return text;
}

// Members that only our own messages have.
Result<> read_stream(const object& root, SecurityMessage& message) {
  TRY(const auto sent, text_member(root, "SentUtc", "message.sent"));
  if (!sent.empty()) {
    const auto time = parse_rfc3339(sent);
    if (!time) return fail(Errc::malformed, "message.sent");
    message.sent_utc = *time;
  }
  TRY(const auto boot_id, text_member(root, "BootId", "message.boot_id"));
  message.boot_id = message.arena->store(boot_id);
  if (std::int64_t monotonic = 0; root.at_key("MonotonicMs").get(monotonic) == simdjson::SUCCESS && monotonic >= 0) {
    message.monotonic_ms = monotonic;
  }
  TRY(const auto epoch, text_member(root, "StreamEpoch", "message.stream"));
  if (epoch.empty()) return {};
  std::uint64_t sequence = 0;
  if (root.at_key("Sequence").get(sequence) != simdjson::SUCCESS || sequence == 0) {
    return fail(Errc::malformed, "message.stream");  // taken without it, a message sent twice would count twice
  }
  message.stream_epoch = message.arena->store(epoch);
  message.sequence = sequence;
  return {};
}

Result<> read_envelope(const object& root, SecurityMessage& message) {
  TRY(const auto version, text_member(root, "MessageSchemaVersion", "message.schema_version"));
  const auto schema = schema_of(version);
  if (!schema) return fail(Errc::unsupported, "message.schema_version");
  message.schema_version = message.arena->store(version);
  TRY(const auto agent_version, text_member(root, "AgentVersion", "message.agent_version"));
  message.agent_version = message.arena->store(agent_version);
  TRY(const auto agent_id, text_member(root, "AgentId", "message.agent_id"));
  message.agent_id = message.arena->store(agent_id);
  if (*schema == Schema::ours) TRY_VOID(read_stream(root, message));
  return {};
}

}  // namespace

struct JsonDecoder::Parser {
  simdjson::dom::parser dom;
  std::string padded;  // what dom parses: the text, or the text with huge numbers masked, and padding behind it
};

JsonDecoder::JsonDecoder(Limits limits) : limits_(limits), parser_(std::make_unique<Parser>()) {}
JsonDecoder::~JsonDecoder() = default;

namespace {

Result<element> parse(simdjson::dom::parser& dom, std::string& padded, std::string_view text, const Limits& limits) {
  if (dom.capacity() < text.size() || dom.max_depth() != limits.depth_max) {
    const std::size_t capacity = std::max<std::size_t>(text.size(), 64 * 1024);
    if (dom.allocate(capacity, limits.depth_max) != simdjson::SUCCESS) return fail(Errc::internal, "message.json");
  }
  const std::size_t size = text.size();
  if (padded.data() != text.data()) padded.assign(text);
  padded.resize(size + simdjson::SIMDJSON_PADDING, ' ');
  element root;
  const auto status = dom.parse(padded.data(), size, false).get(root);
  if (status == simdjson::SUCCESS) return root;
  return fail(status == simdjson::NUMBER_ERROR ? Errc::unsupported : Errc::malformed, "message.json");
}

// Parses `text`; `masked` says that numbers too large for the parser are filler in the tree, and only the text has
// them.
Result<element> parse_any(simdjson::dom::parser& dom, std::string& padded, std::string_view text, const Limits& limits,
                          bool& masked) {
  masked = false;
  const auto first = parse(dom, padded, text, limits);
  if (first) return first;
  bool too_deep = false;
  if (const auto at = find_json_error(text, limits.depth_max, too_deep)) {
    if (too_deep) return fail(Errc::limit_exceeded, "message.json.depth", *at);
    return fail(Errc::malformed, "message.json", *at);
  }
  std::string replaced;
  masked = mask_huge_numbers(text, replaced);
  if (!masked) return fail(Errc::internal, "message.json");  // the parser and RFC 8259 disagree
  padded = std::move(replaced);
  return parse(dom, padded, padded, limits);
}

// Reads the list of events, the parser's view and the text side by side.
Result<> read_events(const object& root, std::string_view text, const Limits& limits, bool masked,
                     SecurityMessage& out) {
  EventReader reader(limits, masked, *out.arena);
  JsonWalker walker(text);
  walker.bracket();
  for (const auto member : root) {
    walker.name();
    if (member.key != "Events") {
      walker.value();
      continue;
    }
    walker.white();
    const std::size_t at = walker.offset();
    simdjson::dom::array events;
    if (member.value.get(events) != simdjson::SUCCESS) return fail(Errc::malformed, "message.events", at);
    walker.bracket();
    std::size_t index = 0;
    for (const element event : events) {
      if (index == limits.events_max) return fail(Errc::limit_exceeded, "message.events", walker.offset());
      auto decoded = reader.read(event, walker);
      if (decoded) {
        out.events.push_back(*std::move(decoded));
        out.event_index.push_back(index);
      } else {
        out.rejected.push_back({index, decoded.error()});
      }
      ++index;
    }
    if (index == 0) return fail(Errc::malformed, "message.events", at);
    return {};
  }
  return fail(Errc::malformed, "message.events");
}

}  // namespace

Result<SecurityMessage> JsonDecoder::decode(std::string_view text) {
  const std::size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  text.remove_prefix(skipped);
  bool masked = false;
  auto parsed = parse_any(parser_->dom, parser_->padded, text, limits_, masked);
  if (!parsed) {
    parsed.error().offset += skipped;
    return std::unexpected(parsed.error());
  }
  object root;
  if (parsed->get(root) != simdjson::SUCCESS) return fail(Errc::malformed, "message.json.root");
  SecurityMessage message;
  TRY_VOID(read_envelope(root, message));
  TRY_VOID(read_events(root, text, limits_, masked, message));
  return message;
}

}  // namespace picket::message
