/** The composition root: providers, sign-in, and one lazily loaded page for each route. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { BrowserRouter, Route, Routes } from 'react-router-dom';
import { ApiError } from '@/api/client';
import { ErrorState, Loading } from '@/parts/states';
import SignInPage from '@/pages/sign-in/sign-in-page';
import { LiveProvider } from './live';
import { NotificationProvider } from './notifications';
import { PageBoundary } from './page-boundary';
import { SessionProvider, useSession } from './session';
import { Shell } from './shell';
import { ThemeProvider } from './theme';

const OverviewPage = lazy(() => import('@/pages/overview/overview-page'));
const DevicesPage = lazy(() => import('@/pages/devices/devices-page'));
const DevicePage = lazy(() => import('@/pages/device/device-page'));
const HubPage = lazy(() => import('@/pages/hub/hub-page'));
const AlertsPage = lazy(() => import('@/pages/alerts/alerts-page'));
const AlertPage = lazy(() => import('@/pages/alert/alert-page'));
const AlertGroupsPage = lazy(() => import('@/pages/alert-groups/alert-groups-page'));
const SuppressionsPage = lazy(() => import('@/pages/suppressions/suppressions-page'));
const IncidentsPage = lazy(() => import('@/pages/incidents/incidents-page'));
const IncidentPage = lazy(() => import('@/pages/incident/incident-page'));
const FeedsPage = lazy(() => import('@/pages/intelligence/feeds-page'));
const FeedPage = lazy(() => import('@/pages/intelligence/feed-page'));
const IndicatorsPage = lazy(() => import('@/pages/intelligence/indicators-page'));
const RetroHuntsPage = lazy(() => import('@/pages/intelligence/retro-hunts-page'));
const GroupsPage = lazy(() => import('@/pages/security-groups/groups-page'));
const GroupPage = lazy(() => import('@/pages/security-groups/group-page'));
const VulnerabilitiesPage = lazy(() => import('@/pages/vulnerabilities/vulnerabilities-page'));
const StatementsPage = lazy(() => import('@/pages/vulnerabilities/statements-page'));
const AdvisoryFeedsPage = lazy(() => import('@/pages/vulnerabilities/advisory-feeds-page'));
const VulnerabilityPage = lazy(() => import('@/pages/vulnerability/vulnerability-page'));
const SoftwarePage = lazy(() => import('@/pages/software/software-page'));
const RecommendationsPage = lazy(() => import('@/pages/recommendations/recommendations-page'));
const RecommendationPage = lazy(() => import('@/pages/recommendation/recommendation-page'));
const PosturePage = lazy(() => import('@/pages/posture/posture-page'));
const RulesPage = lazy(() => import('@/pages/rules/rules-page'));
const RulePage = lazy(() => import('@/pages/rule/rule-page'));
const LogsPage = lazy(() => import('@/pages/logs/logs-page'));
const SavedQueriesPage = lazy(() => import('@/pages/saved-queries/saved-queries-page'));
const RunningQueriesPage = lazy(() => import('@/pages/running-queries/running-queries-page'));
const TablesPage = lazy(() => import('@/pages/tables/tables-page'));
const AnalyticsRulesPage = lazy(() => import('@/pages/analytics-rules/analytics-rules-page'));
const AnalyticsRulePage = lazy(() => import('@/pages/analytics-rule/analytics-rule-page'));
const WorkbooksPage = lazy(() => import('@/pages/workbooks/workbooks-page'));
const WorkbookPage = lazy(() => import('@/pages/workbook/workbook-page'));
const NotFoundPage = lazy(() => import('@/pages/not-found-page'));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server has decided does not change by asking again; a server that is restarting does.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={client}>
      <ThemeProvider>
        <BrowserRouter>
          <SessionProvider>
            <NotificationProvider>
              <Gate />
            </NotificationProvider>
          </SessionProvider>
        </BrowserRouter>
      </ThemeProvider>
    </QueryClientProvider>
  );
}

/** The page asked for stays in the address bar while signing in, so it opens afterwards. */
function Gate() {
  const { state, retry } = useSession();
  if (state.kind === 'asking') return <Loading label="Picket is loading" />;
  if (state.kind === 'failed') return <ErrorState error={state.error} onRetry={retry} />;
  if (state.kind === 'out') return <SignInPage expired={state.expired} />;
  return (
    <LiveProvider>
      <Shell>
        <PageBoundary>
          <Suspense fallback={<Loading label="Loading the page" />}>
            <Routes>
              <Route path="/" element={<OverviewPage />} />
              <Route path="/devices" element={<DevicesPage />} />
              <Route path="/devices/:deviceId" element={<DevicePage />} />
              <Route path="/hub" element={<HubPage />} />
              <Route path="/alerts" element={<AlertsPage />} />
              <Route path="/alerts/:alertId" element={<AlertPage />} />
              <Route path="/alert-groups" element={<AlertGroupsPage />} />
              <Route path="/suppressions" element={<SuppressionsPage />} />
              <Route path="/incidents" element={<IncidentsPage />} />
              <Route path="/incidents/:incidentId" element={<IncidentPage />} />
              <Route path="/intelligence" element={<FeedsPage />} />
              <Route path="/intelligence/feeds/:name" element={<FeedPage />} />
              <Route path="/intelligence/indicators" element={<IndicatorsPage />} />
              <Route path="/intelligence/retro-hunts" element={<RetroHuntsPage />} />
              <Route path="/security-groups" element={<GroupsPage />} />
              <Route path="/security-groups/:name" element={<GroupPage />} />
              <Route path="/vulnerabilities" element={<VulnerabilitiesPage />} />
              <Route path="/vulnerabilities/statements" element={<StatementsPage />} />
              <Route path="/vulnerabilities/feeds" element={<AdvisoryFeedsPage />} />
              <Route path="/vulnerabilities/:id" element={<VulnerabilityPage />} />
              <Route path="/software" element={<SoftwarePage />} />
              <Route path="/recommendations" element={<RecommendationsPage />} />
              <Route path="/recommendations/:type" element={<RecommendationPage />} />
              <Route path="/posture" element={<PosturePage />} />
              <Route path="/rules" element={<RulesPage />} />
              <Route path="/rules/:id" element={<RulePage />} />
              <Route path="/logs" element={<LogsPage />} />
              <Route path="/saved-queries" element={<SavedQueriesPage />} />
              <Route path="/running-queries" element={<RunningQueriesPage />} />
              <Route path="/tables" element={<TablesPage />} />
              <Route path="/analytics-rules" element={<AnalyticsRulesPage />} />
              <Route path="/analytics-rules/:id" element={<AnalyticsRulePage />} />
              <Route path="/workbooks" element={<WorkbooksPage />} />
              <Route path="/workbooks/:name" element={<WorkbookPage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Routes>
          </Suspense>
        </PageBoundary>
      </Shell>
    </LiveProvider>
  );
}
