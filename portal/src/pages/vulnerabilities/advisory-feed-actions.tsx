import { Button } from '@fluentui/react-components';
import { Delete16Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useRefreshAdvisoryFeed, useRemoveAdvisoryFeed } from '@/api/software';
import type { AdvisoryFeed } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { ConfirmDialog } from '@/parts/confirm-dialog';
import { AdvisoryFeedDialog } from './advisory-feed-dialog';

export function AdvisoryFeedActions({ feed }: { feed: AdvisoryFeed }) {
  const mayLoad = useMay('Contributor');
  const mayChange = useMay('Admin');
  const [asking, setAsking] = useState<'change' | 'remove' | 'force'>();
  const refresh = useRefreshAdvisoryFeed();
  const remove = useRemoveAdvisoryFeed();
  const { done, failed } = useNotifications();
  const { name = '', problem = '' } = feed;
  const close = () => setAsking(undefined);
  const load = (force: boolean) =>
    refresh.mutate(
      { name, force },
      {
        onSuccess: () => {
          done(`${name} is looked at again`);
          close();
        },
        onError: (error) => !force && failed('The feed was not loaded', error),
      },
    );
  return (
    <>
      {mayLoad && feed.source && (
        <Button
          size="small"
          aria-label={`Load now: ${name}`}
          disabled={refresh.isPending}
          onClick={() => (/with force/.test(problem) ? setAsking('force') : load(false))}
        >
          Load now
        </Button>
      )}{' '}
      {mayChange && (
        <>
          <Button size="small" aria-label={`Change ${name}`} onClick={() => setAsking('change')}>
            Change
          </Button>{' '}
          <Button size="small" icon={<Delete16Regular />} aria-label={`Remove ${name}`} onClick={() => setAsking('remove')} />
        </>
      )}
      {asking === 'change' && <AdvisoryFeedDialog feed={feed} onClose={close} />}
      {asking === 'force' && (
        <ConfirmDialog
          title={`Take ${name} although it shrank?`}
          confirmLabel="Take it"
          pending={refresh.isPending}
          error={refresh.error}
          onConfirm={() => load(true)}
          onClose={close}
        >
          The last try was refused: {problem}
        </ConfirmDialog>
      )}
      {asking === 'remove' && (
        <ConfirmDialog
          title={`Remove ${name}?`}
          confirmLabel="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() =>
            remove.mutate(name, {
              onSuccess: () => {
                done('The feed was removed');
                close();
              },
            })
          }
          onClose={close}
        >
          What only this feed says is no finding any more.
        </ConfirmDialog>
      )}
    </>
  );
}
