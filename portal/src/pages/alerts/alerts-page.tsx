/** Alerts one by one. What is only worth knowing (Informational) is left out until somebody asks for it. */
import { Button, Switch } from '@fluentui/react-components';
import { ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { useMemo } from 'react';
import { useAlerts } from '@/api/queries';
import type { AlertFilters, AlertStatus, Severity } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { count, exact } from '@/format/number';
import { kAlertStatuses, kOpenStatuses, kSeverities } from '@/format/severity';
import { classificationText, kClassifications } from '@/format/triage';
import { AlertTable } from '@/parts/alert-table';
import { AlertTabs } from '@/parts/alert-tabs';
import { Choice } from '@/parts/choice';
import { FilterBar } from '@/parts/filter-bar';
import { Loaded, moreOf } from '@/parts/loaded';
import { Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { FilterTags } from './filter-tags';

const kHourMs = 3_600_000;
const kPeriods: Record<string, { text: string; hours: number }> = {
  '1h': { text: 'Last hour', hours: 1 },
  '24h': { text: 'Last 24 hours', hours: 24 },
  '7d': { text: 'Last 7 days', hours: 168 },
  '30d': { text: 'Last 30 days', hours: 720 },
};
/** Those that other pages link with; they have no field of their own. */
const kTagged = ['type', 'device', 'owner', 'suppressedBy', 'incident', 'since', 'until'] as const;
const kFilterNames = ['q', 'status', 'severity', 'classification', 'period', 'sort', ...kTagged];
const kWorthWork: Severity[] = ['High', 'Medium', 'Low'];

const totalIn = ({ data }: ReturnType<typeof useAlerts>) => data?.pages[0]?.total ?? 0;

/** Without a choice only what is open is listed: that is the work to do. `any` lists all. */
function statusesOf(text: string): AlertStatus[] | undefined {
  if (text === 'any') return undefined;
  return kAlertStatuses.includes(text as AlertStatus) ? [text as AlertStatus] : [...kOpenStatuses];
}

export default function AlertsPage() {
  const { get, set, clear, any } = useFilters(kFilterNames);
  const [status, severity, period] = [get('status'), get('severity'), get('period')];
  const sort = (get('sort') || '-startTime') as AlertFilters['sort'];
  // `since` is fixed when the filter is chosen: a moving one would be a new query at every draw.
  const since = useMemo(
    () => (kPeriods[period] ? new Date(Date.now() - kPeriods[period].hours * kHourMs).toISOString() : undefined),
    [period],
  );
  const shared: AlertFilters = {
    q: get('q') || undefined,
    status: statusesOf(status),
    classification: get('classification') || undefined,
    type: get('type') || undefined,
    device: get('device') || undefined,
    owner: get('owner') || undefined,
    suppressedBy: get('suppressedBy') || undefined,
    incident: get('incident') || undefined,
    since: since ?? (get('since') || undefined),
    until: get('until') || undefined,
    sort,
  };
  const all = get('informational') === 'shown';
  const alerts = useAlerts({ ...shared, severity: severity ? [severity as Severity] : all ? undefined : kWorthWork });
  // Asked for also while they are folded: how many there are stands on the switch.
  const informational = totalIn(useAlerts({ ...shared, severity: ['Informational'] }));
  const rows = alerts.data?.pages.flatMap((page) => page.items) ?? [];
  const total = totalIn(alerts);

  return (
    <Page title="Alerts">
      <AlertTabs />
      <FilterBar
        label="Filter alerts"
        search={{
          label: 'Search alerts',
          placeholder: 'Name, device or text',
          value: get('q'),
          onChange: (text) => set('q', text),
        }}
        onClear={any ? clear : undefined}
        total={alerts.data && count(total, 'alert')}
      >
        <Choice
          label="Status"
          value={status}
          all="Open"
          options={[...kAlertStatuses.map((name) => [name, name] as const), ['any', 'Any status']]}
          onChoose={(value) => set('status', value)}
        />
        <Choice
          label="Severity"
          value={severity}
          all="Any severity"
          options={kSeverities.map((name) => [name, name] as const)}
          onChoose={(value) => set('severity', value)}
        />
        <Choice
          label="Classification"
          value={get('classification')}
          all="Any classification"
          options={kClassifications.map(([name]) => [name, classificationText(name)] as const)}
          onChoose={(value) => set('classification', value)}
        />
        <Choice
          label="Period"
          value={period}
          all="Any time"
          options={Object.entries(kPeriods).map(([key, { text }]) => [key, text] as const)}
          onChoose={(value) => set('period', value)}
        />
        {severity === '' && informational > 0 && (
          <Switch
            label={`${exact(informational)} informational`}
            checked={all}
            onChange={(_, data) => set('informational', data.checked ? 'shown' : '')}
          />
        )}
        <FilterTags names={kTagged} get={get} set={set} />
      </FilterBar>
      <Loaded query={alerts} label="Loading alerts">
        {() =>
          total > 0 ? (
            <Section title={status === '' ? 'Open alerts' : 'Alerts'} flush>
              <AlertTable
                label="Alerts"
                alerts={rows}
                sort={sort}
                onSort={(next) => set('sort', next)}
                stale={alerts.isPlaceholderData}
                more={moreOf(alerts, rows.length, total)}
              />
            </Section>
          ) : any ? (
            <EmptyState title={informational > 0 && !all ? 'No alert above Informational matches' : 'No alert matches'}>
              Change or clear the filters above.
            </EmptyState>
          ) : (
            <EmptyState icon={<ShieldCheckmark24Regular />} title="No open alerts">
              New ones appear here by themselves.{' '}
              <Button appearance="transparent" size="small" onClick={() => set('status', 'any')}>
                Show resolved and dismissed ones
              </Button>
            </EmptyState>
          )
        }
      </Loaded>
    </Page>
  );
}
