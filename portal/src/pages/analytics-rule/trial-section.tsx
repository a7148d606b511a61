/** A trial: the rule over a part of history, with nothing raised. */
import { Button, Dropdown, makeStyles, Option, Spinner } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { useTrial, type AnalyticsRule, type Trial, type TrialRun } from '@/api/analytics';
import { kTrialSpans } from '@/format/analytics';
import { count, exact } from '@/format/number';
import { OutcomeBadge } from '@/parts/analytics-parts';
import { ListTable } from '@/parts/list-table';
import { Muted, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', flexWrap: 'wrap', alignItems: 'center', padding: '0 16px 12px' },
  span: { minWidth: '160px' },
});

const kColumns: ColumnDef<TrialRun>[] = [
  { id: 'end', header: 'Up to', meta: { width: '190px' }, cell: ({ row }) => <TimeText value={row.original.windowEnd} /> },
  {
    id: 'outcome',
    header: 'Outcome',
    meta: { width: '120px' },
    cell: ({ row }) => <OutcomeBadge outcome={row.original.outcome} />,
  },
  { id: 'rows', header: 'Rows', meta: { width: '90px', numeric: true }, cell: ({ row }) => exact(row.original.rows) },
  {
    id: 'alerts',
    header: 'Alerts it would have raised',
    cell: ({ row: { original } }) => {
      const names = original.alerts.map(({ name, deviceId }) => (deviceId ? `${name} (${deviceId})` : name)).join('; ');
      return <span title={names || original.message}>{names || original.message}</span>;
    },
  },
];

export function TrialSection({ rule }: { rule: AnalyticsRule }) {
  const styles = useStyles();
  const [span, setSpan] = useState('P1D');
  const trial = useTrial();
  return (
    <Section title="Dry run" flush>
      <div className={styles.bar}>
        <Dropdown
          className={styles.span}
          aria-label="Part of history"
          value={kTrialSpans.find(([value]) => value === span)?.[1] ?? span}
          selectedOptions={[span]}
          onOptionSelect={(_, data) => setSpan(data.optionValue ?? span)}
        >
          {kTrialSpans.map(([value, name]) => (
            <Option key={value} value={value}>
              {name}
            </Option>
          ))}
        </Dropdown>
        <Button
          appearance="primary"
          disabled={trial.isPending}
          icon={trial.isPending ? <Spinner size="tiny" /> : undefined}
          onClick={() => trial.mutate({ id: rule.id, timespan: span })}
        >
          Try
        </Button>
        <Muted>Runs the rule over this time as its schedule would have. Nothing is raised.</Muted>
      </div>
      {trial.error && <EmptyState title="The rule could not be tried">{trial.error.message}</EmptyState>}
      {trial.data && <Outcome trial={trial.data} />}
    </Section>
  );
}

function Outcome({ trial }: { trial: Trial }) {
  const styles = useStyles();
  // Quiet windows tell nothing but their number.
  const told = trial.runs.filter(({ outcome }) => outcome !== 'quiet');
  return (
    <>
      <div className={styles.bar} role="status">
        {count(trial.runs.length, 'run')}, {count(trial.alerts, 'alert')}
        {told.length < trial.runs.length && <Muted>{count(trial.runs.length - told.length, 'quiet run')} left out</Muted>}
      </div>
      {told.length > 0 && (
        <ListTable label="Runs of the trial" columns={kColumns} rows={told} rowId={({ windowEnd }) => windowEnd} />
      )}
    </>
  );
}
