/** Queries to start from: what users of the original looked for first. */
export interface Sample {
  name: string;
  query: string;
  timespan: string;
}

export const kSamples: readonly Sample[] = [
  {
    name: 'Events by type',
    timespan: 'PT24H',
    query: `SecurityIoTRawEvent
| summarize Events = count() by RawEventName
| sort by Events desc`,
  },
  {
    name: 'Newest events',
    timespan: 'PT1H',
    query: `SecurityIoTRawEvent
| sort by TimeGenerated desc
| take 100`,
  },
  {
    name: 'Processes that were started',
    timespan: 'PT1H',
    query: `SecurityIoTRawEvent
| where RawEventName == "ProcessCreate"
| extend Details = todynamic(EventDetails)
| project TimeGenerated, DeviceId, Executable = tostring(Details.Executable), CommandLine = tostring(Details.CommandLine)
| sort by TimeGenerated desc
| take 200`,
  },
  {
    name: 'Sign-ins by result',
    timespan: 'PT24H',
    query: `SecurityIoTRawEvent
| where RawEventName == "Login"
| extend Details = todynamic(EventDetails)
| summarize Attempts = count() by DeviceId, UserName = tostring(Details.UserName), Result = tostring(Details.Result)
| sort by Attempts desc`,
  },
  {
    name: 'Remote addresses talked to',
    timespan: 'PT24H',
    query: `SecurityIoTRawEvent
| where RawEventName == "ConnectionCreate"
| extend Details = todynamic(EventDetails)
| summarize Devices = dcount(DeviceId), Connections = count() by RemoteAddress = tostring(Details.RemoteAddress)
| sort by Connections desc`,
  },
  {
    name: 'Last word of each device',
    timespan: 'P7D',
    query: `SecurityIoTRawEvent
| summarize arg_max(TimeGenerated, RawEventName) by DeviceId
| sort by TimeGenerated asc`,
  },
  {
    name: 'Alerts by severity',
    timespan: 'P30D',
    query: `SecurityAlert
| summarize Alerts = dcount(SystemAlertId) by AlertSeverity, DisplayName
| sort by Alerts desc`,
  },
];

export const kTimespans: readonly { value: string; text: string }[] = [
  { value: 'PT30M', text: 'Last 30 minutes' },
  { value: 'PT1H', text: 'Last hour' },
  { value: 'PT4H', text: 'Last 4 hours' },
  { value: 'PT24H', text: 'Last 24 hours' },
  { value: 'P7D', text: 'Last 7 days' },
  { value: 'P30D', text: 'Last 30 days' },
  { value: '', text: 'Set in query' },
];
export const kTimespanDefault = 'PT24H';
