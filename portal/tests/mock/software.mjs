// @ts-check
/** Software and vulnerabilities of the made-up fleet, advisory feeds and OpenVEX documents. */
import { missing, ok, pageOf, refused } from './answers.mjs';
import { ago, devices } from './data.mjs';
/** @typedef {import('../../src/api/types').Finding} Finding */
/** @typedef {import('../../src/api/types').SoftwareComponent} Component */

/** @param {string} name @param {string} version @param {string} [source] @returns {Component} */
const deb = (name, version, source = name) => ({
  type: 'deb',
  name,
  version,
  architecture: 'amd64',
  sourceName: source,
  sourceVersion: version,
  purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=debian-12`,
});
const [openssl, xz, busybox] = [
  deb('libssl3', '3.0.11-1~deb12u2', 'openssl'),
  deb('liblzma5', '5.6.1-1', 'xz-utils'),
  { type: 'binary', name: 'busybox', version: '1.35.0', purl: 'pkg:generic/busybox@1.35.0', evidence: '/bin/busybox' },
];
/** @type {Component[]} */
const components = [
  openssl,
  xz,
  busybox,
  ...Array.from({ length: 240 }, (_, index) => deb(`lib-of-the-plant-${index + 1}`, `1.${index}-1`)),
];
/** @type {Map<string, Component[]>} */
const documents = new Map();
/** Devices with an agent that has reported run the same. @param {string} id */
const softwareOf = (id) =>
  devices.some(({ deviceId, reporting, os }) => deviceId === id && reporting !== 'never' && os?.startsWith('Debian'))
    ? components
    : [];

/** @param {Partial<Finding> & Pick<Finding, 'vulnerability' | 'severity'>} known @returns {Finding} */
const finding = (known) => ({
  standing: 'affected',
  confidence: 'high',
  status: '',
  fixedIn: '',
  package: 'openssl',
  version: '3.0.11-1~deb12u2',
  ecosystem: 'Debian:12',
  summary: '',
  note: '',
  feed: 'debian',
  advisory: known.vulnerability,
  url: `https://security-tracker.debian.org/tracker/${known.vulnerability}`,
  rule: 'debian-tracker',
  reason: '3.0.11-1~deb12u2 is before 3.0.15-1~deb12u1, which bookworm fixes it in',
  published: ago(60 * 24 * 200),
  exploited: false,
  epssPercentile: 0.4,
  statement: '',
  justification: '',
  component: openssl,
  ...known,
});

/** @type {Finding[]} */
const findings = [
  finding({
    vulnerability: 'CVE-2024-3094',
    severity: 'critical',
    score: 10,
    package: 'xz-utils',
    version: '5.6.1-1',
    component: xz,
    exploited: true,
    epssPercentile: 0.98,
    fixedIn: '5.6.1+really5.4.5-1',
    summary: 'Malicious code was in the upstream tarballs of xz. <img src=x onerror=alert(1)>',
    reason: '5.6.1-1 is between 5.6.0 and 5.6.1+really5.4.5-1',
  }),
  finding({
    vulnerability: 'CVE-2024-5535',
    severity: 'critical',
    score: 9.1,
    fixedIn: '3.0.15-1~deb12u1',
    summary: 'Buffer overread in SSL_select_next_proto.',
  }),
  finding({
    vulnerability: 'CVE-2023-42364',
    severity: 'medium',
    score: 5.5,
    package: 'busybox',
    version: '1.35.0',
    component: busybox,
    feed: 'nvd',
    rule: 'cpe',
    confidence: 'low',
    url: 'javascript:alert(1)',
    status: 'unfixed',
    reason: '1.35.0 is up to 1.36.1',
  }),
  finding({
    vulnerability: 'CVE-2007-6755',
    severity: 'negligible',
    status: 'unimportant',
    reason: 'no version of bookworm has a fix',
  }),
];
/** @type {Map<string, { author: string, document: any }>} */
const vex = new Map();
/** @type {import('../../src/api/types').AdvisoryFeed[]} */
const feeds = [
  {
    name: 'debian',
    kind: 'debian-tracker',
    source: 'https://security-tracker.debian.org/tracker/data/json',
    everySeconds: 21_600,
    tried: ago(40),
    loaded: ago(40),
    newest: ago(190),
    advisories: 41_022,
    entries: 198_311,
    bytes: 91_000_000,
    problem: '',
    leftOut: { 'no release': 12 },
  },
  {
    name: 'kev',
    kind: 'kev',
    source: '/srv/mirror/kev.json',
    everySeconds: 86_400,
    tried: ago(3),
    loaded: ago(60 * 30),
    newest: ago(60 * 50),
    advisories: 1_190,
    entries: 1_190,
    bytes: 1_200_000,
    problem: 'it has 400 entries where the one in force has 1190; refresh it with force if that is right',
    leftOut: {},
  },
];

/** @param {string} vulnerability */
const statementOn = (vulnerability) =>
  [...vex].find(([, { document }]) =>
    document.statements.some(
      (/** @type {any} */ one) => one.vulnerability.name === vulnerability && one.status === 'not_affected',
    ),
  );

/** @param {string} device @returns {Finding[]} */
const findingsOf = (device) =>
  softwareOf(device).length === 0
    ? []
    : findings.map((one) => {
        const [name, { document }] = statementOn(one.vulnerability) ?? ['', { document: undefined }];
        const justification = document?.statements[0].justification ?? '';
        return name ? { ...one, standing: 'not_affected', statement: name, justification } : one;
      });
const affected = (/** @type {Finding} */ { standing }) => standing === 'affected';

function fleet() {
  const having = devices.filter(({ deviceId }) => softwareOf(deviceId).length > 0).map(({ deviceId }) => deviceId);
  return findingsOf(having[0] ?? '')
    .filter(affected)
    .map(
      ({
        vulnerability,
        severity,
        score,
        exploited,
        epssPercentile,
        confidence,
        status,
        fixedIn,
        package: name,
        summary,
        url,
      }) => ({
        ...{ vulnerability, severity, score, exploited, epssPercentile, confidence, status, fixedIn, summary, url },
        devices: having.length,
        packages: [name ?? ''],
      }),
    );
}

/** @param {URLSearchParams} query */
function listVulnerabilities(query) {
  const severities = query.get('severity')?.split(',');
  const [q = '', exploited] = [query.get('q') ?? '', query.get('exploited')];
  return pageOf(
    fleet().filter(
      (one) =>
        (!severities || severities.includes(one.severity)) &&
        (!exploited || String(one.exploited) === exploited) &&
        (one.vulnerability.includes(q) || one.packages.some((name) => name.includes(q))),
    ),
    query,
  );
}

/** @param {string} id */
function oneVulnerability(id) {
  const items = devices.flatMap(({ deviceId }) =>
    findingsOf(deviceId)
      .filter((one) => one.vulnerability === id && affected(one))
      .map((one) => ({ ...one, deviceId })),
  );
  return ok({ vulnerability: id, devices: items.length, items: items.slice(0, 100) });
}

/** @param {string} method @param {string} name @param {string} part @param {URLSearchParams} query @param {any} body */
function askFeeds(method, name, part, query, body) {
  const feed = feeds.find((item) => item.name === name);
  const now = new Date().toISOString();
  const fresh = { tried: now, advisories: 0, entries: 0, bytes: 0, problem: '', leftOut: {} };
  if (method === 'GET')
    return ok({ items: feeds, advisories: 42_212, bytes: 92_200_000, exploited: 1_190, statements: vex.size });
  if (method === 'PUT' && part === 'content') {
    const made = {
      ...fresh,
      name,
      kind: query.get('kind') ?? '',
      source: '',
      everySeconds: 0,
      loaded: now,
      entries: String(body).length,
    };
    if (feed) Object.assign(feed, made);
    else feeds.push(made);
    return ok(made);
  }
  if (method === 'PUT') {
    if (feed) Object.assign(feed, body);
    else feeds.push({ ...fresh, name, ...body });
    return ok();
  }
  if (!feed) return missing('feed');
  if (method === 'POST') {
    Object.assign(feed, { tried: now, loaded: now, problem: '' });
    return ok(undefined, 202);
  }
  feeds.splice(feeds.indexOf(feed), 1);
  return ok();
}

/** @param {string} method @param {string} name @param {any} body */
function askVex(method, name, body) {
  if (method === 'GET' && !name)
    return ok({
      items: [...vex].map(([key, { author, document }]) => ({ name: key, author, statements: document.statements.length })),
    });
  if (method === 'PUT') {
    const document = JSON.parse(body);
    if (!document.statements?.length) return refused('document', 'vex.statements: malformed');
    vex.set(name, { author: document.author, document });
    return ok({ name, statements: document.statements.length });
  }
  if (!vex.has(name)) return missing('document');
  if (method === 'GET') return ok(vex.get(name)?.document);
  vex.delete(name);
  return ok();
}

/** @param {string} method @param {string} device @param {string} part @param {string} name @param {any} body */
function askSbom(method, device, part, name, body) {
  const imported = documents.get(device) ?? [];
  if (method === 'PUT') {
    const { components: listed = [] } = JSON.parse(body);
    documents.set(device, listed);
    return ok({ name, format: 'CycloneDX 1.6', components: listed.length, leftOut: 0 }, 201);
  }
  if (method === 'DELETE') return documents.delete(device) ? ok() : missing('document');
  const reported = softwareOf(device);
  if (part === 'document') return ok({ bomFormat: 'CycloneDX', specVersion: '1.6', components: reported });
  return ok({
    deviceId: device,
    sources: [
      ...(reported.length > 0
        ? [{ name: 'agent:DefenderIotMicroAgent', updated: ago(90), whole: true, components: reported.length }]
        : []),
      ...(imported.length > 0
        ? [{ name: 'document:browser-firmware', updated: ago(0), whole: true, components: imported.length }]
        : []),
    ],
    items: [...imported, ...reported],
  });
}

/** @type {import('./parts.mjs').Part} */
export function askSoftware(method, [area, first = '', second = '', third = ''], query, body) {
  switch (area) {
    case 'vulnerabilities':
      return first ? oneVulnerability(first) : listVulnerabilities(query);
    case 'advisory-feeds':
      return askFeeds(method, first, second, query, body);
    case 'vulnerability-statements':
      return ok({ '@context': 'https://openvex.dev/ns/v0.2.0', statements: [] });
    case 'vex':
      return askVex(method, first, body);
    case 'sbom': {
      if (first === 'devices') return askSbom(method, second, third.split('/')[0] ?? '', 'browser-firmware', body);
      const q = query.get('q') ?? '';
      const running = devices.filter(({ deviceId }) => softwareOf(deviceId).length > 0).length;
      const found =
        running > 0
          ? components.filter(({ name, version, purl = '' }) => [name, version, purl].some((text) => text.includes(q)))
          : [];
      return pageOf(
        found.map((one) => ({ ...one, devices: running })),
        query,
      );
    }
    case 'devices': {
      if (second !== 'vulnerabilities') return undefined;
      const items = findingsOf(first);
      if (third) {
        const words = items.filter(({ vulnerability }) => vulnerability === third);
        const reason = words.length > 0 ? '' : 'No feed names a package that this device runs.';
        return ok({ deviceId: first, vulnerability: third, reason, items: words });
      }
      const wanted = query.get('all') === 'true' ? items : items.filter(affected);
      return ok({ deviceId: first, total: wanted.length, items: wanted });
    }
    default:
      return undefined;
  }
}
