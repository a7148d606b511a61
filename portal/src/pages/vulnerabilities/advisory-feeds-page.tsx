/** From where vulnerabilities are known, how old that is, and what went wrong. */
import { Badge, Button, MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-components';
import { Add20Regular, BookDatabase20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { useAdvisoryFeeds } from '@/api/software';
import type { AdvisoryFeed } from '@/api/types';
import { useMay } from '@/app/session';
import { count, exact } from '@/format/number';
import { advisoryState, feedKindText } from '@/format/vulnerability';
import { Copyable } from '@/parts/copy-button';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { VulnerabilityTabs } from '@/parts/vulnerability-parts';
import { AdvisoryFeedActions } from './advisory-feed-actions';
import { AdvisoryFeedDialog } from './advisory-feed-dialog';

const kColors = { Good: 'success', Failed: 'danger', Waiting: 'informative' } as const;

const leftOutText = ({ leftOut = {} }: AdvisoryFeed) =>
  Object.entries(leftOut)
    .map(([reason, number]) => `${reason}: ${exact(number)}`)
    .join('\n');

const kColumns: ColumnDef<AdvisoryFeed>[] = [
  {
    id: 'name',
    header: 'Feed',
    cell: ({ row: { original } }) => <span title={original.source || 'handed in'}>{original.name}</span>,
  },
  { id: 'kind', header: 'Kind', meta: { width: '22%', wideOnly: true }, cell: ({ row }) => feedKindText(row.original.kind) },
  {
    id: 'state',
    header: 'State',
    meta: { width: '92px' },
    cell: ({ row: { original } }) => (
      <Badge appearance="tint" color={kColors[advisoryState(original)]} title={original.problem || undefined}>
        {advisoryState(original)}
      </Badge>
    ),
  },
  {
    id: 'entries',
    header: 'Entries',
    meta: { width: '96px', numeric: true },
    cell: ({ row: { original } }) => <span title={leftOutText(original) || undefined}>{exact(original.entries ?? 0)}</span>,
  },
  {
    id: 'loaded',
    header: 'Loaded',
    meta: { width: '146px' },
    cell: ({ row }) => <TimeText relative value={row.original.loaded} />,
  },
  {
    id: 'newest',
    header: 'Newest entry',
    meta: { width: '146px', wideOnly: true },
    cell: ({ row }) => <TimeText relative value={row.original.newest} />,
  },
  { id: 'actions', header: '', meta: { width: '216px' }, cell: ({ row }) => <AdvisoryFeedActions feed={row.original} /> },
];

export default function AdvisoryFeedsPage() {
  const mayAdd = useMay('Admin');
  const [adding, setAdding] = useState(false);
  const feeds = useAdvisoryFeeds();
  return (
    <Page
      title="Advisory feeds"
      parent={{ path: '/vulnerabilities', label: 'Vulnerabilities' }}
      actions={
        mayAdd && (
          <Button icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Add a feed
          </Button>
        )
      }
    >
      <VulnerabilityTabs />
      <Loaded query={feeds} label="Loading feeds">
        {({ items, advisories = 0, exploited = 0 }) => (
          <>
            {items
              .filter(({ problem }) => problem)
              .map(({ name, problem = '' }) => (
                <MessageBar key={name} intent="error" layout="multiline">
                  <MessageBarBody style={{ overflowWrap: 'anywhere' }}>
                    <MessageBarTitle>{name}</MessageBarTitle> {problem.replace(/[.\s]*$/, '')}. What was loaded before stays in
                    force.
                  </MessageBarBody>
                </MessageBar>
              ))}
            {items.length > 0 ? (
              <Section
                title="Feeds"
                actions={
                  <Muted>
                    {count(advisories, 'advisory', 'advisories')}, {exact(exploited)} known to be exploited
                  </Muted>
                }
                flush
              >
                <ListTable<AdvisoryFeed> label="Advisory feeds" columns={kColumns} rows={items} rowId={({ name = '' }) => name} />
              </Section>
            ) : (
              <EmptyState icon={<BookDatabase20Regular />} title="No feed is read">
                Begin with the feeds of the distributions that your devices run, then KEV and EPSS for the order.
              </EmptyState>
            )}
          </>
        )}
      </Loaded>
      <Section title="Without a network">
        <p style={{ marginTop: 0 }}>
          A bundle is made where there is one, signed, and imported where there is none. A feed may also be an absolute path of
          the server: a mirror&apos;s file.
        </p>
        <Copyable
          label="Copy the command"
          text="picket vuln bundle create feeds.bundle --key private.pem --feed debian:debian-tracker=tracker.json.xz"
        />
        <Copyable label="Copy the command" text="picket vuln bundle import feeds.bundle --key public.pem" />
      </Section>
      {adding && <AdvisoryFeedDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}
