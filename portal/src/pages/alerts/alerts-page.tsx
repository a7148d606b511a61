import { Button, makeStyles, SearchBox } from '@fluentui/react-components';
import { ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { useMemo } from 'react';
import { useAlerts } from '@/api/queries';
import type { AlertFilters, AlertStatus, Severity } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { count } from '@/format/number';
import { kAlertStatuses, kOpenStatuses, kSeverities } from '@/format/severity';
import { AlertTable } from '@/parts/alert-table';
import { Choice } from '@/parts/choice';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px' },
});

const kHourMs = 3_600_000;
const kPeriods: Record<string, { text: string; hours: number }> = {
  '1h': { text: 'Last hour', hours: 1 },
  '24h': { text: 'Last 24 hours', hours: 24 },
  '7d': { text: 'Last 7 days', hours: 168 },
  '30d': { text: 'Last 30 days', hours: 720 },
};
const kFilterNames = ['q', 'status', 'severity', 'type', 'period', 'sort'];

/** Without a choice only what is open is listed: that is the work to do. `any` lists all. */
function statusesOf(text: string): AlertStatus[] | undefined {
  if (text === 'any') return undefined;
  return kAlertStatuses.includes(text as AlertStatus) ? [text as AlertStatus] : [...kOpenStatuses];
}

export default function AlertsPage() {
  const styles = useStyles();
  const { get, set, clear, any } = useFilters(kFilterNames);
  const [q, status, severity, type, period] = [get('q'), get('status'), get('severity'), get('type'), get('period')];
  const sort = (get('sort') || '-startTime') as AlertFilters['sort'];
  // `since` is fixed when the filter is chosen: a moving one would be a new query at every draw.
  const since = useMemo(
    () => (kPeriods[period] ? new Date(Date.now() - kPeriods[period].hours * kHourMs).toISOString() : undefined),
    [period],
  );
  const filters: AlertFilters = {
    q: q || undefined,
    status: statusesOf(status),
    severity: severity ? [severity as Severity] : undefined,
    type: type || undefined,
    since,
    sort,
  };
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isPlaceholderData } = useAlerts(filters);
  const alerts = data?.pages.flatMap((page) => page.items) ?? [];
  const total = data?.pages[0]?.total ?? 0;

  return (
    <Page title="Alerts">
      <div className={styles.bar} role="search" aria-label="Filter alerts">
        <SearchBox
          className={styles.search}
          aria-label="Search alerts"
          placeholder="Name, device or text"
          value={q}
          onChange={(_, data) => set('q', data.value)}
        />
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
          label="Period"
          value={period}
          all="Any time"
          options={Object.entries(kPeriods).map(([key, { text }]) => [key, text] as const)}
          onChoose={(value) => set('period', value)}
        />
        {any && (
          <Button appearance="subtle" onClick={clear}>
            Clear filters
          </Button>
        )}
        {data && <Muted>{count(total, 'alert')}</Muted>}
      </div>
      {!data ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading alerts" />
        )
      ) : alerts.length > 0 ? (
        <Section title={status === '' ? 'Open alerts' : 'Alerts'} flush>
          <AlertTable
            label="Alerts"
            alerts={alerts}
            sort={sort}
            onSort={(next) => set('sort', next)}
            stale={isPlaceholderData}
            more={
              hasNextPage
                ? {
                    load: () => void fetchNextPage(),
                    loading: isFetchingNextPage,
                    label: `Show more (${alerts.length} of ${total})`,
                  }
                : undefined
            }
          />
        </Section>
      ) : any ? (
        <EmptyState title="No alert matches">Change or clear the filters above.</EmptyState>
      ) : (
        <EmptyState icon={<ShieldCheckmark24Regular />} title="No open alerts">
          New ones appear here by themselves.{' '}
          <Button appearance="transparent" size="small" onClick={() => set('status', 'any')}>
            Show resolved and dismissed ones
          </Button>
        </EmptyState>
      )}
    </Page>
  );
}
