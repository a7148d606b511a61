/** One feed: its settings, how the last reads went, and why entries were left out. */
import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-components';
import { Delete20Regular, Edit20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { useFeed, useRemoveFeed } from '@/api/intelligence';
import type { IntelligenceFeed } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { scheduleText } from '@/format/intelligence';
import { count, exact } from '@/format/number';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { ListTable } from '@/parts/list-table';
import { Loaded } from '@/parts/loaded';
import { Facts, Page, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';
import { WebLink } from '@/parts/web-link';
import { FeedBadge } from './feed-badge';
import { FeedDialog } from './feed-dialog';
import { HandIn } from './hand-in';
import { LoadNow } from './load-now';

const kParent = { path: '/intelligence', label: 'Threat intelligence' };
const useStyles = makeStyles({ stack: { display: 'flex', flexDirection: 'column', gap: '16px' } });

export default function FeedPage() {
  const name = useParams().name ?? '';
  const feed = useFeed(name);
  return (
    <Page title={name} parent={kParent} actions={feed.data && <Actions feed={feed.data} />}>
      <Loaded query={feed} label="Loading the feed">
        {(data) => <Detail feed={data} />}
      </Loaded>
    </Page>
  );
}

function Actions({ feed }: { feed: IntelligenceFeed }) {
  const mayChange = useMay('Admin');
  const [asking, setAsking] = useState<'change' | 'remove'>();
  const remove = useRemoveFeed();
  const { done } = useNotifications();
  const navigate = useNavigate();
  const close = () => setAsking(undefined);
  return (
    <>
      <FeedBadge feed={feed} />
      <LoadNow feed={feed} />
      {mayChange && (
        <>
          {!feed.settings.source && <HandIn name={feed.name} />}
          <Button icon={<Edit20Regular />} onClick={() => setAsking('change')}>
            Change
          </Button>
          <Button icon={<Delete20Regular />} onClick={() => setAsking('remove')}>
            Remove
          </Button>
        </>
      )}
      {asking === 'change' && <FeedDialog feed={feed} onClose={close} />}
      {asking === 'remove' && (
        <ConfirmDialog
          title={`Remove ${feed.name}?`}
          confirmLabel="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() =>
            remove.mutate(feed.name, {
              onSuccess: () => {
                done('The feed was removed');
                navigate('/intelligence');
              },
            })
          }
          onClose={close}
        >
          Its {count(feed.indicators, 'indicator')} leave with the next set.
        </ConfirmDialog>
      )}
    </>
  );
}

function Detail({ feed }: { feed: IntelligenceFeed }) {
  const styles = useStyles();
  const { settings, reasons } = feed;
  const time = (value: string | undefined) => value && <TimeText value={value} />;
  return (
    <div className={styles.stack}>
      {feed.fault && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>The last try failed; what was read before stays in force.</MessageBarTitle> {feed.fault}
          </MessageBarBody>
        </MessageBar>
      )}
      <Section title="What it holds">
        <Facts
          facts={[
            ['Indicators', exact(feed.indicators)],
            ['Kept out by warning lists', exact(feed.keptOut)],
            ['Skipped', exact(feed.skipped)],
            ['Tried', time(feed.tried)],
            ['Read', time(feed.read)],
            ['Changed at its source', time(feed.updated)],
          ]}
        />
      </Section>
      {reasons.length > 0 && (
        <Section title="Why entries were skipped" flush>
          <ListTable
            label="Why entries were skipped"
            columns={[
              {
                id: 'reason',
                header: 'Reason',
                cell: ({ row }) => <span title={row.original.reason}>{row.original.reason}</span>,
              },
              {
                id: 'count',
                header: 'Entries',
                meta: { width: '100px', numeric: true },
                cell: ({ row }) => exact(row.original.count ?? 0),
              },
              {
                id: 'example',
                header: 'For example',
                cell: ({ row }) => <code title={row.original.example}>{row.original.example}</code>,
              },
            ]}
            rows={reasons}
            rowId={({ reason }) => reason ?? ''}
          />
        </Section>
      )}
      <Section title="Settings">
        <Facts
          facts={[
            ['Source', settings.source && <WebLink key="source" text={settings.source} />],
            ['Transport', settings.transport],
            ['Collection', settings.collection],
            ['Format', settings.format],
            ['Read', scheduleText(settings)],
            ['Confidence', settings.confidence === undefined ? undefined : `${settings.confidence} of 100`],
            [
              'Lasts',
              settings.lifeDays === undefined
                ? undefined
                : settings.lifeDays === 0
                  ? 'for ever'
                  : count(settings.lifeDays, 'day'),
            ],
            ['With age', settings.decay],
            ['Licence', settings.licence],
            ['Threat', settings.threat],
            ['Reference', settings.reference && <WebLink key="reference" text={settings.reference} />],
            ['User', settings.user],
            ['Secret', feed.hasSecret ? 'kept' : undefined],
            ['Settings changed', time(feed.changed)],
          ]}
        />
      </Section>
    </div>
  );
}
