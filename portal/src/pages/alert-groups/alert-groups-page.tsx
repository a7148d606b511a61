/** Alerts by name and UTC day, with counts; a group is dismissed with one decision, and that can be taken back. */
import { Switch } from '@fluentui/react-components';
import { ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { useMemo } from 'react';
import { useAlertGroups } from '@/api/incidents';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { AlertTabs } from '@/parts/alert-tabs';
import { Choice } from '@/parts/choice';
import { FilterBar } from '@/parts/filter-bar';
import { Loaded, moreOf } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { GroupTable } from './group-table';

const kDayMs = 86_400_000;
const kPeriods = [
  ['1', 'Since yesterday'],
  ['7', 'Last 7 days'],
  ['30', 'Last 30 days'],
] as const;
const kFilterNames = ['state', 'by', 'period', 'device'];

export default function AlertGroupsPage() {
  const { get, set, clear, any } = useFilters(kFilterNames);
  const [state, by, period, device] = [get('state'), get('by'), get('period'), get('device')];
  // Groups are days, so the period begins with one: it stays the same query all day.
  const since = useMemo(() => {
    const days = Number(period);
    return days > 0 ? new Date((Math.floor(Date.now() / kDayMs) - days) * kDayMs).toISOString() : undefined;
  }, [period]);
  const groups = useAlertGroups({
    by: by === 'device' || device ? 'device' : 'name',
    open: state === 'any' ? undefined : 'true',
    device: device || undefined,
    since,
  });
  const items = groups.data?.pages.flatMap((page) => page.items) ?? [];
  const total = groups.data?.pages[0]?.total ?? 0;
  return (
    <Page title="Alerts by name and day" parent={{ path: '/alerts', label: 'Alerts' }}>
      <AlertTabs />
      <FilterBar
        label="Filter groups"
        search={{ label: 'Device', placeholder: 'Device id; empty: all', value: device, onChange: (text) => set('device', text) }}
        onClear={any ? clear : undefined}
        total={groups.data && count(total, 'group')}
      >
        <Choice
          label="State"
          value={state}
          all="With open alerts"
          options={[['any', 'All groups']]}
          onChoose={(value) => set('state', value)}
        />
        <Choice label="Period" value={period} all="Any time" options={kPeriods} onChoose={(value) => set('period', value)} />
        <Switch
          label="Tell devices apart"
          checked={by === 'device'}
          onChange={(_, data) => set('by', data.checked ? 'device' : '')}
        />
      </FilterBar>
      <Loaded query={groups} label="Loading groups">
        {() =>
          items.length > 0 ? (
            <Section title={state === 'any' ? 'All groups' : 'Groups with open alerts'} flush>
              <GroupTable groups={items} stale={groups.isPlaceholderData} more={moreOf(groups, items.length, total)} />
            </Section>
          ) : any ? (
            <EmptyState title="No group matches">Change or clear the filters above.</EmptyState>
          ) : (
            <EmptyState icon={<ShieldCheckmark24Regular />} title="No open alerts">
              New ones appear here by themselves.
            </EmptyState>
          )
        }
      </Loaded>
    </Page>
  );
}
