/** Posture of one device. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api } from './client';
import type { RecommendationPage } from './types';

const kPageRows = 500;

export function useDeviceRecommendations(device: string) {
  return useInfiniteQuery({
    queryKey: ['recommendations', 'of-device', device],
    queryFn: ({ pageParam, signal }): Promise<RecommendationPage> =>
      api.get('/recommendations', { query: { device, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
}

const kScoreMs = 60_000;

/** Its score, and one a day for 90 days. */
export function useDeviceScore(device: string) {
  return useQuery({
    queryKey: ['posture', 'of-device', device],
    queryFn: ({ signal }) => api.get('/posture/devices/{device_id}', { path: { device_id: device }, signal }),
    refetchInterval: kScoreMs,
  });
}
