import { makeStyles, tokens } from '@fluentui/react-components';
import type { Alert } from '@/api/types';
import { historyWords } from '@/format/triage';
import { Muted, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '12px' },
  item: { borderLeft: `2px solid ${tokens.colorBrandStroke2}`, paddingLeft: '12px', display: 'flex', flexDirection: 'column' },
  words: { overflowWrap: 'anywhere' },
  comment: { margin: '2px 0 0', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
});

/** What was done about the alert, the newest first. */
export function History({ changes }: { changes: Alert['changes'] }) {
  const styles = useStyles();
  if (changes.length === 0) return null;
  const words = historyWords(changes);
  return (
    <Section title="History">
      <ol className={styles.list} reversed>
        {changes
          .map((entry, index) => (
            <li key={index} className={styles.item}>
              <span className={styles.words}>{words[index]}</span>
              <Muted>
                <TimeText value={entry.time} />
              </Muted>
              {entry.comment && <p className={styles.comment}>{entry.comment}</p>}
            </li>
          ))
          .reverse()}
      </ol>
    </Section>
  );
}
