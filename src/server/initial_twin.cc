#include "initial_twin.h"

#include <fmt/format.h>

#include "hub/twin_document.h"
#include "hub/twins.h"
#include "state/twins.h"

namespace picket::server {
namespace {

hub::HubResult<hub::JsonObject> object_of(std::string_view text, std::string_view section) {
  if (text.empty()) return hub::JsonObject{};
  auto parsed = hub::parse_json(text);
  if (!parsed) {
    return hub::hub_fail(hub::kArgumentInvalid,
                         fmt::format("{} of the initial twin: {}", section, hub::explain_json(parsed.error())));
  }
  if (parsed->object() == nullptr) {
    return hub::hub_fail(hub::kArgumentInvalid, fmt::format("{} of the initial twin must be an object.", section));
  }
  return std::move(*parsed->object());
}

}  // namespace

hub::HubResult<> put_initial_twin(sqlite3* db, const hub::IdentityKey& key, const InitialTwin& twin,
                                  const state::Actor& actor, Timestamp now) {
  if (twin.tags.empty() && twin.desired.empty()) return {};
  auto row = state::Twins::find_in(db, key.hub, key.device_id, key.module_id);
  if (!row) return std::unexpected(hub::from_store(row.error(), "The identity"));
  if (row->stored) return {};
  auto tags = object_of(twin.tags, "tags");
  if (!tags) return std::unexpected(tags.error());
  auto desired = object_of(twin.desired, "desired");
  if (!desired) return std::unexpected(desired.error());
  return hub::Twins::change_in(db, key, {.tags = *std::move(tags), .desired = *std::move(desired)}, actor, now);
}

}  // namespace picket::server
