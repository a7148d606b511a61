#include "event_reader.h"

#include <algorithm>
#include <array>

#include "base/core/json_writer.h"
#include "field_value.h"
#include "json_text.h"

namespace picket::message {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equal_folded(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, upper, upper);
}

// Result of a configuration check: senders write Pass, Err, Error, FAIL; queries compare with the upper-case words.
std::optional<std::string_view> check_result(std::string_view text) {
  struct Word {
    std::string_view from;
    std::string_view to;
  };
  static constexpr std::array kWords{Word{"PASS", "PASS"}, Word{"FAIL", "FAIL"}, Word{"SKIP", "SKIP"},
                                     Word{"ERROR", "ERROR"}, Word{"ERR", "ERROR"}};
  for (const Word& word : kWords) {
    if (equal_folded(text, word.from)) return word.to;
  }
  return std::nullopt;
}

// The key that holds such a result; empty: the event has none.
std::string_view check_result_key(EventKind kind) {
  if (kind == EventKind::OSBaseline) return "Result";
  if (kind == EventKind::Baseline) return "BaselineCheckResult";
  return {};
}

bool has_zone(std::string_view time) {
  return time.ends_with('Z') || time.ends_with('z') || time.find_first_of("+-", 19) != std::string_view::npos;
}

}  // namespace

// First occurrence of each member; a null element stands for absent.
struct EventReader::Members {
  std::string_view id;
  std::string_view name;
  std::string_view category;
  std::string_view type;
  std::string_view timestamp_utc;
  std::string_view timestamp_local;
  std::string_view payload_schema_version;
  bool says_empty = false;
  bool has_payload = false;
};

Result<EventReader::Members> EventReader::members_of(const object& event, JsonWalker& walker) {
  Members out;
  const auto text = [](const element& value) {
    std::string_view found;
    return value.get(found) == simdjson::SUCCESS ? found : std::string_view{};
  };
  const auto put = [&text](std::string_view& slot, const element& value) {
    if (slot.data() == nullptr) slot = text(value);
  };
  walker.bracket();
  for (const auto [key, value] : event) {
    walker.name();
    if (key == "Payload" && !out.has_payload) {
      TRY_VOID(payload_of(value, walker));
      out.has_payload = true;
      continue;
    }
    walker.value();
    if (key == "Id") put(out.id, value);
    if (key == "Name") put(out.name, value);
    if (key == "Category") put(out.category, value);
    if (key == "EventType") put(out.type, value);
    if (key == "TimestampUTC") put(out.timestamp_utc, value);
    if (key == "TimestampLocal") put(out.timestamp_local, value);
    if (key == "PayloadSchemaVersion") put(out.payload_schema_version, value);
    if (key == "IsEmpty") out.says_empty = out.says_empty || value.get_bool().value_unsafe();
  }
  walker.bracket();
  return out;
}

Result<> EventReader::payload_of(const element& payload, JsonWalker& walker) {
  walker.white();
  array items;
  if (payload.is_null()) {
    walker.value();
    return {};
  }
  if (payload.get(items) != simdjson::SUCCESS) return fail(Errc::malformed, "message.event.payload", walker.offset());
  walker.bracket();
  for (const element item : items) {
    walker.white();
    const std::size_t at = walker.offset();
    RawItem found{{}, walker.value()};
    if (item.get(found.object) != simdjson::SUCCESS) return fail(Errc::malformed, "message.event.payload", at);
    if (items_ + payload_.size() >= limits_.items_max) return fail(Errc::limit_exceeded, "message.event.items", at);
    payload_.push_back(found);
  }
  walker.bracket();
  walker.comma();
  return {};
}

Result<> EventReader::head_of(const Members& members, Event& out) const {
  if (members.id.empty() || members.id.size() > kIdBytesMax) return fail(Errc::malformed, "message.event.id");
  if (members.name.empty() || members.name.size() > kNameBytesMax) return fail(Errc::malformed, "message.event.name");
  out.id = arena_.store(members.id);
  out.name = arena_.store(members.name);
  out.kind = find_event(members.name);
  const EventInfo& expected = info(out.kind);
  out.aggregated = members.category == "Aggregated";  // both classic agents send it, though the schema lacks it
  out.category = expected.category;
  if (members.category == "Periodic") out.category = Category::Periodic;
  if (members.category == "Triggered" || out.aggregated) out.category = Category::Triggered;
  out.type = expected.type;
  for (const EventType type : {EventType::Security, EventType::Operational, EventType::Diagnostic}) {
    if (members.type == to_string(type)) out.type = type;
  }
  out.payload_schema_version = arena_.store(members.payload_schema_version.substr(0, kIdBytesMax));
  return {};
}

Result<> EventReader::times_of(const Members& members, Event& out) const {
  if (members.timestamp_local.size() > kTimestampBytesMax) return fail(Errc::malformed, "message.event.time");
  auto time = parse_rfc3339(members.timestamp_utc);
  if (!time && has_zone(members.timestamp_local)) time = parse_rfc3339(members.timestamp_local);
  if (!time) return fail(Errc::malformed, "message.event.time");
  out.timestamp_utc = *time;
  out.timestamp_local =
      members.timestamp_local.empty() ? arena_.store(format_rfc3339(*time)) : arena_.store(members.timestamp_local);
  return {};
}

Result<Event> EventReader::read(const element& event, JsonWalker& walker) {
  walker.white();
  const JsonWalker begin = walker;
  auto out = read_whole(event, walker);
  if (!out) {  // wherever it stopped, the next event begins behind this one
    walker = begin;
    walker.value();
    if (out.error().offset == 0) out.error().offset = begin.offset();
    return out;
  }
  walker.comma();
  return out;
}

Result<Event> EventReader::read_whole(const element& event, JsonWalker& walker) {
  payload_.clear();
  object whole;
  if (event.get(whole) != simdjson::SUCCESS) return fail(Errc::malformed, "message.event");
  TRY(const Members members, members_of(whole, walker));
  Event out;
  TRY_VOID(head_of(members, out));
  TRY_VOID(times_of(members, out));
  if (!members.has_payload && !members.says_empty) return fail(Errc::malformed, "message.event.payload");
  stamp_ = "\"TimestampLocal\":";
  append_json_string(stamp_, out.timestamp_local);
  stamp_.push_back(',');
  stamp_id_at_ = stamp_.size();
  stamp_ += "\"EventId\":";
  append_json_string(stamp_, out.id);

  out.is_empty = payload_.empty();  // the payload wins over IsEmpty
  out.items.reserve(std::max<std::size_t>(payload_.size(), 1));
  for (const RawItem& item : payload_) out.items.push_back(item_of(out, item));
  if (out.is_empty) out.items.push_back({.details = details_of(out, {{}, "{}"}, false, false)});
  items_ += out.items.size();
  return out;
}

Item EventReader::item_of(const Event& event, const RawItem& raw) {
  Item item;
  bool has_time = false;
  bool has_id = false;
  std::uint64_t seen = 0;
  item.fields.reserve(std::min<std::size_t>(raw.object.size(), kColumnsMax));
  JsonWalker walker(raw.text);
  walker.bracket();
  for (const auto [key, value] : raw.object) {
    std::string_view value_text;
    if (masked_) {
      walker.name();
      value_text = walker.value();
    }
    has_time = has_time || key == "TimestampLocal";
    has_id = has_id || key == "EventId";
    if (key == "ExtraDetails")
      promote_extra(event, value, item);
    else
      promote(event, key, value, value_text, seen, item);
  }
  item.details = details_of(event, raw, has_time, has_id);
  return item;
}

void EventReader::promote(const Event& event, std::string_view key, const element& value, std::string_view raw,
                          std::uint64_t& seen, Item& item) {
  const auto field = find_field(key);
  const auto column = field ? column_of(info(event.kind).table, *field) : std::nullopt;
  if (!column) return;
  const std::uint64_t bit = std::uint64_t{1} << *column;
  if (seen & bit) {  // sent twice: readers disagree about which one counts, so neither may be trusted as the column
    item.inexact |= bit;
    for (FieldValue& earlier : item.fields) earlier.exact = earlier.exact && earlier.field != *field;
    return;
  }
  seen |= bit;
  Converted converted = convert(value, raw, info(*field).type, arena_);
  if (key == check_result_key(event.kind)) {
    const auto* const text = converted.value ? std::get_if<std::string_view>(&*converted.value) : nullptr;
    if (text != nullptr) converted.value = check_result(*text).value_or(*text);
  }
  if (!converted.exact) item.inexact |= bit;
  if (converted.value) item.fields.push_back({*field, converted.exact, *converted.value});
}

// What classic agents know beyond their closed schema: counts of an aggregated event, the process of a listening port.
void EventReader::promote_extra(const Event& event, const element& extra, Item& item) {
  object details;
  if (extra.get(details) != simdjson::SUCCESS) return;
  for (const auto [key, value] : details) {
    std::string_view text;
    const auto field = key == "Pid" ? Field::ProcessId : find_field(key);
    const bool wanted = field == Field::ProcessId || field == Field::HitCount || field == Field::StartTimeUtc ||
                        field == Field::EndTimeUtc;
    if (!wanted || !column_of(info(event.kind).table, *field) || value.get(text) != simdjson::SUCCESS) continue;
    if (std::ranges::find(item.fields, *field, &FieldValue::field) != item.fields.end()) continue;
    const Converted converted = convert_text(text, info(*field).type, arena_);
    if (converted.value) item.fields.push_back({*field, false, *converted.value});
  }
}

namespace {

// Minified copy of a check's item with its result in upper case; empty when there is nothing to change.
std::string with_check_result(const object& item, std::string_view raw, std::string_view result_key) {
  std::string out;
  JsonWalker walker(raw);
  walker.bracket();
  for (const auto [key, value] : item) {
    walker.name();
    const std::string_view value_text = walker.value();
    std::string_view text;
    if (!out.empty() || key != result_key || value.get(text) != simdjson::SUCCESS) continue;
    const auto word = check_result(text);
    if (!word || *word == text) continue;
    const auto at = static_cast<std::size_t>(value_text.data() - raw.data());
    out.append(raw.substr(0, at)).append("\"").append(*word).append("\"").append(raw.substr(at + value_text.size()));
  }
  return out;
}

}  // namespace

std::string_view EventReader::details_of(const Event& event, const RawItem& raw, bool has_time, bool has_id) {
  std::string_view stamp = stamp_;
  if (has_time) stamp.remove_prefix(stamp_id_at_);
  if (has_id) stamp = has_time ? std::string_view{} : stamp.substr(0, stamp_id_at_ - 1);

  const std::string_view result_key = check_result_key(event.kind);
  const std::string replaced =
      result_key.empty() || event.is_empty ? std::string{} : with_check_result(raw.object, raw.text, result_key);
  const std::string_view source = replaced.empty() ? raw.text : std::string_view(replaced);

  const std::size_t room = source.size() + stamp.size() + 2;
  char* const out = arena_.allocate(room);
  std::size_t used = 0;
  if (simdjson::minify(source.data(), source.size(), out, used) != simdjson::SUCCESS) used = 0;  // not for parsed text
  if (!stamp.empty() && used >= 2) {
    --used;  // the closing brace
    if (used > 1) out[used++] = ',';
    used += stamp.copy(out + used, stamp.size());
    out[used++] = '}';
  }
  arena_.give_back(room - used);
  return {out, used};
}

}  // namespace picket::message
