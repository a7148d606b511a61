import { makeStyles, tokens } from '@fluentui/react-components';
import type { Alert } from '@/api/types';
import { Muted, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '12px' },
  item: { borderLeft: `2px solid ${tokens.colorBrandStroke2}`, paddingLeft: '12px', display: 'flex', flexDirection: 'column' },
  comment: { margin: '2px 0 0', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
});

type Entry = Alert['changes'][number];

function words({ user, change, status }: Entry): string {
  if (change === 'raised') return 'Raised';
  if (change === 'updated') return 'More evidence was found';
  return status ? `${user} set it to ${status}` : `${user} commented`;
}

export function History({ changes }: { changes: readonly Entry[] }) {
  const styles = useStyles();
  if (changes.length === 0) return null;
  return (
    <Section title="History">
      <ol className={styles.list} reversed>
        {[...changes].reverse().map((entry, index) => (
          <li key={index} className={styles.item}>
            <span>{words(entry)}</span>
            <Muted>
              <TimeText value={entry.time} />
            </Muted>
            {entry.comment && <p className={styles.comment}>{entry.comment}</p>}
          </li>
        ))}
      </ol>
    </Section>
  );
}
