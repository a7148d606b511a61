/** One scheduled rule: what it asks and when, what its runs did, and what it would have done. */
import { Button, makeStyles } from '@fluentui/react-components';
import { Delete20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router-dom';
import { useAnalyticsRule, useRemoveAnalyticsRule, type AnalyticsRule, type AnalyticsRun } from '@/api/analytics';
import { useMay } from '@/app/session';
import { scheduleText, spanText, triggerText } from '@/format/analytics';
import { kqlString, logsPath } from '@/format/kql';
import { exact } from '@/format/number';
import { AnalyticsSwitch, OutcomeBadge } from '@/parts/analytics-parts';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { JsonText } from '@/parts/json-text';
import { ListTable } from '@/parts/list-table';
import { Facts, Page, Section } from '@/parts/page';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { TrialSection } from './trial-section';

const useStyles = makeStyles({
  query: { marginTop: '12px' },
  text: { margin: '0 0 12px', maxWidth: '90ch', overflowWrap: 'anywhere', whiteSpace: 'pre-line' },
});

const kParent = { path: '/analytics-rules', label: 'Analytics rules' };

const kRunColumns: ColumnDef<AnalyticsRun>[] = [
  {
    id: 'end',
    header: 'Up to',
    meta: { width: '190px' },
    cell: ({ row }) => row.original.windowEnd && <TimeText value={row.original.windowEnd} />,
  },
  {
    id: 'outcome',
    header: 'Outcome',
    meta: { width: '120px' },
    cell: ({ row }) => row.original.outcome && <OutcomeBadge outcome={row.original.outcome} />,
  },
  { id: 'rows', header: 'Rows', meta: { width: '80px', numeric: true }, cell: ({ row }) => exact(row.original.rows ?? 0) },
  { id: 'alerts', header: 'Alerts', meta: { width: '80px', numeric: true }, cell: ({ row }) => exact(row.original.alerts ?? 0) },
  {
    id: 'elapsed',
    header: 'Took',
    meta: { width: '90px', numeric: true },
    cell: ({ row }) => `${exact(row.original.elapsedMs ?? 0)} ms`,
  },
  { id: 'message', header: 'Message', cell: ({ row }) => <span title={row.original.message}>{row.original.message}</span> },
];

export default function AnalyticsRulePage() {
  const id = useParams().id ?? '';
  const { data: rule, error, refetch } = useAnalyticsRule(id);
  if (!rule) {
    return (
      <Page title="Analytics rule" parent={kParent}>
        {error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the rule" />}
      </Page>
    );
  }
  return <Shown rule={rule} />;
}

function Shown({ rule }: { rule: AnalyticsRule }) {
  const styles = useStyles();
  const may = useMay('Contributor');
  const [removing, setRemoving] = useState(false);
  const alerts = `SecurityAlert\n| where AlertName == ${kqlString(rule.name)}\n| summarize arg_max(ProcessingEndTime, *) by SystemAlertId\n| sort by TimeGenerated desc`;
  return (
    <Page
      title={rule.name}
      parent={kParent}
      actions={
        <>
          <SeverityBadge severity={rule.severity} />
          <AnalyticsSwitch rule={rule} label={rule.enabled ? 'On' : 'Off'} />
          {may && (
            <Button icon={<Delete20Regular />} onClick={() => setRemoving(true)}>
              Remove
            </Button>
          )}
        </>
      }
    >
      <Section
        title="What it asks"
        actions={
          <>
            <Link to={logsPath(rule.query, `PT${rule.periodSeconds}S`)}>Open in Logs</Link>
            <Link to={logsPath(alerts, 'P30D')}>Its alerts in Logs</Link>
          </>
        }
      >
        {rule.description && <p className={styles.text}>{rule.description}</p>}
        <Facts
          facts={[
            ['Runs', scheduleText(rule)],
            ['Raises alerts for', triggerText(rule)],
            ['Next run', rule.enabled && rule.nextRun ? <TimeText value={rule.nextRun} /> : 'not planned'],
            ['Kind', rule.kind],
            ['Tactics', (rule.tactics ?? []).join(', ')],
            ['Techniques', (rule.techniques ?? []).join(', ')],
            ['Looks back', spanText(rule.periodSeconds)],
            ...(rule.suppressedUntil ? [['Suppressed until', <TimeText key="until" value={rule.suppressedUntil} />] as const] : []),
          ]}
        />
        <div className={styles.query}>
          <JsonText text={rule.query} label="Query" />
        </div>
      </Section>
      <TrialSection rule={rule} />
      <Section title="Newest runs" flush>
        {(rule.runs ?? []).length > 0 ? (
          <ListTable
            label="Newest runs"
            columns={kRunColumns}
            rows={rule.runs ?? []}
            rowId={({ windowEnd, at }) => `${windowEnd ?? ''} ${at ?? ''}`}
          />
        ) : (
          <EmptyState title="It has not run yet">
            {rule.enabled ? 'Its first run comes with its schedule.' : 'It is switched off.'}
          </EmptyState>
        )}
      </Section>
      {removing && <Remove rule={rule} onClose={() => setRemoving(false)} />}
    </Page>
  );
}

function Remove({ rule, onClose }: { rule: AnalyticsRule; onClose(): void }) {
  const remove = useRemoveAnalyticsRule();
  const navigate = useNavigate();
  return (
    <ConfirmDialog
      title={`Remove ${rule.name}?`}
      confirmLabel="Remove"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(rule.id, { onSuccess: () => navigate('/analytics-rules') })}
      onClose={onClose}
    >
      It runs no more. Alerts that it raised stay.
    </ConfirmDialog>
  );
}
