/** Where indicators come from, and how each source does. */
import { Button } from '@fluentui/react-components';
import { Add20Regular, GlobeShield20Regular } from '@fluentui/react-icons';
import type { ColumnDef } from '@tanstack/react-table';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { useFeeds } from '@/api/intelligence';
import type { IntelligenceFeed } from '@/api/types';
import { useMay } from '@/app/session';
import { scheduleText } from '@/format/intelligence';
import { count, exact } from '@/format/number';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Muted, Page, Section } from '@/parts/page';
import { EmptyState } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { FeedBadge, feedPath } from './feed-badge';
import { FeedDialog } from './feed-dialog';
import { IntelligenceTabs, SetInForce } from './intelligence-tabs';
import { LoadNow } from './load-now';
import { LookupBox } from './lookup-box';

const kColumns: ColumnDef<IntelligenceFeed>[] = [
  {
    id: 'name',
    header: 'Feed',
    cell: ({ row: { original } }) => (
      <Link to={feedPath(original.name)} title={original.settings.source || 'handed in'}>
        {original.name}
      </Link>
    ),
  },
  { id: 'state', header: 'State', meta: { width: '92px' }, cell: ({ row }) => <FeedBadge feed={row.original} /> },
  {
    id: 'indicators',
    header: 'Indicators',
    meta: { width: '110px', numeric: true },
    cell: ({ row }) => exact(row.original.indicators),
  },
  { id: 'schedule', header: 'Read', meta: { width: '136px' }, cell: ({ row }) => scheduleText(row.original.settings) },
  {
    id: 'updated',
    header: 'Last load',
    meta: { width: '146px' },
    cell: ({ row }) => <TimeText relative value={row.original.updated ?? row.original.read} />,
  },
  {
    id: 'left',
    header: 'Left out',
    meta: { width: '96px', numeric: true, wideOnly: true },
    cell: ({ row: { original } }) => (
      <span title={`${count(original.skipped, 'entry', 'entries')} skipped, ${original.keptOut} kept out by warning lists`}>
        {exact(original.skipped + original.keptOut)}
      </span>
    ),
  },
  {
    id: 'licence',
    header: 'Licence',
    meta: { width: '130px', widestOnly: true },
    cell: ({ row: { original } }) => (
      <span title={original.settings.licence}>{original.settings.licence || <Muted>unknown</Muted>}</span>
    ),
  },
  { id: 'load', header: '', meta: { width: '110px' }, cell: ({ row }) => <LoadNow feed={row.original} /> },
];

export default function FeedsPage() {
  const mayAdd = useMay('Admin');
  const [adding, setAdding] = useState(false);
  const feeds = useFeeds();
  return (
    <Page
      title="Threat intelligence"
      actions={
        mayAdd && (
          <Button icon={<Add20Regular />} onClick={() => setAdding(true)}>
            Add a feed
          </Button>
        )
      }
    >
      <IntelligenceTabs />
      <SetInForce />
      <LookupBox />
      <Loaded query={feeds} label="Loading feeds">
        {(items) =>
          items.length > 0 ? (
            <Section title="Feeds" actions={<Muted>{count(items.length, 'feed')}</Muted>} flush>
              <ListTable
                label="Feeds"
                columns={kColumns}
                rows={items}
                rowId={({ name }) => name}
                rowPath={({ name }) => feedPath(name)}
              />
            </Section>
          ) : (
            <EmptyState icon={<GlobeShield20Regular />} title="No feed is read">
              Picket ships loaders and no indicators: you say which lists it reads. An address, a file of the server, a TAXII
              server, a MISP feed, or a file of this machine will do.
            </EmptyState>
          )
        }
      </Loaded>
      {adding && <FeedDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}
