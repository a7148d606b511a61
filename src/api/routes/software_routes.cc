// Software of devices: what runs where, as tables and as CycloneDX and SPDX documents, in and out.
#include <algorithm>

#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "sbom/documents.h"
#include "vulnerability/desk.h"
#include "vulnerability_json.h"

namespace picket::api {
namespace {

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

/// Each component of the fleet with how many devices have it.
struct Row {
  sbom::ComponentId id = 0;
  std::uint64_t devices = 0;
};

bool contains(const sbom::Component& component, std::string_view text) {
  return text.empty() || component.name.contains(text) || component.source_name.contains(text) ||
         component.version.contains(text) || component.purl.contains(text);
}

std::string offset_after(std::size_t offset) { return std::to_string(offset); }

std::expected<std::size_t, ApiError> offset_of(const Call& call) {
  API_TRY(const auto cursor, open_cursor(call));
  if (cursor.empty()) return std::size_t{0};
  std::size_t out = 0;
  for (const char c : cursor) out = out * 10 + static_cast<std::size_t>(c - '0');
  return out;
}

Answer audited(Call& call, std::string_view kind, std::string_view object) {
  JsonWriter body;
  body.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  body.key("hub").value(call.parts.services.hub).key("object").value(object).end_object();
  const auto done = call.parts.services.outbox.record(kind, call.path_values[0], body.take(), call.now());
  if (!done) return api_error(done.error(), "audit");
  return Response::empty();
}

}  // namespace

// How many devices run what.
Answer list_software(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto offset, offset_of(call));
  API_TRY(const auto search, text_parameter(call, "q", 128));
  return desk->fleet().look([&](const sbom::Inventory& inventory) -> Answer {
    std::vector<Row> rows;
    for (sbom::ComponentId id = 0; id < inventory.component_count(); ++id) {
      const auto devices = inventory.devices_of(id).size();
      if (devices > 0 && contains(inventory.component(id), search)) rows.push_back({id, devices});
    }
    std::ranges::sort(rows, [&](const Row& a, const Row& b) {
      return a.devices != b.devices ? a.devices > b.devices : inventory.component(a.id) < inventory.component(b.id);
    });
    JsonWriter out;
    out.begin_object().key("total").value(static_cast<std::uint64_t>(rows.size())).key("items").begin_array();
    const std::size_t end = std::min(rows.size(), offset + limit);
    for (std::size_t i = offset; i < end; ++i) {
      out.begin_object();
      write_component(out, inventory.component(rows[i].id));
      out.key("devices").value(rows[i].devices).end_object();
    }
    out.end_array();
    if (end < rows.size()) out.key("next_cursor").value(seal_cursor(call, offset_after(end)));
    return Response::json(out.end_object().take());
  });
}

Answer list_device_software(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  API_TRY(const auto search, text_parameter(call, "q", 128));
  const sbom::DeviceKey key{call.parts.services.hub, call.path_values[0]};
  return desk->fleet().look([&](const sbom::Inventory& inventory) -> Answer {
    JsonWriter out;
    out.begin_object().key("deviceId").value(key.device_id).key("sources").begin_array();
    const auto number = inventory.find_device(key);
    if (number) {
      for (const sbom::Source& source : inventory.sources(*number)) {
        out.begin_object().key("name").value(source.name).key("updated").value(source.updated);
        out.key("whole")
            .value(source.whole)
            .key("components")
            .value(static_cast<std::uint64_t>(source.components.size()));
        out.end_object();
      }
    }
    out.end_array().key("items").begin_array();
    if (number) {
      for (const sbom::ComponentId id : inventory.components_of(*number)) {
        if (!contains(inventory.component(id), search)) continue;
        out.begin_object();
        write_component(out, inventory.component(id));
        out.end_object();
      }
    }
    return Response::json(out.end_array().end_object().take());
  });
}

Answer get_device_sbom(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  API_TRY(const auto format, one_of(call, "format", {"cyclonedx", "spdx"}));
  const Services& services = call.parts.services;
  const sbom::DeviceKey key{services.hub, call.path_values[0]};
  std::vector<sbom::Component> components;
  const bool known = desk->fleet().look([&](const sbom::Inventory& inventory) {
    const auto number = inventory.find_device(key);
    if (!number) return false;
    for (const sbom::ComponentId id : inventory.components_of(*number)) components.push_back(inventory.component(id));
    return true;
  });
  if (!known) return std::unexpected(ApiError{.code = "not_found", .target = "software of the device"});
  const sbom::Subject subject{.name = key.device_id,
                              .version = "",
                              .serial = random_uuid(),
                              .tool_version = services.version,
                              .created = call.now()};
  return Response::json(format == "spdx" ? sbom::to_spdx(subject, components)
                                         : sbom::to_cyclonedx(subject, components));
}

// The body is the document itself.
Answer put_device_document(Call& call) {
  auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  const auto document = sbom::read_document(call.request.body);
  if (!document) return std::unexpected(invalid("document", sbom::describe_refusal(document.error())));
  const auto done = desk->put_document({call.parts.services.hub, call.path_values[0]}, call.path_values[1], *document);
  if (!done) return api_error(done.error(), "document");
  API_TRY(const auto recorded, audited(call, "sbom.import", call.path_values[1]));
  JsonWriter out;
  out.begin_object().key("name").value(call.path_values[1]).key("format").value(document->format);
  out.key("components").value(static_cast<std::uint64_t>(document->components.size()));
  out.key("leftOut").value(document->left_out);
  out.key("remarks").value(static_cast<std::uint64_t>(document->remarks.size()));
  return Response::json(out.end_object().take(), 201);
}

Answer delete_device_document(Call& call) {
  auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  const auto removed = desk->remove_document({call.parts.services.hub, call.path_values[0]}, call.path_values[1]);
  if (!removed) return api_error(removed.error(), "document");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "document"});
  return audited(call, "sbom.remove", call.path_values[1]);
}

}  // namespace picket::api
