/** KQL text made by the portal. */

/** A string literal that holds `text` and nothing else, whatever it contains. */
export function kqlString(text: string): string {
  const escaped = text
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

/** A datetime literal; `iso` is RFC 3339 from the server or from Date. */
export function kqlTime(iso: string): string {
  return `datetime(${iso.replace(/[^0-9TZ:.+-]/g, '')})`;
}

/** The newest raw events of one device. */
export function deviceEventsQuery(deviceId: string, take: number): string {
  return `SecurityIoTRawEvent
| where DeviceId == ${kqlString(deviceId)}
| sort by TimeGenerated desc
| take ${take}
| project TimeGenerated, RawEventName, EventDetails`;
}

const kEvidenceIdsMax = 50;

/** The raw events with these ids; the first 50, which is what a query text stays readable with. */
export function evidenceQuery(rawEventIds: readonly string[]): string {
  const ids = [...new Set(rawEventIds)].slice(0, kEvidenceIdsMax);
  return `SecurityIoTRawEvent
| where ${ids.map((id) => `IoTRawEventId == ${kqlString(id)}`).join('\n    or ')}
| sort by TimeGenerated asc`;
}

/** Everything a device reported from `minutes` before the start to `minutes` after the end. */
export function aroundQuery(deviceId: string, startIso: string, endIso: string, minutes: number): string {
  const shifted = (iso: string, by: number) => kqlTime(new Date(Date.parse(iso) + by * 60_000).toISOString());
  return `SecurityIoTRawEvent
| where DeviceId == ${kqlString(deviceId)}
| where TimeGenerated >= ${shifted(startIso, -minutes)} and TimeGenerated <= ${shifted(endIso, minutes)}
| sort by TimeGenerated asc
| project TimeGenerated, RawEventName, EventDetails`;
}

/** How it stands now with one type of recommendation, one row a device. */
export function recommendationQuery(type: string): string {
  return `SecurityRecommendation
| where RecommendationName == ${kqlString(type)}
| summarize arg_max(TimeGenerated, *) by DeviceId`;
}

/** Where the Logs page opens with this query. */
/** Alerts of one type, newest first. */
export function alertTypeQuery(type: string): string {
  return `SecurityAlert\n| where AlertType == ${kqlString(type)}\n| sort by TimeGenerated desc`;
}

export function logsPath(query: string, timespan?: string): string {
  return `/logs?q=${encodeURIComponent(query)}${timespan ? `&timespan=${encodeURIComponent(timespan)}` : ''}`;
}

/** The devices that have this version of a software now. */
export function componentQuery(name: string, version: string): string {
  return `SoftwareInventory
| where SoftwareName == ${kqlString(name)} and SoftwareVersion == ${kqlString(version)}
| summarize arg_max(TimeGenerated, *) by DeviceId, PackageUrl
| where State == "Installed"`;
}

/** Checks of the baseline on a device as they stand now. */
export function baselineQuery(deviceId: string): string {
  return `SecurityIoTRawEvent
| where DeviceId == ${kqlString(deviceId)} and RawEventName == "Baseline"
| extend Details = parse_json(EventDetails)
| extend Check = tostring(Details.BaselineCheckId)
| summarize arg_max(TimeGenerated, Details) by Check
| project Check, Result = tostring(Details.BaselineCheckResult), Severity = tostring(Details.BaselineCheckSeverity),
    Description = tostring(Details.BaselineCheckDescription), Remediation = tostring(Details.BaselineCheckRemediation),
    Observed = tostring(Details.ExtraDetails.Observed), Expected = tostring(Details.ExtraDetails.Expected),
    Group = tostring(Details.ExtraDetails.Group), Seen = TimeGenerated
| sort by Check asc`;
}
