// What is known of vulnerabilities as documents for others, and the customer's statements.
#include "../json_body.h"
#include "../paging.h"
#include "handlers.h"
#include "vulnerability/vex_documents.h"
#include "vulnerability_json.h"

namespace picket::api {
namespace {

using namespace vulnerability;

constexpr std::size_t kIdBytesMax = 128;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

Answer audited(Call& call, std::string_view kind, std::string_view object, std::string body = "", int status = 200) {
  JsonWriter record;
  record.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  record.key("hub").value(call.parts.services.hub).key("object").value(object).end_object();
  const auto done = call.parts.services.outbox.record(kind, "", record.take(), call.now());
  if (!done) return api_error(done.error(), "audit");
  return body.empty() ? Response::empty() : Response::json(std::move(body), status);
}

}  // namespace

// Findings and statements of a device, a group or the fleet, in one of three forms.
Answer export_statements(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  API_TRY(const auto format, one_of(call, "format", {"openvex", "cyclonedx", "csaf"}));
  API_TRY(const auto device, text_parameter(call, "device", kIdBytesMax));
  API_TRY(const auto group, text_parameter(call, "group", kIdBytesMax));
  API_TRY(const auto vulnerability, text_parameter(call, "vulnerability", kIdBytesMax));
  API_TRY(const auto all, one_of(call, "all", {"true", "false"}));
  API_TRY(const auto stated, one_of(call, "stated", {"true", "false"}));
  if (!device.empty() && !group.empty()) return std::unexpected(invalid("group", "A device or a group, not both."));
  const Services& services = call.parts.services;
  VexScope scope{.device_id = device, .hub = services.hub, .vulnerability = vulnerability};
  scope.all = all == "true";
  scope.stated = stated == "true";
  std::vector<std::string> members;
  if (!group.empty()) {
    auto found = services.devices.ids_of_group(services.hub, group);
    if (!found) return api_error(found.error(), "group");
    if (found->empty()) return std::unexpected(ApiError{.code = "not_found", .target = "devices of the group"});
    members = *std::move(found);
    scope.devices = &members;
  }
  std::vector<sbom::Component> components;
  auto document = desk->fleet().statements(scope, call.now(), &components);
  if (!document && document.error().code == Errc::limit_exceeded) {
    return std::unexpected(
        invalid("device", "That is more than 50000 statements: ask for one device or vulnerability."));
  }
  if (!document) return api_error(document.error(), "software of the device");
  const VexForm form = vex_form(format.value_or("openvex")).value_or(VexForm::openvex);
  if (document->statements.empty() && form != VexForm::cyclonedx) {
    return std::unexpected(ApiError{.code = "not_found", .target = "statements: there is nothing to state"});
  }
  document->author = "Picket " + services.installation_id;
  const sbom::Subject subject{.name = !device.empty()  ? device
                                      : !group.empty() ? group
                                                       : services.hub,
                              .version = "",
                              .serial = random_uuid(),
                              .tool_version = services.version,
                              .created = call.now()};
  return Response::json(write_vex(form, subject, *document, components));
}

Answer list_vex(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const VexRow& row : desk->vex()) {
    out.begin_object().key("name").value(row.name).key("author").value(row.author);
    out.key("statements").value(static_cast<std::uint64_t>(row.statements)).end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer get_vex(Call& call) {
  const auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  auto text = desk->vex_text(call.path_values[0]);
  if (!text) return api_error(text.error(), "statements");
  return Response::json(*std::move(text));
}

Answer put_vex(Call& call) {
  auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  const auto count = desk->put_vex(call.path_values[0], call.request.body);
  if (!count) {
    if (count.error().code == Errc::io) return api_error(count.error(), "statements");
    return std::unexpected(invalid("document", describe(count.error())));
  }
  JsonWriter out;
  out.begin_object().key("name").value(call.path_values[0]).key("statements").value(static_cast<std::uint64_t>(*count));
  return audited(call, "vex.set", call.path_values[0], out.end_object().take());
}

Answer delete_vex(Call& call) {
  auto* desk = call.parts.services.vulnerability;
  if (desk == nullptr) return not_offered();
  const auto removed = desk->remove_vex(call.path_values[0]);
  if (!removed) return api_error(removed.error(), "statements");
  if (!*removed) return std::unexpected(ApiError{.code = "not_found", .target = "statements"});
  return audited(call, "vex.delete", call.path_values[0]);
}

}  // namespace picket::api
