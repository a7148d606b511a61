/** The pages around queries. */
import { PageTabs } from '@/parts/page-tabs';

const kTabs = [
  ['/logs', 'Query'],
  ['/saved-queries', 'Saved queries and functions'],
  ['/running-queries', 'Running queries'],
  ['/tables', 'Tables'],
] as const;

export function LogsTabs() {
  return <PageTabs label="Logs" tabs={kTabs} />;
}
