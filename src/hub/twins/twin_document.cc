#include "hub/twin_document.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace picket::hub {
namespace {

struct Stamp {
  Timestamp now;
  std::uint64_t version;
};

auto place(std::vector<TwinMetadata::Child>& children, std::string_view key) {
  return std::ranges::lower_bound(children, key, {},
                                  [](const TwinMetadata::Child& child) -> std::string_view { return child.first; });
}

TwinMetadata& child_of(TwinMetadata& metadata, const std::string& key) {
  const auto at = place(metadata.children, key);
  if (at != metadata.children.end() && at->first == key) return at->second;
  return metadata.children.insert(at, {key, {}})->second;
}

void drop_child(TwinMetadata& metadata, const std::string& key) {
  const auto at = place(metadata.children, key);
  if (at != metadata.children.end() && at->first == key) metadata.children.erase(at);
}

// A new value without its nulls: in a patch they mean "not there".
JsonValue without_nulls(const JsonValue& value) {
  const JsonObject* object = value.object();
  if (object == nullptr) return value;
  JsonObject out;
  for (const JsonMember& member : object->members()) {
    if (!member.value.is_null()) out.members().push_back({member.key, without_nulls(member.value)});
  }
  return out;
}

TwinMetadata stamped(const JsonValue& value, Stamp stamp) {
  TwinMetadata out{stamp.now, stamp.version, {}};
  if (const JsonObject* object = value.object()) {
    for (const JsonMember& member : object->members()) {
      out.children.emplace_back(member.key, stamped(member.value, stamp));
    }
  }
  return out;
}

// `metadata` may be nullptr (tags).
void merge(JsonObject& target, const JsonObject& patch, TwinMetadata* metadata, Stamp stamp) {
  if (metadata != nullptr) {
    metadata->updated = stamp.now;
    metadata->version = stamp.version;
  }
  for (const JsonMember& member : patch.members()) {
    if (member.value.is_null()) {
      if (target.erase(member.key) && metadata != nullptr) drop_child(*metadata, member.key);
      continue;
    }
    JsonValue* const existing = target.find(member.key);
    JsonObject* const inner = existing == nullptr ? nullptr : existing->object();
    if (inner != nullptr && member.value.object() != nullptr) {
      merge(*inner, *member.value.object(), metadata == nullptr ? nullptr : &child_of(*metadata, member.key), stamp);
      continue;
    }
    const JsonValue& set = target.set(member.key, without_nulls(member.value));
    if (metadata != nullptr) child_of(*metadata, member.key) = stamped(set, stamp);
  }
}

// The merge patch that turns `before` into `after`, written over a copy of `after`: all of it, and nulls for what goes.
JsonObject as_patch(const JsonObject& before, const JsonObject& after) {
  JsonObject out = after;
  for (const JsonMember& member : before.members()) {
    const JsonValue* const now = after.find(member.key);
    if (now == nullptr) {
      out.set(member.key, JsonValue());
    } else if (now->object() != nullptr && member.value.object() != nullptr) {
      out.set(member.key, as_patch(*member.value.object(), *now->object()));
    }
  }
  return out;
}

HubResult<> check_size(const JsonObject& section, std::size_t before, TwinSection where) {
  const std::size_t limit = where == TwinSection::tags ? kTwinTagsBytesMax : kTwinSectionBytesMax;
  const std::size_t size = twin_size(section);
  if (size <= limit || size <= before) return {};
  return hub_fail(kTooLarge, fmt::format("The twin's {} would have {} bytes; at most {} are allowed.", to_string(where),
                                         size, limit));
}

// Without the hub's own members, which SDKs send back with whatever they have read.
JsonObject of_the_sender(const JsonObject& patch) {
  JsonObject out = patch;
  out.erase("$metadata");
  out.erase("$version");
  return out;
}

HubResult<const JsonObject*> object_member(const JsonValue& parent, std::string_view key, bool& null) {
  const JsonValue* const member = parent.find(key);
  if (member == nullptr) return nullptr;
  if (member->is_null()) {
    null = true;
    return nullptr;
  }
  if (member->object() == nullptr) {
    return hub_fail(kArgumentInvalid, fmt::format("'{}' must be a JSON object.", key));
  }
  return member->object();
}

HubResult<JsonValue> parse_body(std::string_view body) {
  auto parsed = parse_json(body, {.bytes_max = kTwinBodyBytesMax, .depth_max = kTwinDepthMax + 6});
  if (!parsed) {
    const bool large = parsed.error().where == "json.size";
    return hub_fail(large ? kTooLarge : kArgumentInvalid, "The body: " + explain_json(parsed.error()));
  }
  if (parsed->object() == nullptr) return hub_fail(kArgumentInvalid, "The body must be a JSON object.");
  return *std::move(parsed);
}

JsonValue metadata_json(const TwinMetadata& metadata) {
  JsonObject out;
  out.members().reserve(metadata.children.size() + 2);
  out.set("$lastUpdated", format_rfc3339(metadata.updated));
  out.set("$lastUpdatedVersion", metadata.version);
  for (const auto& [key, child] : metadata.children) out.set(key, metadata_json(child));
  return out;
}

void store(std::string& out, const TwinMetadata& metadata) {
  out += fmt::format("[{},{}", metadata.updated.us, metadata.version);
  if (!metadata.children.empty()) {
    char separator = '{';
    out += ',';
    for (const auto& [name, child] : metadata.children) {
      out += std::exchange(separator, ',');
      JsonValue(name).append_to(out);
      out += ':';
      store(out, child);
    }
    out += '}';
  }
  out += ']';
}

Result<std::int64_t> whole(const JsonValue& value) {
  std::int64_t out = 0;
  const JsonNumber* const number = value.number();
  if (number == nullptr ||
      std::from_chars(number->text.data(), number->text.data() + number->text.size(), out).ec != std::errc()) {
    return fail(Errc::malformed, "twin.metadata");
  }
  return out;
}

Result<TwinMetadata> load(const JsonValue& value) {
  const JsonArray* const items = value.array();
  if (items == nullptr || items->size() < 2) return fail(Errc::malformed, "twin.metadata");
  TRY(const std::int64_t updated, whole((*items)[0]));
  TRY(const std::int64_t version, whole((*items)[1]));
  TwinMetadata out{{updated}, static_cast<std::uint64_t>(version), {}};
  if (items->size() == 2) return out;
  const JsonObject* const children = (*items)[2].object();
  if (children == nullptr) return fail(Errc::malformed, "twin.metadata");
  for (const JsonMember& member : children->members()) {
    TRY(TwinMetadata child, load(member.value));
    out.children.emplace_back(member.key, std::move(child));
  }
  return out;
}

}  // namespace

HubResult<> patch_part(TwinPart& part, const JsonObject& patch, TwinSection where, Timestamp now) {
  const JsonObject clean = of_the_sender(patch);
  if (auto checked = check_twin_section(clean, where); !checked) return checked;
  TwinPart next = part;
  ++next.version;
  merge(next.value, clean, &next.metadata, {now, next.version});
  if (auto checked = check_size(next.value, twin_size(part.value), where); !checked) return checked;
  part = std::move(next);
  return {};
}

HubResult<> patch_tags(JsonObject& tags, const JsonObject& patch) {
  if (auto checked = check_twin_section(patch, TwinSection::tags); !checked) return checked;
  JsonObject next = tags;
  merge(next, patch, nullptr, {});
  if (auto checked = check_size(next, twin_size(tags), TwinSection::tags); !checked) return checked;
  tags = std::move(next);
  return {};
}

HubResult<JsonObject> replace_part(TwinPart& part, const JsonObject& content, TwinSection where, Timestamp now) {
  const JsonObject clean = of_the_sender(content);
  if (auto checked = check_twin_section(clean, where); !checked) return std::unexpected(checked.error());
  TwinPart next{.version = part.version + 1};
  merge(next.value, clean, &next.metadata, {now, next.version});
  if (auto checked = check_size(next.value, twin_size(part.value), where); !checked) {
    return std::unexpected(checked.error());
  }
  JsonObject patch = as_patch(part.value, next.value);
  part = std::move(next);
  return patch;
}

HubResult<> replace_tags(JsonObject& tags, const JsonObject& content) {
  JsonObject next;
  if (auto patched = patch_tags(next, content); !patched) return patched;
  tags = std::move(next);
  return {};
}

HubResult<TwinChange> parse_twin_change(std::string_view body) {
  const auto parsed = parse_body(body);
  if (!parsed) return std::unexpected(parsed.error());
  for (const std::string_view misplaced : {"desired", "reported"}) {
    if (parsed->find(misplaced) != nullptr) {
      return hub_fail(kArgumentInvalid, fmt::format("Give '{0}' inside 'properties': properties.{0}.", misplaced));
    }
  }
  TwinChange out;
  const auto tags = object_member(*parsed, "tags", out.clear_tags);
  if (!tags) return std::unexpected(tags.error());
  if (*tags != nullptr) out.tags = **tags;
  bool no_properties = false;
  const auto properties = object_member(*parsed, "properties", no_properties);
  if (!properties) return std::unexpected(properties.error());
  if (*properties == nullptr) return out;
  const auto desired = object_member(*parsed->find("properties"), "desired", out.clear_desired);
  if (!desired) return std::unexpected(desired.error());
  if (*desired != nullptr) out.desired = of_the_sender(**desired);
  return out;
}

HubResult<JsonObject> parse_reported_patch(std::string_view body) {
  auto parsed = parse_body(body);
  if (!parsed) return std::unexpected(parsed.error());
  return of_the_sender(*parsed->object());
}

std::string patch_with_version(const JsonObject& patch, std::uint64_t version) {
  std::string out = JsonValue(patch).to_string();
  out.pop_back();
  if (!patch.empty()) out += ',';
  return out + fmt::format("\"$version\":{}}}", version);
}

std::string device_view(const TwinDocument& twin) {
  return "{\"desired\":" + patch_with_version(twin.desired.value, twin.desired.version) +
         ",\"reported\":" + patch_with_version(twin.reported.value, twin.reported.version) + "}";
}

JsonObject part_with_metadata(const TwinPart& part) {
  JsonObject out = part.value;
  out.set("$metadata", metadata_json(part.metadata));
  out.set("$version", part.version);
  return out;
}

std::string store_metadata(const TwinMetadata& metadata) {
  std::string out;
  store(out, metadata);
  return out;
}

Result<TwinMetadata> load_metadata(std::string_view text) {
  TRY(const JsonValue parsed, parse_json(text, {.bytes_max = 64 << 20, .depth_max = 64}));
  return load(parsed);
}

}  // namespace picket::hub
