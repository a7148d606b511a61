/** The pages about alerts. */
import { PageTabs } from './page-tabs';

const kTabs = [
  ['/alerts', 'Alerts'],
  ['/alert-groups', 'By name and day'],
  ['/suppressions', 'Suppression rules'],
] as const;

export function AlertTabs() {
  return <PageTabs label="Alert pages" tabs={kTabs} />;
}
