#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"

namespace picket::pipeline {

HubFinding finding_of(const HubRecord& record, std::string_view alert_type, std::string group_key) {
  HubFinding out;
  out.device = record.device;
  out.finding.alert_type = alert_type;
  out.finding.group_key = std::move(group_key);
  out.finding.start = out.finding.end = record.time;
  out.finding.evidence = {record.evidence()};
  const auto say = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.finding.properties.emplace_back(name, value);
  };
  say("Remote Address", record.source);
  say("Actor", record.actor);
  say("Object", record.object);
  say("Reason", record.reason);
  if (record.code != 0) say("Result Code", std::to_string(record.code));
  if (!record.audit) say("Protocol", record.protocol);
  if (!record.source.empty()) out.finding.entities.push_back({"ip", {{"Address", record.source}}});
  if (record.audit && !record.actor.empty()) out.finding.entities.push_back({"account", {{"Name", record.actor}}});
  return out;
}

}  // namespace picket::pipeline
