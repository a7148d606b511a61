/** One type of recommendation: what it means, what to do, and the devices it is about. */
import { makeStyles } from '@fluentui/react-components';
import { Link, useParams } from 'react-router-dom';
import { useRecommendations, useRecommendationTypes } from '@/api/queries';
import type { Recommendation, RecommendationState } from '@/api/types';
import { useFilters } from '@/app/use-filters';
import { logsPath, recommendationQuery } from '@/format/kql';
import { Page, Section } from '@/parts/page';
import { TypeSwitch } from '@/parts/recommendation-parts';
import { SeverityBadge } from '@/parts/severity-badge';
import { EmptyState, ErrorState, Loading } from '@/parts/states';
import { AffectedDevices } from './affected-devices';
import { RecommendationDetails } from './recommendation-details';

const useStyles = makeStyles({
  columns: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 3fr) minmax(300px, 2fr)',
    gap: '16px',
    alignItems: 'start',
    '@media (max-width: 1100px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  stack: { display: 'flex', flexDirection: 'column', gap: '16px', minWidth: 0 },
  text: { margin: 0, maxWidth: '90ch', lineHeight: '1.5', overflowWrap: 'anywhere' },
});

/** Without a choice those that need work are listed. */
function stateOf(text: string): RecommendationState | undefined {
  if (text === 'any') return undefined;
  return text === 'Resolved' ? 'Resolved' : 'Active';
}

export default function RecommendationPage() {
  const type = useParams().type ?? '';
  const { data: types, error, refetch } = useRecommendationTypes();
  const parent = { path: '/recommendations', label: 'Recommendations' };
  const item = types?.find((one) => one.type === type);
  if (!item) {
    return (
      <Page title="Recommendation" parent={parent}>
        {types ? (
          <EmptyState title={`There is no recommendation ${type}`} />
        ) : error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading the recommendation" />
        )}
      </Page>
    );
  }
  return (
    <Page
      title={item.displayName}
      parent={parent}
      actions={
        <>
          <SeverityBadge severity={item.severity} />
          <TypeSwitch item={item} label={item.enabled ? 'On' : 'Off'} />
        </>
      }
    >
      <Body key={type} type={type} description={item.description} enabled={item.enabled} />
    </Page>
  );
}

function Body({ type, description, enabled }: { type: string; description: string; enabled: boolean }) {
  const styles = useStyles();
  const { get, set } = useFilters(['state', 'chosen']);
  const query = useRecommendations(type, stateOf(get('state')));
  const found: Recommendation[] = query.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = found.find(({ id }) => id === get('chosen')) ?? found[0];
  return (
    <div className={styles.columns}>
      <div className={styles.stack}>
        <Section title="Why" actions={<Link to={logsPath(recommendationQuery(type), 'P30D')}>Open in Logs</Link>}>
          <p className={styles.text}>{description}</p>
        </Section>
        <AffectedDevices
          query={query}
          found={found}
          chosen={chosen}
          enabled={enabled}
          state={get('state')}
          onState={(state) => set('state', state)}
        />
      </div>
      <div className={styles.stack}>{chosen && <RecommendationDetails recommendation={chosen} />}</div>
    </div>
  );
}
