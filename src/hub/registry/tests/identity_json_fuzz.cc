// Claims: what is read as a device can be written and read back as the same; a bulk line that is read names a device.
#include <cstdlib>

#include "base/core/identifier.h"
#include "hub/identity_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto spec = device_from_json(text, "d"); spec && spec->auth) {
    const state::Device device{.device_id = "d",
                               .enabled = spec->enabled.value_or(true),
                               .keys = spec->auth->keys,
                               .status_reason = spec->status_reason.value_or(""),
                               .auth = spec->auth->type,
                               .thumbprints = spec->auth->thumbprints,
                               .edge = spec->edge.value_or(false),
                               .scope = spec->scope.value_or(""),
                               .parent_scopes = spec->parent_scopes.value_or(std::vector<std::string>())};
    const auto again = device_from_json(to_json(device, {}), "d");
    if (!again || again->auth != spec->auth || again->enabled != device.enabled ||
        again->status_reason.value_or("") != device.status_reason || again->parent_scopes != device.parent_scopes) {
      std::abort();
    }
  }
  if (const auto items = bulk_from_json(text)) {
    if (items->size() > kBulkItemsMax) std::abort();
    for (const BulkItem& item : *items) {
      if (!is_identifier(item.device.device_id) || (item.module && !is_identifier(item.module->module_id)))
        std::abort();
    }
  }
  static_cast<void>(module_from_json(text, "d", "m"));
  return 0;
}
