// @ts-check
/** Detection rules of the made-up server: a few of its own, and what is imported by hand. */
/** @typedef {import('../../src/api/types').Rule} Rule */

/** @param {Partial<Rule> & Pick<Rule, 'id' | 'title' | 'level' | 'alertType'>} known @returns {Rule} */
function makeRule(known) {
  return {
    kind: 'rule',
    status: 'test',
    logSource: 'process_creation/linux',
    file: 'content/rules',
    line: 1,
    author: 'Picket',
    license: 'Apache-2.0',
    description: `${known.title}: what it is and why it matters.`,
    references: [],
    tags: ['attack.execution', 'attack.t1059.004'],
    falsePositives: [],
    filters: [],
    own: true,
    enabled: true,
    load: { lookedAt: 0, matches: 0, throttled: 0, cpuMicroseconds: 0 },
    ...known,
  };
}

/** @type {Rule[]} */
const rules = [
  makeRule({
    id: '0b6c4d0e-9c52-5e0f-8f2e-4a2b54f30d11',
    title: 'Command That Connects a Shell to the Network',
    level: 'high',
    alertType: 'IoT_ReverseShell',
    references: ['https://attack.mitre.org/techniques/T1059/004/', 'Notes of the plant, page 4'],
    falsePositives: ['Maintenance over a serial bridge'],
    load: { lookedAt: 4211, matches: 2, throttled: 0, cpuMicroseconds: 8430 },
  }),
  makeRule({
    id: 'd52f2ac8-58c0-5b0e-9c55-f2c5b1dd0a77',
    title: 'Record of Commands Wiped',
    level: 'medium',
    alertType: 'IoT_ClearHistoryFile',
    load: { lookedAt: 120, matches: 31, throttled: 4, cpuMicroseconds: 410 },
  }),
  makeRule({
    id: 'behavior.beacon',
    title: 'Connections that come as regularly as a program makes them',
    kind: 'behavior',
    level: 'low',
    alertType: 'IoT_Beaconing',
    logSource: '',
    file: '',
    line: 0,
    author: '',
    license: '',
    tags: [],
    load: { lookedAt: 90_411, matches: 0, throttled: 0, cpuMicroseconds: 140_200 },
  }),
];
/** @type {Map<string, string>} */
const files = new Map();

export const listRules = () => ({ items: rules, complaints: [] });
/** @param {string} id */
export const findRule = (id) => rules.find((rule) => rule.id === id);
/** @param {string} name */
export const findRuleFile = (name) =>
  files.has(name) ? { name, yaml: /** @type {string} */ (files.get(name)), changed: new Date().toISOString() } : undefined;

/** The first title of the text makes one rule. @param {string} name @param {string} yaml */
export function putRuleFile(name, yaml) {
  const title = /^title:\s*(.+)$/m.exec(yaml)?.[1];
  if (!title) return undefined;
  removeRuleFile(name);
  files.set(name, yaml);
  const id = /^id:\s*(.+)$/m.exec(yaml)?.[1] ?? title;
  rules.push(makeRule({ id, title, level: 'medium', alertType: `Sigma_${id}`, file: name, own: false, author: 'Somebody' }));
  return { name, documents: 1, complaints: [] };
}

/** @param {string} name */
export function removeRuleFile(name) {
  if (!files.delete(name)) return false;
  for (let i = rules.length; i-- > 0;) if (rules[i]?.file === name) rules.splice(i, 1);
  return true;
}
