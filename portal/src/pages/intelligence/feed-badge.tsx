import { Badge } from '@fluentui/react-components';
import type { IntelligenceFeed } from '@/api/types';
import { feedState } from '@/format/intelligence';

const kColors = { Good: 'success', Failed: 'danger', Waiting: 'informative', Off: 'subtle' } as const;

export const feedPath = (name: string) => `/intelligence/feeds/${encodeURIComponent(name)}`;

export function FeedBadge({ feed }: { feed: IntelligenceFeed }) {
  const state = feedState(feed);
  return (
    <Badge appearance="tint" color={kColors[state]} title={feed.fault || undefined}>
      {state}
    </Badge>
  );
}
