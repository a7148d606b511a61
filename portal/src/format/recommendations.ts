/** The list of recommendation types as a person works through it. The server sends all of them at once, in no order. */
import type { RecommendationType, Severity } from '@/api/types';
import { kSeverities } from './severity';

export interface RecommendationFilters {
  q: string;
  severity: Severity | undefined;
  /** A field of kOrders, with `-` before it when descending; anything else is the order of `kUsual`. */
  sort: string;
}

type Order = (a: RecommendationType, b: RecommendationType) => number;

const weight = ({ severity }: RecommendationType) => kSeverities.length - kSeverities.indexOf(severity);
const byName: Order = (a, b) => a.displayName.localeCompare(b.displayName, 'en');
const kOrders: Record<string, Order> = {
  severity: (a, b) => weight(a) - weight(b),
  displayName: byName,
  active: (a, b) => a.active - b.active,
  resolved: (a, b) => a.resolved - b.resolved,
};

/** Types that are about some device first, then the worst, then by name. */
const kUsual: Order = (a, b) =>
  Number(b.active > 0) - Number(a.active > 0) || weight(b) - weight(a) || b.active - a.active || byName(a, b);

/** Those that match every word of `q` in name, type or description, in the wanted order. `types` stays as it is. */
export function arrangeTypes(types: readonly RecommendationType[], { q, severity, sort }: RecommendationFilters) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (item: RecommendationType) => {
    const text = `${item.displayName} ${item.type} ${item.description}`.toLowerCase();
    return (severity === undefined || item.severity === severity) && words.every((word) => text.includes(word));
  };
  const [field, sign] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const order = kOrders[field];
  return types.filter(matches).sort((a, b) => (order ? sign * order(a, b) : 0) || kUsual(a, b));
}
