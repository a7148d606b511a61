/** Who is signed in. The cookie is the browser's; this only mirrors GET /me and asks for a sign-in when there is none. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { api, ApiError, onSignedOut, setCsrfToken } from '@/api/client';
import type { Role, Session } from '@/api/types';

type State =
  { kind: 'asking' } | { kind: 'out'; expired: boolean } | { kind: 'in'; session: Session } | { kind: 'failed'; error: Error };

interface SessionValue {
  state: State;
  signIn(user: string, secret: string): Promise<void>;
  signOut(): Promise<void>;
  retry(): void;
}

const SessionContext = createContext<SessionValue | undefined>(undefined);

export function useSession(): SessionValue {
  const value = useContext(SessionContext);
  if (!value) throw new Error('useSession outside of SessionProvider');
  return value;
}

const kRoleOrder: readonly Role[] = ['Reader', 'Contributor', 'Admin'];

/** True when the signed-in user's role is this one or includes it. The server checks again; this only hides what would fail. */
export function useMay(role: Role): boolean {
  const { state } = useSession();
  return state.kind === 'in' && kRoleOrder.indexOf(state.session.role) >= kRoleOrder.indexOf(role);
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: 'asking' });
  const client = useQueryClient();

  const enter = useCallback((session: Session) => {
    setCsrfToken(session.csrf_token);
    setState({ kind: 'in', session });
  }, []);

  const leave = useCallback(
    (expired: boolean) => {
      setCsrfToken(undefined);
      client.clear();
      setState((old) => ({ kind: 'out', expired: expired && old.kind === 'in' }));
    },
    [client],
  );

  const ask = useCallback(() => {
    setState({ kind: 'asking' });
    api.get('/me', {}).then(enter, (error: Error) => {
      if (error instanceof ApiError && error.status === 401) leave(false);
      else setState({ kind: 'failed', error });
    });
  }, [enter, leave]);

  useEffect(() => {
    onSignedOut(() => leave(true));
    ask();
  }, [ask, leave]);

  const value = useMemo<SessionValue>(
    () => ({
      state,
      retry: ask,
      signIn: async (user, secret) => enter(await api.post('/sign-in', { body: { user, secret } })),
      signOut: async () => {
        await api.post('/sign-out', {});
        leave(false);
      },
    }),
    [state, ask, enter, leave],
  );
  return <SessionContext.Provider value={value}>{children}</SessionContext.Provider>;
}
