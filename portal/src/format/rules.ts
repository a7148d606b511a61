/** The list of detection rules as a person works through it. The server sends all of them at once, in no order. */
import type { Rule, Severity } from '@/api/types';

/** Sigma's levels, worst first. */
export const kLevels: readonly Rule['level'][] = ['critical', 'high', 'medium', 'low', 'informational', 'none'];
export const kOrigins = [
  ['own', 'Shipped with Picket'],
  ['added', 'Imported'],
] as const;

export interface RuleFilters {
  q: string;
  level: string;
  origin: string;
  /** 'on' or 'off'; anything else is both. */
  state: string;
  /** A field of kOrders, with `-` before it when descending; anything else is the usual order. */
  sort: string;
}

type Order = (a: Rule, b: Rule) => number;

const weight = ({ level }: Rule) => kLevels.length - kLevels.indexOf(level);
const byTitle: Order = (a, b) => a.title.localeCompare(b.title, 'en');
const kOrders: Record<string, Order> = {
  level: (a, b) => weight(a) - weight(b),
  title: byTitle,
  matches: (a, b) => a.load.matches - b.load.matches,
  cpu: (a, b) => a.load.cpuMicroseconds - b.load.cpuMicroseconds,
};

/** Those that match most first, then the worst, then by title. */
const kUsual: Order = (a, b) => b.load.matches - a.load.matches || weight(b) - weight(a) || byTitle(a, b);

/** Those in which every word of `q` is found, in the wanted order. `rules` stays as it is. */
export function arrangeRules(rules: readonly Rule[], { q, level, origin, state, sort }: RuleFilters): Rule[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (rule: Rule) => {
    const text = [rule.title, rule.alertType, rule.logSource, rule.id, rule.file, ...rule.tags].join(' ').toLowerCase();
    return (
      (!level || rule.level === level) &&
      (!origin || (origin === 'own') === rule.own) &&
      (!state || (state === 'on') === rule.enabled) &&
      words.every((word) => text.includes(word))
    );
  };
  const [field, sign] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const order = kOrders[field];
  return rules.filter(matches).sort((a, b) => (order ? sign * order(a, b) : 0) || kUsual(a, b));
}

const kSeverityOfLevel: Record<Rule['level'], Severity> = {
  critical: 'High',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  informational: 'Informational',
  none: 'Informational',
};
export const severityOfLevel = (level: Rule['level']): Severity => kSeverityOfLevel[level];

/** `attack.t1059.004` as `T1059.004`; undefined for tags that name no technique. */
export function techniqueOf(tag: string): string | undefined {
  return /^attack\.t\d{4}(\.\d{3})?$/i.test(tag) ? tag.slice('attack.'.length).toUpperCase() : undefined;
}

/** Only these are made links: a rule's references are somebody else's text. */
export const isWebAddress = (text: string) => /^https?:\/\//i.test(text);

/** Name under which the server keeps a file that a person chose: letters, digits and .-_ of its own name. */
export function ruleFileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+/, '');
  const text = plain || 'rules.yml';
  return /\.ya?ml$/i.test(text) ? text : `${text}.yml`;
}

/** What a rule that names no log source looks at. */
export function kindName(kind: string): string {
  if (kind === 'behavior') return 'behavior over time';
  return kind === 'rule' ? 'single events' : `correlation: ${kind}`;
}
