/** What a query has brought; until then that it loads, or why it could not. */
import type { ReactNode } from 'react';
import { ErrorState, Loading } from './states';

interface Asked<T> {
  data: T | undefined;
  error: Error | null;
  refetch(): unknown;
}

export function Loaded<T>({ query, label, children }: { query: Asked<T>; label: string; children(data: T): ReactNode }) {
  const { data, error, refetch } = query;
  if (data !== undefined) return <>{children(data)}</>;
  return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label={label} />;
}

/** The button below a list that the server pages; for ListTable's `more`. */
export function moreOf(
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage(): unknown },
  shown: number,
  total: number,
) {
  if (!query.hasNextPage) return undefined;
  return { load: () => void query.fetchNextPage(), loading: query.isFetchingNextPage, label: `Show more (${shown} of ${total})` };
}
