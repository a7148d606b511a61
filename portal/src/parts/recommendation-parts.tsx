/** What both pages of recommendations show: the state of one, and whether a type is looked for at all. */
import { Badge, Switch } from '@fluentui/react-components';
import { CheckmarkCircle12Filled } from '@fluentui/react-icons';
import { useSwitchRecommendationType } from '@/api/queries';
import type { RecommendationState, RecommendationType } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';

export const recommendationPath = (type: string) => `/recommendations/${encodeURIComponent(type)}`;

export function RecommendationStateBadge({ state }: { state: RecommendationState }) {
  const active = state === 'Active';
  return (
    <Badge appearance="tint" color={active ? 'warning' : 'success'} icon={active ? undefined : <CheckmarkCircle12Filled />}>
      {state}
    </Badge>
  );
}

/** An Admin switches a type; everybody else reads how it is switched. */
export function TypeSwitch({ item, label }: { item: RecommendationType; label?: string }) {
  const mayChange = useMay('Admin');
  const change = useSwitchRecommendationType();
  const { done, failed } = useNotifications();
  // Checks of the baseline are switched on the agent.
  if (item.type.startsWith('IoT_CISBenchmarks_')) return null;
  if (!mayChange) {
    return (
      <Badge appearance="tint" color={item.enabled ? 'brand' : 'subtle'}>
        {item.enabled ? 'On' : 'Off'}
      </Badge>
    );
  }
  const toggle = (enabled: boolean) =>
    change.mutate(
      { type: item.type, enabled },
      {
        onSuccess: () => done(enabled ? 'Recommendation switched on' : 'Recommendation switched off'),
        onError: (error) => failed('The recommendation was not switched', error),
      },
    );
  return (
    <Switch
      checked={change.isPending ? change.variables.enabled : item.enabled}
      label={label}
      aria-label={label ? undefined : `Look for: ${item.displayName}`}
      onChange={(_, data) => !change.isPending && toggle(data.checked)}
    />
  );
}
