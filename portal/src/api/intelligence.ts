/** Threat intelligence: feeds, the set of indicators in force, indicators of one's own, retro-hunts. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { FeedOrder, IndicatorKind, IndicatorLookup, IndicatorOrder, IntelligenceFeed, OwnIndicatorPage } from './types';

const kFeeds = ['intelligence', 'feeds'] as const;
const kSet = ['intelligence', 'set'] as const;
const kOwn = ['intelligence', 'indicators'] as const;
const kHunts = ['intelligence', 'hunts'] as const;
/** Feeds are read and sets made in the background, within seconds. */
const kWorkMs = 5_000;
const kPageRows = 100;

export function useFeeds() {
  return useQuery({
    queryKey: kFeeds,
    queryFn: async ({ signal }): Promise<IntelligenceFeed[]> => (await api.get('/intelligence/feeds', { signal })).items,
    refetchInterval: kWorkMs,
  });
}

export function useFeed(name: string) {
  return useQuery({
    queryKey: [...kFeeds, name],
    queryFn: ({ signal }): Promise<IntelligenceFeed> => api.get('/intelligence/feeds/{name}', { path: { name }, signal }),
    refetchInterval: kWorkMs,
  });
}

export function useIndicatorSet() {
  return useQuery({
    queryKey: kSet,
    queryFn: ({ signal }) => api.get('/intelligence/set', { signal }),
    refetchInterval: kWorkMs,
  });
}

function useIntelligenceChanged(): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: ['intelligence'] });
}

export function usePutFeed() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: ({ name, order }: { name: string; order: FeedOrder }) =>
      api.put('/intelligence/feeds/{name}', { path: { name }, body: order }),
    onSuccess: changed,
  });
}

export function useRemoveFeed() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: (name: string) => api.delete('/intelligence/feeds/{name}', { path: { name } }),
    onSuccess: changed,
  });
}

export function useRefreshFeed() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: ({ name, force }: { name: string; force?: boolean }) =>
      api.post('/intelligence/feeds/{name}/refresh', { path: { name }, query: { force } }),
    onSuccess: changed,
  });
}

export function useHandInFeed() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: ({ name, content, force }: { name: string; content: string | Blob; force?: boolean }) =>
      api.put('/intelligence/feeds/{name}/content', { path: { name }, query: { force }, raw: content }),
    onSuccess: changed,
  });
}

/** Asked for by hand, each time anew: what counts is the set in force now. */
export function useLookup() {
  return useMutation({
    mutationFn: (value: string): Promise<IndicatorLookup> => api.get('/intelligence/lookup', { query: { value } }),
  });
}

export function useOwnIndicators() {
  return useInfiniteQuery({
    queryKey: kOwn,
    queryFn: ({ pageParam, signal }): Promise<OwnIndicatorPage> =>
      api.get('/intelligence/indicators', { query: { limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
  });
}

export function useAddIndicator() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: (body: IndicatorOrder) => api.post('/intelligence/indicators', { body }),
    onSuccess: changed,
  });
}

export function useRemoveIndicator() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: ({ kind, value }: { kind: IndicatorKind; value: string }) =>
      api.delete('/intelligence/indicators/{kind}/{value}', { path: { kind, value } }),
    onSuccess: changed,
  });
}

export function useRetroHunts() {
  return useQuery({
    queryKey: kHunts,
    queryFn: async ({ signal }) => (await api.get('/intelligence/retro-hunts', { signal })).items,
    refetchInterval: kWorkMs,
  });
}

export function useStartRetroHunt() {
  const changed = useIntelligenceChanged();
  return useMutation({
    mutationFn: (days: number) => api.post('/intelligence/retro-hunts', { body: { days } }),
    onSuccess: changed,
  });
}
