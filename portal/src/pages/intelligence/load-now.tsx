import { Button } from '@fluentui/react-components';
import { useState } from 'react';
import { useRefreshFeed } from '@/api/intelligence';
import type { IntelligenceFeed } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { useMay } from '@/app/session';
import { ConfirmDialog } from '@/parts/confirm-dialog';

/** Has a feed read soon. One that failed may have shrunk too much: then it is asked whether to take it all the same. */
export function LoadNow({ feed }: { feed: IntelligenceFeed }) {
  const mayLoad = useMay('Contributor');
  const [asking, setAsking] = useState(false);
  const refresh = useRefreshFeed();
  const { done, failed } = useNotifications();
  if (!mayLoad || !feed.settings.source) return null;
  const load = (force: boolean) =>
    refresh.mutate(
      { name: feed.name, force },
      {
        onSuccess: () => {
          setAsking(false);
          done(`${feed.name} is read soon`);
        },
        onError: (error) => !force && failed('The feed was not read', error),
      },
    );
  return (
    <>
      <Button
        size="small"
        disabled={refresh.isPending}
        aria-label={`Load now: ${feed.name}`}
        onClick={() => (/with force/.test(feed.fault) ? setAsking(true) : load(false))}
      >
        Load now
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Take ${feed.name} although it shrank?`}
          confirmLabel="Take it"
          pending={refresh.isPending}
          error={refresh.error}
          onConfirm={() => load(true)}
          onClose={() => setAsking(false)}
        >
          The last try was refused: {feed.fault}
        </ConfirmDialog>
      )}
    </>
  );
}
