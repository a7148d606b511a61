/** The pages of threat intelligence, with what is in force above them. */
import { makeStyles, Spinner } from '@fluentui/react-components';
import { useIndicatorSet } from '@/api/intelligence';
import { kindsOf } from '@/format/intelligence';
import { count, exact } from '@/format/number';
import { Muted } from '@/parts/page';
import { PageTabs } from '@/parts/page-tabs';
import { TimeText } from '@/parts/time-text';

const kTabs = [
  ['/intelligence', 'Feeds'],
  ['/intelligence/indicators', 'Own indicators'],
  ['/intelligence/retro-hunts', 'Retro-hunts'],
] as const;

export function IntelligenceTabs() {
  return <PageTabs label="Intelligence pages" tabs={kTabs} />;
}

const useStyles = makeStyles({ line: { display: 'flex', gap: '4px 16px', flexWrap: 'wrap', alignItems: 'center' } });

/** The set of indicators that events are compared with now. */
export function SetInForce() {
  const styles = useStyles();
  const { data: set } = useIndicatorSet();
  if (!set) return null;
  return (
    <div className={styles.line} role="status" aria-label="Set in force">
      <Muted>
        {set.version ? (
          <>
            In force: <strong>{count(set.indicators, 'indicator')}</strong>, {count(set.warnings, 'entry', 'entries')} of warning
            lists, made <TimeText relative value={set.made} />
          </>
        ) : (
          'No set of indicators is in force yet.'
        )}
      </Muted>
      {kindsOf(set.byKind).map(([kind, number]) => (
        <Muted key={kind}>
          {kind}: {exact(number)}
        </Muted>
      ))}
      {set.building && <Spinner size="extra-tiny" label="The next set is being made" />}
    </div>
  );
}
