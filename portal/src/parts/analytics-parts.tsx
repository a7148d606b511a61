/** What both pages of scheduled rules show: the switch and the outcome of a run. */
import { Badge } from '@fluentui/react-components';
import { useSwitchAnalyticsRule, type AnalyticsRule, type AnalyticsRun } from '@/api/analytics';
import { useMay } from '@/app/session';
import { kOutcomes } from '@/format/analytics';
import { ChangeSwitch } from '@/parts/change-switch';

export const analyticsRulePath = (id: string) => `/analytics-rules/${encodeURIComponent(id)}`;

/** A Contributor switches a scheduled rule. */
export function AnalyticsSwitch({ rule, label }: { rule: AnalyticsRule; label?: string }) {
  const may = useMay('Contributor');
  const change = useSwitchAnalyticsRule(rule.id);
  return (
    <ChangeSwitch enabled={rule.enabled} may={may} what="Rule" label={label} name={`In force: ${rule.name}`} change={change} />
  );
}

export function OutcomeBadge({ outcome }: { outcome: NonNullable<AnalyticsRun['outcome']> }) {
  const { text, color } = kOutcomes[outcome];
  return (
    <Badge appearance="tint" color={color}>
      {text}
    </Badge>
  );
}
