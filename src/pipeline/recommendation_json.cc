// The body of a recommendation change: docs/formats/recommendation.md; and its row.
#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "pipeline/alert.h"
#include "pipeline/recommendation.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;

std::string text_of(const json::object& in, std::string_view name, bool& good) {
  const json::value* value = in.if_contains({name.data(), name.size()});
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  good = good && text != nullptr;
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::uint64_t number_of(const json::object& in, std::string_view name, bool& good) {
  const json::value* value = in.if_contains({name.data(), name.size()});
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  good = good && number != nullptr && *number >= 0;
  return good ? static_cast<std::uint64_t>(*number) : 0;
}

Timestamp time_of(const json::object& in, std::string_view name, bool& good) {
  const auto parsed = parse_rfc3339(text_of(in, name, good));
  good = good && parsed.has_value();
  return parsed ? *parsed : Timestamp{};
}

std::vector<std::string> texts_of(const json::object& in, std::string_view name, bool& good) {
  std::vector<std::string> out;
  const json::value* value = in.if_contains({name.data(), name.size()});
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  good = good && list != nullptr;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const json::string* text = (*list)[i].if_string();
    good = good && text != nullptr;
    if (text != nullptr) out.emplace_back(text->data(), text->size());
  }
  return out;
}

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

}  // namespace

std::string_view to_string(RecommendationState state) {
  return state == RecommendationState::active ? "Active" : "Resolved";
}

std::string to_json(const RecommendationChange& change) {
  JsonWriter out;
  out.begin_object().key("Format").value(kFormat).key("RecommendationId").value(change.recommendation_id);
  out.key("Change").value(change.change).key("Type").value(change.type);
  out.key("DisplayName").value(change.display_name).key("Severity").value(change.severity);
  out.key("Description").value(change.description).key("Hub").value(change.device.hub);
  out.key("DeviceId").value(change.device.device_id).key("ModuleId").value(change.device.module_id);
  out.key("GenerationId").value(change.device.generation_id).key("State").value(to_string(change.state));
  out.key("Rule").value(change.rule).key("DiscoveredTime").value(change.discovered);
  out.key("FirstEvaluation").value(change.first_evaluated).key("StateChanged").value(change.state_changed);
  if (change.resolved) out.key("ResolvedTime").value(*change.resolved);
  out.key("TimeGenerated").value(change.generated);
  write_texts(out, "RemediationSteps", change.remediation);
  out.key("AdditionalData").raw(change.data);
  return out.key("Source").value(to_text(change.source)).end_object().take();
}

Result<RecommendationChange> parse_recommendation_change(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return fail(Errc::malformed, "recommendation.json");
  const json::object& in = value.get_object();
  bool good = true;
  if (number_of(in, "Format", good) != kFormat) {
    return fail(good ? Errc::unsupported : Errc::malformed, "recommendation.format");
  }
  RecommendationChange out;
  out.recommendation_id = text_of(in, "RecommendationId", good);
  out.change = static_cast<std::uint32_t>(number_of(in, "Change", good));
  out.type = text_of(in, "Type", good);
  out.display_name = text_of(in, "DisplayName", good);
  out.severity = text_of(in, "Severity", good);
  out.description = text_of(in, "Description", good);
  out.device = {text_of(in, "Hub", good), text_of(in, "DeviceId", good), text_of(in, "ModuleId", good),
                text_of(in, "GenerationId", good)};
  out.state = text_of(in, "State", good) == "Active" ? RecommendationState::active : RecommendationState::resolved;
  out.rule = text_of(in, "Rule", good);
  out.discovered = time_of(in, "DiscoveredTime", good);
  out.first_evaluated = time_of(in, "FirstEvaluation", good);
  out.state_changed = time_of(in, "StateChanged", good);
  if (in.if_contains("ResolvedTime") != nullptr) out.resolved = time_of(in, "ResolvedTime", good);
  out.generated = time_of(in, "TimeGenerated", good);
  out.remediation = texts_of(in, "RemediationSteps", good);
  const json::value* data = in.if_contains("AdditionalData");
  good = good && data != nullptr && data->is_object();
  if (good) out.data = json::serialize(*data);
  const auto source = journal::parse_record_id(text_of(in, "Source", good));
  if (!source || !good) return fail(Errc::malformed, "recommendation.members");
  out.source = *source;
  return out;
}

void security_recommendation_cells(const RecommendationChange& change, std::string_view installation_id,
                                   std::deque<std::string>& texts, std::vector<workspace::Cell>& cells) {
  using workspace::Cell;
  const auto text = [&](std::string_view value) { cells.push_back(Cell::text(value)); };
  const auto made = [&](std::string value) { cells.push_back(Cell::text(texts.emplace_back(std::move(value)))); };
  JsonWriter properties;
  properties.begin_object().key("rule").value(change.rule).key("hub").value(change.device.hub);
  if (!change.device.module_id.empty()) properties.key("moduleId").value(change.device.module_id);
  write_texts(properties, "remediationSteps", change.remediation);
  properties.end_object();
  made(hub_resource_id(installation_id, change.device.hub));                            // AssessedResourceId
  text(change.description);                                                             // Description
  text(change.device.device_id);                                                        // DeviceId
  cells.push_back(Cell::timestamp(change.discovered));                                  // DiscoveredTimeUTC
  text("Non-Azure");                                                                    // Environment
  cells.push_back(Cell::timestamp(change.first_evaluated));                             // FirstEvaluationDate
  cells.push_back(Cell::boolean(false));                                                // IsSnapshot
  text("");                                                                             // PolicyDefinitionId
  made(properties.take());                                                              // Properties
  text("IoTSecurity");                                                                  // ProviderName
  text(change.data);                                                                    // RecommendationAdditionalData
  text(change.display_name);                                                            // RecommendationDisplayName
  text(change.recommendation_id);                                                       // RecommendationId
  text(change.type);                                                                    // RecommendationName
  text(change.severity);                                                                // RecommendationSeverity
  text(to_string(change.state));                                                        // RecommendationState
  cells.push_back(change.resolved ? Cell::timestamp(*change.resolved) : Cell::null());  // ResolvedTimeUTC
  text("");                                                                             // ResourceRegion
  cells.push_back(Cell::timestamp(change.state_changed));                               // StatusChangeDate
  cells.push_back(Cell::timestamp(change.generated));                                   // TimeGenerated
}

}  // namespace picket::pipeline
