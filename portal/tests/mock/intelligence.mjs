// @ts-check
/** Feeds, indicators and retro-hunts of the made-up server; what it reads is what it is handed. */
import { randomUUID } from 'node:crypto';
import { missing, ok, refused } from './answers.mjs';
import { ago } from './data.mjs';
/** @typedef {import('../../src/api/types').IntelligenceFeed} Feed */

/** @param {Partial<Feed> & Pick<Feed, 'name' | 'settings'>} known @returns {Feed} */
const makeFeed = (known) => ({
  hasSecret: false,
  changed: ago(60 * 24 * 3),
  fault: '',
  indicators: 0,
  keptOut: 0,
  skipped: 0,
  reasons: [],
  ...known,
});

/** @type {Feed[]} */
const feeds = [
  makeFeed({
    name: 'bots',
    settings: {
      source: 'https://feeds.example/bots.txt',
      intervalMinutes: 60,
      confidence: 80,
      licence: 'CC0-1.0',
      threat: 'Mirai',
    },
    tried: ago(12),
    read: ago(12),
    updated: ago(12),
    indicators: 48_112,
    keptOut: 31,
    skipped: 2,
    reasons: [{ reason: 'no address, name, URL or hash', count: 2, example: '<b>not & a name</b>' }],
  }),
  makeFeed({
    name: 'plant-cert',
    settings: { source: 'https://taxii.example/taxii2/', transport: 'taxii', intervalMinutes: 1440 },
    hasSecret: true,
    tried: ago(30),
    fault: '901 indicators instead of 48112; refresh with force if that is right',
    indicators: 901,
  }),
  makeFeed({ name: 'by-hand', settings: { licence: 'our own' } }),
];
/** @type {import('../../src/api/types').OwnIndicator[]} */
const own = [
  {
    ...{ kind: 'domain', value: 'evil.example', allowed: false, confidence: 100, threat: 'Mirai', reference: '' },
    ...{ user: 'admin', added: ago(600) },
  },
  {
    ...{ kind: 'ipv4', value: '192.0.2.7', allowed: true, confidence: 100, threat: '', reference: 'our own scanner' },
    ...{ user: 'admin', added: ago(6000) },
  },
];
/** @type {import('../../src/api/types').RetroHunt[]} */
const hunts = [
  { id: randomUUID(), status: 'done', set: '5f0c2a7e', days: 30, started: ago(700), finished: ago(699), hits: 2, note: '' },
];

const set = () => ({
  version: '5f0c2a7e0d0d4a52',
  made: ago(11),
  indicators: feeds.reduce((sum, { indicators }) => sum + indicators, own.length),
  warnings: 4211,
  bytes: 1_843_200,
  building: false,
  byKind: { ipv4: 40_000, domain: 8_901, sha256: 114, url: 0 },
});

/** Names below a listed one are listed too. @param {string} value */
function lookUp(value) {
  const name = value.trim().toLowerCase();
  if (/\s/.test(name)) return refused('value', 'This is no address, name, URL or hash.');
  const found = own.find((item) => !item.allowed && (item.value === name || name.endsWith(`.${item.value}`)));
  const kind = /^[\d.]+$/.test(name) ? 'ipv4' : 'domain';
  return ok({
    kind,
    value: name,
    listed: Boolean(found),
    indicator: found?.value ?? '',
    indicatorKind: found?.kind ?? '',
    warningList: own.some((item) => item.allowed && item.value === name) ? 'own' : '',
    sources: found
      ? [
          {
            feed: 'own',
            licence: '',
            confidence: found.confidence,
            from: found.added,
            threat: found.threat,
            reference: 'javascript:alert(1)',
          },
        ]
      : [],
  });
}

/** @param {string} method @param {string} name @param {string} part @param {any} body */
function askFeeds(method, name, part, body) {
  const feed = feeds.find((item) => item.name === name);
  if (method === 'GET') return name ? (feed ? ok(feed) : missing('feed')) : ok({ items: feeds });
  if (method === 'PUT' && part === '') {
    const { secret, ...settings } = body;
    const made = makeFeed({
      ...feed,
      name,
      settings,
      hasSecret: Boolean(secret) || feed?.hasSecret === true,
      changed: new Date().toISOString(),
    });
    if (feed) feeds[feeds.indexOf(feed)] = made;
    else feeds.push(made);
    return ok(made, feed ? 200 : 201);
  }
  if (!feed) return missing('feed');
  if (method === 'PUT') {
    feed.indicators = String(body)
      .split('\n')
      .filter((line) => line.trim() && !line.startsWith('#')).length;
    feed.read = feed.updated = feed.tried = new Date().toISOString();
    return ok(feed);
  }
  if (method === 'POST') {
    Object.assign(feed, { tried: new Date().toISOString(), read: new Date().toISOString(), fault: '' });
    return ok(undefined, 202);
  }
  feeds.splice(feeds.indexOf(feed), 1);
  return ok();
}

/** @type {import('./parts.mjs').Part} */
export function askIntelligence(method, [area, kind = '', first = '', second = ''], query, body) {
  if (area !== 'intelligence') return undefined;
  switch (`${method} ${kind}`) {
    case 'GET set':
      return ok(set());
    case 'GET lookup':
      return lookUp(query.get('value') ?? '');
    case 'GET indicators':
      return ok({ items: own });
    case 'POST indicators': {
      const made = {
        kind: /^[\d.]+$/.test(body.value) ? 'ipv4' : 'domain',
        allowed: false,
        confidence: 100,
        threat: '',
        reference: '',
      };
      own.push(/** @type {any} */ ({ ...made, ...body, user: 'admin', added: new Date().toISOString() }));
      return ok({ kind: made.kind, value: body.value, warningList: '' }, 201);
    }
    case 'DELETE indicators': {
      const at = own.findIndex((item) => item.kind === first && item.value === second);
      if (at < 0) return missing('indicator');
      own.splice(at, 1);
      return ok();
    }
    case 'GET retro-hunts':
      return ok({ items: hunts });
    case 'POST retro-hunts': {
      const id = randomUUID();
      hunts.unshift({
        id,
        status: 'running',
        set: '5f0c2a7e',
        days: body.days,
        started: new Date().toISOString(),
        hits: 0,
        note: '',
      });
      return ok({ id }, 202);
    }
    default:
      return kind === 'feeds' ? askFeeds(method, first, second, body) : undefined;
  }
}
