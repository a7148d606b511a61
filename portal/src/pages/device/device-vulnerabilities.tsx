/** What is wrong with the software of the device, and of any CVE why it is affected or why not. */
import { Button, Field, Input, makeStyles, Switch } from '@fluentui/react-components';
import type { ColumnDef } from '@tanstack/react-table';
import { useState, type FormEvent } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import { useDeviceVulnerabilities } from '@/api/software';
import type { Finding } from '@/api/types';
import { count } from '@/format/number';
import { epssText, fixText } from '@/format/vulnerability';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { VexExport } from '@/parts/vex-export';
import { ExploitedBadge, StandingBadge, VulnerabilitySeverity } from '@/parts/vulnerability-parts';
import { WhyAffected } from './why-affected';

const kStepRows = 200;
const useStyles = makeStyles({
  stack: { display: 'flex', flexDirection: 'column', gap: '16px' },
  bar: { display: 'flex', gap: '8px 16px', alignItems: 'flex-end', flexWrap: 'wrap' },
  form: { display: 'flex', gap: '8px', alignItems: 'flex-end', flexWrap: 'wrap' },
});

const whySearch = (id: string) => `?tab=vulnerabilities&why=${encodeURIComponent(id)}`;

const kColumns: ColumnDef<Finding>[] = [
  {
    id: 'severity',
    header: 'Severity',
    meta: { width: '138px' },
    cell: ({ row: { original } }) => <VulnerabilitySeverity severity={original.severity} score={original.score} />,
  },
  {
    id: 'vulnerability',
    header: 'Vulnerability',
    meta: { width: '170px' },
    cell: ({ row: { original } }) => (
      <Link to={whySearch(original.vulnerability)} title={original.summary}>
        {original.vulnerability}
      </Link>
    ),
  },
  {
    id: 'urgency',
    header: 'Urgency',
    meta: { width: '124px' },
    cell: ({ row: { original } }) =>
      original.exploited ? <ExploitedBadge /> : <Muted>{epssText(original.epssPercentile)}</Muted>,
  },
  {
    id: 'component',
    header: 'Component',
    cell: ({ row: { original } }) => (
      <span title={original.component?.purl}>
        {original.component?.name ?? original.package} {original.component?.version ?? original.version}
      </span>
    ),
  },
  {
    id: 'fixed',
    header: 'Fixed in',
    meta: { width: '18%', wideOnly: true },
    cell: ({ row }) => <span title={fixText(row.original)}>{fixText(row.original)}</span>,
  },
];
const kStanding: ColumnDef<Finding> = {
  id: 'standing',
  header: 'Standing',
  meta: { width: '120px' },
  cell: ({ row }) => <StandingBadge standing={row.original.standing} />,
};

export function DeviceVulnerabilities({ deviceId }: { deviceId: string }) {
  const styles = useStyles();
  const [params, setParams] = useSearchParams();
  const [all, setAll] = useState(false);
  const [rows, setRows] = useState(kStepRows);
  const [asked, setAsked] = useState('');
  const found = useDeviceVulnerabilities(deviceId, all);
  const why = params.get('why') ?? '';
  const ask = (id: string) => setParams(id ? { tab: 'vulnerabilities', why: id } : { tab: 'vulnerabilities' });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asked.trim()) ask(asked.trim());
  };
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <form className={styles.form} onSubmit={submit}>
          <Field label="Is it affected by">
            <Input value={asked} maxLength={128} placeholder="CVE-2024-3094" onChange={(_, data) => setAsked(data.value)} />
          </Field>
          <Button type="submit" disabled={!asked.trim()}>
            Explain
          </Button>
        </form>
        <Switch label="Also fixed, not affected and unknown" checked={all} onChange={(_, data) => setAll(data.checked)} />
      </div>
      {why && <WhyAffected key={why} deviceId={deviceId} id={why} onClose={() => ask('')} />}
      <Loaded query={found} label="Loading vulnerabilities">
        {({ items, total = items.length }) =>
          items.length > 0 ? (
            <Section
              title="The most urgent first"
              actions={
                <>
                  <Muted>{count(total, 'finding')}</Muted> <VexExport deviceId={deviceId} />
                </>
              }
              flush
            >
              <ListTable<Finding>
                label="Vulnerabilities"
                columns={all ? [...kColumns, kStanding] : kColumns}
                rows={items.slice(0, rows)}
                rowId={({ vulnerability, component, feed = '', advisory = '' }) =>
                  [vulnerability, component?.purl ?? component?.name, feed, advisory].join(' ')
                }
                rowPath={({ vulnerability }) => whySearch(vulnerability)}
                stale={found.isPlaceholderData}
                more={
                  items.length > rows
                    ? {
                        load: () => setRows((old) => old + kStepRows),
                        loading: false,
                        label: `Show more (${rows} of ${items.length})`,
                      }
                    : undefined
                }
              />
            </Section>
          ) : (
            <EmptyState title="No vulnerability is known of this device">
              What it runs is in its tab Software; which feeds it is compared with is in{' '}
              <Link to="/vulnerabilities/feeds">Advisory feeds</Link>.
            </EmptyState>
          )
        }
      </Loaded>
    </div>
  );
}
