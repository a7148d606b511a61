/** Toasts: short words about what just happened. New alerts are gathered so that a burst is one toast, not a hundred. */
import { Link, Toast, ToastBody, Toaster, ToastTitle, ToastTrigger, useId, useToastController } from '@fluentui/react-components';
import { createContext, useCallback, useContext, useMemo, type ReactNode } from 'react';
import { useNavigate } from 'react-router-dom';
import type { AlertSummary } from '@/api/types';
import { count } from '@/format/number';
import { SeverityBadge } from '@/parts/severity-badge';

interface Notifications {
  done(text: string): void;
  failed(title: string, error: unknown): void;
  newAlerts(alerts: readonly AlertSummary[]): void;
}

const NotificationContext = createContext<Notifications | undefined>(undefined);

export function useNotifications(): Notifications {
  const value = useContext(NotificationContext);
  if (!value) throw new Error('useNotifications outside of NotificationProvider');
  return value;
}

const kSingleToastsMax = 2;
const kToastsShownMax = 4;

function AlertToast({ alert }: { alert: AlertSummary }) {
  const navigate = useNavigate();
  return (
    <Toast>
      <ToastTitle
        media={<SeverityBadge severity={alert.severity} iconOnly />}
        action={
          <ToastTrigger>
            <Link onClick={() => navigate(`/alerts/${encodeURIComponent(alert.id)}`)}>Open</Link>
          </ToastTrigger>
        }
      >
        {alert.displayName}
      </ToastTitle>
      <ToastBody>
        {alert.severity} alert on {alert.deviceId}
      </ToastBody>
    </Toast>
  );
}

function ManyAlertsToast({ number }: { number: number }) {
  const navigate = useNavigate();
  return (
    <Toast>
      <ToastTitle
        action={
          <ToastTrigger>
            <Link onClick={() => navigate('/alerts')}>Show</Link>
          </ToastTrigger>
        }
      >
        {count(number, 'new alert')}
      </ToastTitle>
    </Toast>
  );
}

export function NotificationProvider({ children }: { children: ReactNode }) {
  const toasterId = useId('toaster');
  const { dispatchToast } = useToastController(toasterId);

  const newAlerts = useCallback(
    (alerts: readonly AlertSummary[]) => {
      const loud = alerts.filter((alert) => alert.severity !== 'Informational');
      if (loud.length > kSingleToastsMax)
        dispatchToast(<ManyAlertsToast number={loud.length} />, { intent: 'warning', timeout: 8_000 });
      else loud.forEach((alert) => dispatchToast(<AlertToast alert={alert} />, { timeout: 8_000 }));
    },
    [dispatchToast],
  );

  const value = useMemo<Notifications>(
    () => ({
      newAlerts,
      done: (text) =>
        dispatchToast(
          <Toast>
            <ToastTitle>{text}</ToastTitle>
          </Toast>,
          { intent: 'success', timeout: 4_000 },
        ),
      failed: (title, error) =>
        dispatchToast(
          <Toast>
            <ToastTitle>{title}</ToastTitle>
            <ToastBody>{error instanceof Error ? error.message : String(error)}</ToastBody>
          </Toast>,
          { intent: 'error', timeout: 12_000 },
        ),
    }),
    [dispatchToast, newAlerts],
  );

  return (
    <NotificationContext.Provider value={value}>
      {children}
      <Toaster toasterId={toasterId} position="bottom-end" limit={kToastsShownMax} pauseOnHover />
    </NotificationContext.Provider>
  );
}
