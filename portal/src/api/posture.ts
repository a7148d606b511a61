/** Posture of one device. */
import { useInfiniteQuery } from '@tanstack/react-query';
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
