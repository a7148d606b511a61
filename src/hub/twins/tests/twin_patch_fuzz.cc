// Lines of input are patches. Claims: what is accepted reads back as itself; metadata has the document's keys; the size
// is within the limit and equals that of the text read again; a refused patch changes nothing; a replacement equals its
// patch.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/twin_document.h"

namespace {

using namespace picket::hub;

void require(bool claim) {
  if (!claim) std::abort();
}

void same_keys(const JsonObject& value, const TwinMetadata& metadata) {
  require(value.size() == metadata.children.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const JsonMember& member = value.members()[i];
    require(member.key == metadata.children[i].first && !member.value.is_null());
    if (member.value.object() != nullptr) same_keys(*member.value.object(), metadata.children[i].second);
  }
}

void apply(TwinPart& part, std::string_view line, std::int64_t step) {
  const auto patch = parse_reported_patch(line);
  if (!patch) return;
  const TwinPart before = part;
  const bool accepted = patch_part(part, *patch, TwinSection::reported, {step}).has_value();
  require(part.version == before.version + (accepted ? 1 : 0));
  if (!accepted) require(JsonValue(part.value) == JsonValue(before.value) && part.metadata == before.metadata);
  same_keys(part.value, part.metadata);
  const auto read = picket::hub::parse_json(JsonValue(part.value).to_string());
  require(read && *read == JsonValue(part.value));
  require(twin_size(*read) == twin_size(part.value) && twin_size(part.value) <= kTwinSectionBytesMax);
  const auto metadata = load_metadata(store_metadata(part.metadata));
  require(metadata && *metadata == part.metadata);
  TwinPart replaced = before;
  TwinPart patched = before;
  if (const auto merge = replace_part(replaced, *patch, TwinSection::reported, {step})) {
    require(patch_part(patched, *merge, TwinSection::reported, {step}).has_value());
    require(JsonValue(patched.value) == JsonValue(replaced.value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  TwinPart part;
  for (std::int64_t step = 1; !rest.empty() && step < 32; ++step) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    apply(part, rest.substr(0, end), step);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  (void)parse_twin_change({reinterpret_cast<const char*>(data), size});
  return 0;
}
