// Rule files in both published forms.
#include "analytics/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::analytics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kYaml = R"(id: 7d8e2b1c-1111-4222-8333-944455556666
name: Excessive sign-in attempts
description: |
  'One address tried many
  times.'
severity: High
status: Available
requiredDataConnectors:
  - connectorId: IoT
    dataTypes:
      - SecurityAlert
queryFrequency: 5m
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 0
tactics:
  - ImpairProcessControl
relevantTechniques:
  - T0806
  - T1110.003
query: |
  SecurityAlert
  | where ProviderName == "IoTSecurity"
eventGroupingSettings:
  aggregationKind: AlertPerResult
customDetails:
  Sensor: DeviceId
entityMappings:
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: SourceDeviceAddress
sentinelEntitiesMappings:
  - columnName: Entities
alertDetailsOverride:
  alertDisplayNameFormat: "(MDIoT) {{AlertName}}"
  alertSeverityColumnName: AlertSeverity
  alertDynamicProperties:
    - alertProperty: AlertLink
      value: AlertLink
suppressionEnabled: true
suppressionDuration: 2h
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    lookbackDuration: 12h
    matchingMethod: Selected
    groupByEntities: [IP]
    groupByAlertDetails: [DisplayName]
version: 1.0.2
kind: Scheduled
)";

TEST(RuleFile, YamlIsReadWithAllItsMembers) {
  const RuleFile file = read_rule_file(kYaml);
  ASSERT_EQ(file.rules.size(), 1u) << file.complaints.at(0);
  const Rule& rule = file.rules[0];
  EXPECT_EQ(rule.id, "7d8e2b1c-1111-4222-8333-944455556666");
  EXPECT_EQ(rule.name, "Excessive sign-in attempts");
  EXPECT_EQ(rule.frequency, Duration::minutes(5));
  EXPECT_EQ(rule.period, Duration::days(1));
  EXPECT_EQ(rule.query, "SecurityAlert\n| where ProviderName == \"IoTSecurity\"\n");
  EXPECT_THAT(rule.techniques, ElementsAre("T0806", "T1110"));
  EXPECT_THAT(rule.sub_techniques, ElementsAre("T1110.003"));
  EXPECT_TRUE(rule.alert_per_result);
  EXPECT_THAT(rule.entities.at(0).fields, ElementsAre(Pair("Address", "SourceDeviceAddress")));
  EXPECT_THAT(rule.entity_columns, ElementsAre("Entities"));
  EXPECT_EQ(rule.overrides.properties.at(0).first, "AlertLink");
  EXPECT_EQ(rule.suppression_time, Duration::hours(2));
  EXPECT_TRUE(rule.incidents.group);
  EXPECT_EQ(rule.incidents.lookback, Duration::hours(12));
  EXPECT_EQ(rule.incidents.matching, Incidents::Matching::selected);
  EXPECT_EQ(rule.version, "1.0.2");
}

TEST(RuleFile, WhatIsWrittenReadsTheSame) {
  const Rule rule = read_rule_file(kYaml).rules.at(0);
  const std::string json = to_json(rule);
  const RuleFile again = read_rule_file(json);
  ASSERT_EQ(again.rules.size(), 1u) << again.complaints.at(0);
  EXPECT_EQ(to_json(again.rules[0]), json);
  EXPECT_EQ(again.rules[0].id, rule.id);
  EXPECT_TRUE(again.rules[0].suppression);
}

TEST(RuleFile, ArmTemplatesGiveRulesWhereverTheyStand) {
  const RuleFile file = read_rule_file(R"({
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "variables": {"analyticRuleObject1": {"analyticRulecontentId1": "0a0b0c0d-1111-4222-8333-944455556666"}},
    "resources": [
      {"type": "Microsoft.OperationalInsights/workspaces/providers/contentTemplates",
       "properties": {"mainTemplate": {"resources": [
         {"type": "Microsoft.SecurityInsights/AlertRuleTemplates", "kind": "Scheduled",
          "name": "[variables('analyticRuleObject1').analyticRulecontentId1]",
          "properties": {"displayName": "Scan", "enabled": false, "severity": "Medium", "query": "SecurityAlert\n| where AlertName contains \"Scan\"",
            "queryFrequency": "PT1H", "queryPeriod": "PT1H", "triggerOperator": "GreaterThan", "triggerThreshold": 0,
            "techniques": ["T0842"], "entityMappings": [{"entityType": "IP", "fieldMappings": [{"columnName": "A", "identifier": "Address"}]}]}},
         {"type": "Microsoft.OperationalInsights/workspaces/providers/metadata", "properties": {"kind": "AnalyticsRule"}}]}}},
      {"type": "Microsoft.OperationalInsights/workspaces/providers/alertRules", "kind": "NRT",
       "name": "[concat(parameters('workspace'),'/Microsoft.SecurityInsights/1a0b0c0d-1111-4222-8333-944455556666')]",
       "properties": {"displayName": "At once", "severity": "Low", "query": "T"}},
      {"kind": "Fusion", "properties": {"enabled": true}}]})");
  ASSERT_EQ(file.rules.size(), 2u);
  EXPECT_EQ(file.rules[0].id, "0a0b0c0d-1111-4222-8333-944455556666");
  EXPECT_EQ(file.rules[0].frequency, Duration::hours(1));
  EXPECT_TRUE(file.rules[1].near_real_time);
  EXPECT_EQ(file.rules[1].id, "1a0b0c0d-1111-4222-8333-944455556666");
  EXPECT_TRUE(file.complaints.empty());
}

TEST(RuleFile, TextsOfATemplateAreWhatItsVariablesAndParametersSay) {
  const RuleFile file = read_rule_file(R"json({
    "parameters": {"rule-id": {"type": "string", "defaultValue": "[newGuid()]"}, "vendor": {"defaultValue": "Plant"}},
    "variables": {"Origin": "OriginColumn", "_Origin": "[variables('Origin')]", "table": "SecurityAlert"},
    "resources": [
      {"kind": "Scheduled", "name": "[concat(parameters('workspace'),'/Microsoft.SecurityInsights/',parameters('rule-id'))]",
       "properties": {"displayName": "[concat('Stop (', parameters('vendor'), ')')]", "severity": "High",
         "query": "[concat(variables('table'), ' | where AlertName has ''Stop''')]", "queryFrequency": "PT1H", "queryPeriod": "PT1H",
         "customDetails": {"Origin": "[variables('_Origin')]", "Sensor": "DeviceId", "When": "[utcNow()]"},
         "entityMappings": [{"entityType": "IP", "fieldMappings": [{"columnName": "[variables('Origin')]", "identifier": "Address"}]}]}},
      {"type": "Microsoft.Logic/workflows", "properties": {"parameters": {"vendor": {"type": "Object"}}}}]})json");
  ASSERT_EQ(file.rules.size(), 1u);
  const Rule& rule = file.rules[0];
  EXPECT_EQ(rule.name, "Stop (Plant)");
  EXPECT_EQ(rule.query, "SecurityAlert | where AlertName has 'Stop'");
  EXPECT_THAT(rule.custom_details,
              ElementsAre(Pair("Origin", "OriginColumn"), Pair("Sensor", "DeviceId"), Pair("When", "[utcNow()]")))
      << "what only a deployment knows stays as it is";
  EXPECT_THAT(rule.entities.at(0).fields, ElementsAre(Pair("Address", "OriginColumn")));
  EXPECT_TRUE(rule.id.starts_with("rule-")) << "the same at each import";
}

TEST(RuleFile, AMistakeIsToldByTheRulesName) {
  const auto complaint = [](std::string_view from, std::string_view to) {
    std::string text = kYaml;
    text.replace(text.find(from), from.size(), to);
    const RuleFile file = read_rule_file(text);
    EXPECT_TRUE(file.rules.empty()) << to;
    return file.complaints.empty() ? std::string() : file.complaints[0];
  };
  EXPECT_THAT(complaint("severity: High", "severity: Huge"), HasSubstr("severity is Huge"));
  EXPECT_THAT(complaint("queryPeriod: 1d", "queryPeriod: 15d"), HasSubstr("14 days"));
  EXPECT_THAT(complaint("queryFrequency: 5m", "queryFrequency: 5 apples"), HasSubstr("queryFrequency"));
  EXPECT_THAT(complaint("queryFrequency: 5m\n", ""), HasSubstr("hunting"));
  EXPECT_THAT(complaint("queryFrequency: 5m", "queryFrequency: 2d"), HasSubstr("miss events"));
  EXPECT_THAT(complaint("triggerOperator: gt", "triggerOperator: about"), HasSubstr("Excessive sign-in attempts"));
  EXPECT_THAT(complaint("triggerThreshold: 0", "triggerThreshold: -1"), HasSubstr("triggerThreshold"));
  EXPECT_THAT(complaint("kind: Scheduled", "kind: Fusion"), HasSubstr("Fusion"));
}

TEST(RuleFile, NonsenseIsAComplaintAndNeverMore) {
  for (const std::string& text :
       {std::string(), std::string("   "), std::string("{"), std::string("[]"), std::string("- a"),
        std::string("a: &a [*a, *a]"), std::string("\"x\""), std::string(5000, '[')}) {
    const RuleFile file = read_rule_file(text);
    EXPECT_TRUE(file.rules.empty());
    EXPECT_EQ(file.complaints.size(), 1u) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace picket::analytics
