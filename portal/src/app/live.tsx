/** Keeps the event stream open while somebody is signed in, and tells the rest of the page how it fares. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { startLive, type LiveState } from '@/api/live';
import { useNotifications } from './notifications';

const LiveContext = createContext<LiveState>('connecting');

export function useLiveState(): LiveState {
  return useContext(LiveContext);
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { newAlerts } = useNotifications();
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(
    () =>
      startLive(client, {
        onState: setState,
        onAlerts: (changes) => {
          const raised = changes.filter(({ change }) => change === 'raised').map(({ alert }) => alert);
          if (raised.length > 0) newAlerts(raised);
        },
      }),
    [client, newAlerts],
  );
  return <LiveContext.Provider value={state}>{children}</LiveContext.Provider>;
}
