/** Short names for the models of schema/openapi.yaml; `generated.d.ts` is made from that file by `npm run api`. */
import type { components, operations } from './generated';

type Schemas = components['schemas'];

export type Alert = Schemas['Alert'];
export type AlertChange = Schemas['AlertChange'];
export type AlertPage = Schemas['AlertPage'];
export type AlertStatus = Schemas['AlertStatus'];
export type AlertSummary = Schemas['AlertSummary'];
export type CaCertificate = Schemas['CaCertificate'];
export type Column = Schemas['Column'];
export type ConnectionState = Schemas['ConnectionState'];
export type CreatedDevice = Schemas['CreatedDevice'];
export type Device = Schemas['Device'];
export type DeviceCreate = Schemas['DeviceCreate'];
export type DevicePage = Schemas['DevicePage'];
export type DeviceStatus = Schemas['DeviceStatus'];
export type DeviceSummary = Schemas['DeviceSummary'];
export type DeviceUpdate = Schemas['DeviceUpdate'];
export type Evidence = Schemas['Evidence'];
export type Hub = Schemas['Hub'];
export type HubSettings = Schemas['HubSettings'];
export type KqlType = Schemas['KqlType'];
export type LiveStats = Schemas['LiveStats'];
export type Overview = Schemas['Overview'];
export type DevicePosture = Schemas['DevicePosture'];
export type DeviceScore = Schemas['DeviceScore'];
export type Exemption = Schemas['Exemption'];
export type ExemptionOrder = NonNullable<operations['create_exemption']['requestBody']>['content']['application/json'];
export type Posture = Schemas['Posture'];
export type Policy = Schemas['Policy'];
export type QueryRequest = Schemas['QueryRequest'];
export type QueryResult = Schemas['QueryResult'];
/** An object that is shown as it is: the contract says nothing about its members. */
export type JsonObject = { [name: string]: unknown };
export type Recommendation = Omit<Schemas['Recommendation'], 'additionalData'> & { additionalData: JsonObject };
export type RecommendationPage = Omit<Schemas['RecommendationPage'], 'items'> & { items: Recommendation[] };
export type RecommendationState = Recommendation['state'];
export type RecommendationType = Schemas['RecommendationTypes']['items'][number];
export type Reporting = Schemas['Reporting'];
export type Role = Schemas['Role'];
export type Rule = Schemas['Rule'];
export type RuleImport = Schemas['RuleImport'];
export type RuleList = Schemas['RuleList'];
export type Session = Schemas['Session'];
export type Severity = Schemas['Severity'];
export type SeverityCounts = Schemas['SeverityCounts'];
export type Span = Schemas['Span'];
export type MethodCall = Schemas['MethodCall'];
export type MethodReply = Schemas['MethodReply'];
export type ResponseOrder = NonNullable<operations['respond']['requestBody']>['content']['application/json'];
export type DeviceMessage = Schemas['DeviceMessage'];
export type Twin = Omit<Schemas['Twin'], 'tags' | 'properties'> & {
  tags: JsonObject;
  properties: { desired: JsonObject; reported: JsonObject };
};
export type Triage = Schemas['Triage'];
export type WorkspaceSchema = Schemas['WorkspaceSchema'];

export type AlertGroup = Schemas['AlertGroup'];
export type AlertGroupPage = Schemas['AlertGroupPage'];
export type AlertGroupTriage = Omit<Schemas['AlertGroupTriage'], 'status'> & { status?: AlertStatus };
export type Classification = Schemas['Classification'];
export type ClassificationReason = Schemas['ClassificationReason'];
export type Incident = Schemas['Incident'];
export type IncidentDetail = Schemas['IncidentDetail'];
export type IncidentPage = Schemas['IncidentPage'];
export type IncidentStatus = Schemas['IncidentStatus'];
export type IncidentTimelineEntry = Schemas['IncidentTimelineEntry'];
export type IncidentTriage = Schemas['IncidentTriage'];
export type RawEvents = Schemas['RawEvents'];
export type Suppression = Schemas['Suppression'];
export type SuppressionMatch = Schemas['SuppressionRule']['match'];
export type SuppressionRule = Schemas['SuppressionRule'];

export type IntelligenceFeed = Schemas['Feed'];
export type FeedSettings = Schemas['FeedSettings'];
export type FeedOrder = NonNullable<operations['put_feed']['requestBody']>['content']['application/json'];
export type IndicatorKind = Schemas['IndicatorKind'];
export type IndicatorOrder = NonNullable<operations['add_indicator']['requestBody']>['content']['application/json'];
export type IndicatorSet = operations['get_indicator_set']['responses'][200]['content']['application/json'];
export type IndicatorLookup = operations['look_up_indicator']['responses'][200]['content']['application/json'];
export type OwnIndicator = Schemas['OwnIndicator'];
export type OwnIndicatorPage = operations['list_indicators']['responses'][200]['content']['application/json'];
export type RetroHunt = operations['list_retro_hunts']['responses'][200]['content']['application/json']['items'][number];

export type AdvisoryFeed = Schemas['AdvisoryFeed'];
export type AdvisoryFeedOrder = NonNullable<operations['put_advisory_feed']['requestBody']>['content']['application/json'];
export type DeviceSoftware = Schemas['DeviceSoftware'];
export type Finding = Schemas['VulnerabilityFinding'];
export type SoftwareComponent = Schemas['SoftwareComponent'];
export type SoftwarePage = Schemas['SoftwareList'];
export type VexRow = { name: string; author: string; statements: number };
export type Vulnerability = Schemas['VulnerabilityList']['items'][number];
export type VulnerabilityPage = Schemas['VulnerabilityList'];
export type VulnerabilityFilters = Omit<NonNullable<operations['list_vulnerabilities']['parameters']['query']>, 'cursor' | 'limit'>;

/** As Microsoft.Security has them; the contract leaves the resource open. */
interface CustomRule {
  ruleType: string;
  displayName: string;
  description: string;
  isEnabled: boolean;
}
export interface WindowRule extends CustomRule {
  minThreshold: number;
  maxThreshold: number;
  timeWindowSize: string;
}
export interface AllowRule extends CustomRule {
  valueType: string;
  allowlistValues: string[];
}
export interface SecurityGroup {
  id: string;
  name: string;
  properties: { timeWindowRules: WindowRule[]; allowlistRules: AllowRule[]; denylistRules: unknown[]; thresholdRules: unknown[] };
}

export type AlertFilters = Omit<NonNullable<operations['list_alerts']['parameters']['query']>, 'cursor' | 'limit'>;
export type DeviceFilters = Omit<NonNullable<operations['list_devices']['parameters']['query']>, 'cursor' | 'limit'>;
export type AlertGroupFilters = Omit<NonNullable<operations['list_alert_groups']['parameters']['query']>, 'cursor' | 'limit'>;
export type IncidentFilters = Omit<NonNullable<operations['list_incidents']['parameters']['query']>, 'cursor' | 'limit'>;
