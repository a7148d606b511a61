// The body of an alert change: docs/formats/alert.md.
#include <charconv>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "pipeline/alert.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

void write_if(JsonWriter& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.key(name).value(text);
}

void write_members(JsonWriter& out, const NamedTexts& members) {
  for (const auto& [name, value] : members) out.key(name).value(value);
}

/// Reads members of one object; the first failure is kept, and everything after it gives empty values.
class ObjectReader {
 public:
  explicit ObjectReader(const json::object& object) : object_(object) {}

  /// Empty: it is not there.
  std::string text_if(std::string_view name) { return find(name) == nullptr ? std::string() : text(name); }
  std::string text(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_string()) return broken<std::string>();
    return std::string(value->get_string());
  }
  std::uint64_t number(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && value->is_uint64()) return value->get_uint64();
    if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return broken<std::uint64_t>();
    return static_cast<std::uint64_t>(value->get_int64());
  }
  Timestamp time(std::string_view name) {
    const auto parsed = parse_rfc3339(text(name));
    return parsed ? *parsed : broken<Timestamp>();
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> out;
    for (const json::value& value : array(name)) {
      if (!value.is_string()) return broken<std::vector<std::string>>();
      out.emplace_back(value.get_string());
    }
    return out;
  }
  const json::array& array(std::string_view name) {
    static const json::array empty;
    const json::value* value = find(name);
    if (value != nullptr && value->is_array()) return value->get_array();
    good_ = false;
    return empty;
  }
  const json::object& object(std::string_view name) {
    static const json::object empty;
    const json::value* value = find(name);
    if (value != nullptr && value->is_object()) return value->get_object();
    good_ = false;
    return empty;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  template <class T>
  T broken() {
    good_ = false;
    return T{};
  }
  const json::value* find(std::string_view name) const { return object_.if_contains(name); }

  const json::object& object_;
  bool good_ = true;
};

bool read_members(const json::object& object, std::string_view skip, NamedTexts& out) {
  for (const auto& member : object) {
    if (member.key() == skip) continue;
    if (!member.value().is_string()) return false;
    out.emplace_back(member.key(), member.value().get_string());
  }
  return true;
}

bool read_evidence(const json::array& rows, std::vector<EvidenceRow>& out) {
  if (rows.size() > kEvidenceMax) return false;
  for (const json::value& value : rows) {
    if (!value.is_object()) return false;
    ObjectReader in(value.get_object());
    EvidenceRow row;
    row.row.sequence = in.number("Position");
    row.row.event = static_cast<std::uint32_t>(in.number("Event"));
    row.row.item = static_cast<std::uint32_t>(in.number("Item"));
    row.raw_event_id = in.text("IoTRawEventId");
    row.time = in.time("TimeGenerated");
    if (!in.good()) return false;
    out.push_back(std::move(row));
  }
  return true;
}

bool read_entities(const json::array& entities, std::vector<Entity>& out) {
  for (const json::value& value : entities) {
    if (!value.is_object()) return false;
    Entity entity;
    entity.type = ObjectReader(value.get_object()).text("Type");
    if (entity.type.empty() || !read_members(value.get_object(), "Type", entity.members)) return false;
    out.push_back(std::move(entity));
  }
  return true;
}

Result<AlertChange> read_change(const json::object& object) {
  ObjectReader in(object);
  if (in.number("Format") != static_cast<std::uint64_t>(kFormat)) {
    return fail(in.good() ? Errc::unsupported : Errc::malformed, "alert.format");
  }
  AlertChange out;
  out.alert_id = in.text("SystemAlertId");
  out.change = static_cast<std::uint32_t>(in.number("Change"));
  out.rule = in.text("Rule");
  out.alert_type = in.text("AlertType");
  out.display_name = in.text("DisplayName");
  out.severity = in.text("AlertSeverity");
  out.description = in.text("Description");
  out.device = {in.text("Hub"), in.text("DeviceId"), in.text("ModuleId"), in.text("GenerationId")};
  out.group = in.text("Group");
  out.start = in.time("StartTime");
  out.end = in.time("EndTime");
  out.generated = in.time("TimeGenerated");
  out.count = in.number("Count");
  out.tactics = in.texts("Tactics");
  out.techniques = in.texts("Techniques");
  out.sub_techniques = in.texts("SubTechniques");
  out.remediation = in.texts("RemediationSteps");
  if (!read_members(in.object("ExtendedProperties"), {}, out.properties) || !in.good()) {
    return fail(Errc::malformed, "alert.properties");
  }
  if (!read_entities(in.array("Entities"), out.entities)) return fail(Errc::malformed, "alert.entities");
  if (!read_evidence(in.array("Evidence"), out.evidence)) return fail(Errc::malformed, "alert.evidence");
  out.evidence_count = in.number("EvidenceCount");
  out.product_name = in.text_if("ProductName");
  out.provider_name = in.text_if("ProviderName");
  out.product_component = in.text_if("ProductComponentName");
  out.link = in.text_if("AlertLink");
  const auto source = journal::parse_record_id(in.text("Source"));
  if (!source || !in.good()) return fail(Errc::malformed, "alert.members");
  out.source = *source;
  if (const json::value* rule = object.if_contains("SuppressedBy"); rule != nullptr && rule->is_string()) {
    out.suppressed_by = std::string(rule->get_string());
  }
  return out;
}

}  // namespace

std::string to_json(const AlertChange& change) {
  JsonWriter out;
  out.begin_object().key("Format").value(kFormat).key("SystemAlertId").value(change.alert_id);
  out.key("Change").value(change.change).key("Rule").value(change.rule).key("AlertType").value(change.alert_type);
  out.key("DisplayName").value(change.display_name).key("AlertSeverity").value(change.severity);
  out.key("Description").value(change.description).key("Hub").value(change.device.hub);
  out.key("DeviceId").value(change.device.device_id).key("ModuleId").value(change.device.module_id);
  out.key("GenerationId").value(change.device.generation_id).key("Group").value(change.group);
  out.key("StartTime").value(change.start).key("EndTime").value(change.end);
  out.key("TimeGenerated").value(change.generated).key("Count").value(change.count);
  write_texts(out, "Tactics", change.tactics);
  write_texts(out, "Techniques", change.techniques);
  write_texts(out, "SubTechniques", change.sub_techniques);
  write_texts(out, "RemediationSteps", change.remediation);
  out.key("ExtendedProperties").begin_object();
  write_members(out, change.properties);
  out.end_object().key("Entities").begin_array();
  for (const Entity& entity : change.entities) {
    out.begin_object().key("Type").value(entity.type);
    write_members(out, entity.members);
    out.end_object();
  }
  out.end_array().key("Evidence").begin_array();
  for (const EvidenceRow& row : change.evidence) {
    out.begin_object().key("Position").value(row.row.sequence).key("Event").value(row.row.event);
    out.key("Item").value(row.row.item).key("IoTRawEventId").value(row.raw_event_id);
    out.key("TimeGenerated").value(row.time).end_object();
  }
  out.end_array().key("EvidenceCount").value(change.evidence_count);
  write_if(out, "ProductName", change.product_name);
  write_if(out, "ProviderName", change.provider_name);
  write_if(out, "ProductComponentName", change.product_component);
  write_if(out, "AlertLink", change.link);
  if (!change.suppressed_by.empty()) out.key("SuppressedBy").value(change.suppressed_by);
  return out.key("Source").value(to_text(change.source)).end_object().take();
}

Result<AlertChange> parse_alert_change(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return fail(Errc::malformed, "alert.json");
  return read_change(value.get_object());
}

}  // namespace picket::pipeline
