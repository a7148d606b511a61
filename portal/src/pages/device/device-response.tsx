/** What this device was commanded to do and how it ended; to isolate it and to let it go. */
import {
  Badge,
  Button,
  makeStyles,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  tokens,
} from '@fluentui/react-components';
import { ShieldDismiss20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { useKql } from '@/api/queries';
import type { Device } from '@/api/types';
import { useMay } from '@/app/session';
import { argumentText, isolationOf, responseEntries, responseQuery, type Outcome } from '@/format/response';
import { Muted, Section } from '@/parts/page';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { TimeText } from '@/parts/time-text';
import { IsolateDialog, ReleaseDialog } from './isolation-dialogs';

const kRefreshMs = 5_000;

const useStyles = makeStyles({
  stack: { display: 'flex', flexDirection: 'column', gap: '16px' },
  scroll: { overflowX: 'auto' },
  table: {
    width: '100%',
    minWidth: '720px',
    borderCollapse: 'collapse',
    '& th': {
      textAlign: 'left',
      fontWeight: tokens.fontWeightSemibold,
      fontSize: tokens.fontSizeBase200,
      color: tokens.colorNeutralForeground3,
      padding: '8px 12px',
      whiteSpace: 'nowrap',
    },
    '& td': {
      padding: '8px 12px',
      borderTop: `1px solid ${tokens.colorNeutralStroke3}`,
      overflowWrap: 'anywhere',
      verticalAlign: 'top',
    },
  },
  time: { whiteSpace: 'nowrap' },
  message: { display: 'block', marginTop: '4px', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const kOutcomes: Record<Outcome, readonly [string, 'success' | 'informative' | 'warning' | 'danger' | 'subtle']> = {
  waiting: ['Sent', 'informative'],
  done: ['Done', 'success'],
  ended: ['Ended', 'subtle'],
  refused: ['Refused', 'warning'],
  failed: ['Failed', 'danger'],
  unanswered: ['Not reached', 'danger'],
};
const kActions: Record<string, string> = { '': 'unknown', exec: 'program kept from starting' };

export function DeviceResponse({ device }: { device: Device }) {
  const styles = useStyles();
  const mayOrder = useMay('Admin');
  const [dialog, setDialog] = useState<'isolate' | 'release'>();
  const { data, error, refetch, dataUpdatedAt } = useKql(
    { query: responseQuery(device.deviceId) },
    { refetchInterval: kRefreshMs },
  );
  if (!data) return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <Loading label="Loading commands" />;
  const entries = responseEntries(data);
  const isolation = isolationOf(entries, dataUpdatedAt);
  const close = () => {
    setDialog(undefined);
    void refetch();
  };
  return (
    <div className={styles.stack}>
      {isolation && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>This device is isolated</MessageBarTitle>
            It reaches nothing but this hub, until <TimeText value={isolation.until} />.
          </MessageBarBody>
          {mayOrder && (
            <MessageBarActions>
              <Button onClick={() => setDialog('release')}>Release…</Button>
            </MessageBarActions>
          )}
        </MessageBar>
      )}
      <Section
        title="Commands to this device"
        flush
        actions={
          mayOrder ? (
            <Button icon={<ShieldDismiss20Regular />} onClick={() => setDialog('isolate')}>
              {isolation ? 'Isolate anew…' : 'Isolate…'}
            </Button>
          ) : (
            <Muted>An Admin may isolate it</Muted>
          )
        }
      >
        {entries.length === 0 ? (
          <EmptyState title="Nothing was commanded yet">
            The agent obeys only what its own settings allow. <code>picket respond {device.deviceId} --help</code> lists all
            commands.
          </EmptyState>
        ) : (
          <div className={styles.scroll} tabIndex={0} role="group" aria-label="Commands, may scroll">
            <table className={styles.table} aria-label="Commands to this device">
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">Command</th>
                  <th scope="col">By</th>
                  <th scope="col">How it ended</th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => {
                  const [label, color] = kOutcomes[entry.outcome];
                  return (
                    <tr key={entry.id}>
                      <td className={styles.time}>
                        <TimeText value={entry.time} />
                      </td>
                      <td>
                        {kActions[entry.action] ?? entry.action}
                        <span className={styles.message}>{argumentText(entry.arguments)}</span>
                      </td>
                      <td>{entry.actor || 'the device'}</td>
                      <td>
                        <Badge appearance="tint" color={color}>
                          {label}
                        </Badge>
                        <span className={styles.message}>{entry.message}</span>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Section>
      {dialog === 'isolate' && <IsolateDialog device={device} onClose={close} />}
      {dialog === 'release' && <ReleaseDialog device={device} onClose={close} />}
    </div>
  );
}
