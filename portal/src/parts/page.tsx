/** Layout pieces that every page is made of. */
import { Card, makeStyles, mergeClasses, Text, tokens } from '@fluentui/react-components';
import { useEffect, type ReactNode } from 'react';
import { Link as RouterLink } from 'react-router-dom';

const useStyles = makeStyles({
  page: {
    display: 'flex',
    flexDirection: 'column',
    gap: '16px',
    padding: '20px 24px 32px',
    maxWidth: '1680px',
    boxSizing: 'border-box',
    margin: '0 auto',
    '@media (max-width: 600px)': { padding: '12px 12px 24px' },
  },
  fill: { height: '100%', minHeight: '560px' },
  head: { display: 'flex', alignItems: 'flex-start', gap: '12px', minHeight: '32px', flexWrap: 'wrap' },
  titles: { minWidth: 0, flexGrow: 1 },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase600,
    lineHeight: tokens.lineHeightBase600,
    fontWeight: tokens.fontWeightSemibold,
    overflowWrap: 'anywhere',
  },
  crumb: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  actions: { display: 'flex', gap: '8px', flexWrap: 'wrap', alignItems: 'center' },
  section: { padding: '0', gap: 0, minWidth: 0, overflow: 'hidden' },
  sectionHead: {
    display: 'flex',
    alignItems: 'center',
    flexWrap: 'wrap',
    gap: '4px 12px',
    padding: '12px 16px 8px',
    minHeight: '28px',
  },
  sectionTitle: {
    margin: 0,
    fontSize: tokens.fontSizeBase300,
    fontWeight: tokens.fontWeightSemibold,
    flexGrow: 1,
    overflowWrap: 'anywhere',
  },
  body: { padding: '0 16px 16px' },
});

interface PageProps {
  title: string;
  /** Before the title, such as a severity icon. */
  media?: ReactNode;
  /** The list this page belongs to. */
  parent?: { path: string; label: string };
  actions?: ReactNode;
  /** Take the height of the window instead of the content's. */
  fill?: boolean;
  children: ReactNode;
}

export function Page({ title, media, parent, actions, fill = false, children }: PageProps) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${title} · Picket`;
  }, [title]);
  return (
    <div className={mergeClasses(styles.page, fill && styles.fill)}>
      <div className={styles.head}>
        <div className={styles.titles}>
          {parent && (
            <div className={styles.crumb}>
              <RouterLink to={parent.path}>{parent.label}</RouterLink> /
            </div>
          )}
          <h1 className={styles.title}>
            {media} {title}
          </h1>
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** A titled card. `flush` lets a table touch its edges. */
export function Section({
  title,
  actions,
  flush = false,
  children,
}: {
  title: string;
  actions?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}) {
  const styles = useStyles();
  return (
    <Card className={styles.section} role="region" aria-label={title}>
      <div className={styles.sectionHead}>
        <h2 className={styles.sectionTitle}>{title}</h2>
        {actions}
      </div>
      <div className={flush ? undefined : styles.body}>{children}</div>
    </Card>
  );
}

const useFactStyles = makeStyles({
  list: { display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(200px, 1fr))', gap: '12px 24px', margin: 0 },
  name: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  value: { margin: 0, overflowWrap: 'anywhere' },
  wide: { gridColumn: '1 / -1' },
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

/** From this length on a text, most likely a command line, gets a line of its own. */
const kLongFact = 40;

/** Names and values side by side. Facts without a value are left out. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  const styles = useFactStyles();
  return (
    <dl className={styles.list}>
      {facts
        .filter(([, value]) => value !== undefined && value !== '' && value !== null)
        .map(([name, value]) => {
          const long = typeof value === 'string' && value.length > kLongFact;
          return (
            <div key={name} className={long ? styles.wide : undefined}>
              <dt className={styles.name}>{name}</dt>
              <dd className={mergeClasses(styles.value, long && styles.code)}>{value}</dd>
            </div>
          );
        })}
    </dl>
  );
}

export function Muted({ children }: { children: ReactNode }) {
  return (
    <Text size={200} style={{ color: tokens.colorNeutralForeground3 }}>
      {children}
    </Text>
  );
}
