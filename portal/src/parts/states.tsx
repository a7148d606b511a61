/** What a page shows when it has nothing to show: loading, empty, failed. Each says what to do next. */
import { Button, makeStyles, Spinner, Text, tokens } from '@fluentui/react-components';
import { ErrorCircle24Regular } from '@fluentui/react-icons';
import { useEffect, useState, type ReactNode } from 'react';

const kSpinnerDelayMs = 200;

const useStyles = makeStyles({
  centre: {
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    gap: '10px',
    padding: '40px 24px',
    minHeight: '120px',
    textAlign: 'center',
  },
  icon: { color: tokens.colorNeutralForeground3, display: 'inline-flex' },
  // Among words a link must be told by more than its colour.
  text: { maxWidth: '60ch', color: tokens.colorNeutralForeground2, '& a': { textDecorationLine: 'underline' } },
});

/** A spinner that only appears when the wait is long enough to notice. */
export function Loading({ label }: { label: string }) {
  const styles = useStyles();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), kSpinnerDelayMs);
    return () => clearTimeout(timer);
  }, []);
  return <div className={styles.centre}>{shown && <Spinner size="small" label={label} />}</div>;
}

export function EmptyState({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  const styles = useStyles();
  return (
    <div className={styles.centre}>
      {icon && (
        <span className={styles.icon} aria-hidden>
          {icon}
        </span>
      )}
      <Text weight="semibold">{title}</Text>
      {children && <div className={styles.text}>{children}</div>}
    </div>
  );
}

export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const styles = useStyles();
  return (
    <div className={styles.centre} role="alert">
      <span className={styles.icon} aria-hidden>
        <ErrorCircle24Regular />
      </span>
      <Text weight="semibold" size={400}>
        This could not be loaded
      </Text>
      <div className={styles.text}>{error.message}</div>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}
