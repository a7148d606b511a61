/** What both pages of rules show: where a rule is and its switch. */
import { useSwitchRule } from '@/api/queries';
import type { Rule } from '@/api/types';
import { useMay } from '@/app/session';
import { ChangeSwitch } from '@/parts/change-switch';

export const rulePath = (id: string) => `/rules/${encodeURIComponent(id)}`;

/** A Contributor switches a rule. */
export function RuleSwitch({ rule, label }: { rule: Rule; label?: string }) {
  const may = useMay('Contributor');
  const change = useSwitchRule(rule.id);
  return (
    <ChangeSwitch enabled={rule.enabled} may={may} what="Rule" label={label} name={`In force: ${rule.title}`} change={change} />
  );
}
