/** What both pages of recommendations show: the state of one, and whether a type is looked for at all. */
import { Badge } from '@fluentui/react-components';
import { CheckmarkCircle12Filled } from '@fluentui/react-icons';
import { useSwitchRecommendationType } from '@/api/queries';
import type { RecommendationState, RecommendationType } from '@/api/types';
import { useMay } from '@/app/session';
import { ChangeSwitch } from '@/parts/change-switch';

export const recommendationPath = (type: string) => `/recommendations/${encodeURIComponent(type)}`;

export function RecommendationStateBadge({ state }: { state: RecommendationState }) {
  const active = state === 'Active';
  return (
    <Badge appearance="tint" color={active ? 'warning' : 'success'} icon={active ? undefined : <CheckmarkCircle12Filled />}>
      {state}
    </Badge>
  );
}

/** An Admin switches a type; checks of the baseline are switched on the agent. */
export function TypeSwitch({ item, label }: { item: RecommendationType; label?: string }) {
  const may = useMay('Admin');
  const change = useSwitchRecommendationType(item.type);
  if (item.type.startsWith('IoT_CISBenchmarks_')) return null;
  return (
    <ChangeSwitch
      enabled={item.enabled}
      may={may}
      what="Recommendation"
      label={label}
      name={`Look for: ${item.displayName}`}
      change={change}
    />
  );
}
