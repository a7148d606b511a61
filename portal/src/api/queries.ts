/** The server's state as hooks. Keys live here so that live updates (live.ts) find what they change. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { api } from './client';
import type {
  Alert,
  AlertFilters,
  AlertPage,
  DeviceCreate,
  DeviceFilters,
  DeviceMessage,
  DevicePage,
  DeviceUpdate,
  ExemptionOrder,
  JsonObject,
  MethodCall,
  QueryRequest,
  RecommendationPage,
  RecommendationState,
  RecommendationType,
  ResponseOrder,
  Rule,
  RuleList,
  Triage,
  Twin,
} from './types';

export const keys = {
  overview: ['overview'] as const,
  alerts: (filters: AlertFilters) => ['alerts', filters] as const,
  allAlerts: ['alerts'] as const,
  alert: (id: string) => ['alert', id] as const,
  devices: (filters: DeviceFilters) => ['devices', filters] as const,
  allDevices: ['devices'] as const,
  device: (id: string) => ['device', id] as const,
  twin: (id: string, module: string | undefined) => ['twin', id, module] as const,
  hubs: ['hubs'] as const,
  hubPolicies: (hub: string) => ['hub-policies', hub] as const,
  hubCertificates: (hub: string) => ['hub-certificates', hub] as const,
  recommendationTypes: ['recommendation-types'] as const,
  recommendations: (type: string, state: RecommendationState | undefined) => ['recommendations', type, state] as const,
  posture: (group: string) => ['posture', group] as const,
  exemptions: ['exemptions'] as const,
  rules: ['rules'] as const,
  rule: (id: string) => ['rules', id] as const,
  ruleFile: (name: string) => ['rule-files', name] as const,
  schema: ['schema'] as const,
  query: (request: QueryRequest) => ['query', request] as const,
};

export type AlertPages = InfiniteData<AlertPage, string | undefined>;
export type DevicePages = InfiniteData<DevicePage, string | undefined>;

const kPageRows = 100;

export function useOverview() {
  return useQuery({
    queryKey: keys.overview,
    queryFn: ({ signal }) => api.get('/overview', { signal }),
    refetchInterval: 60_000,
  });
}

export function useAlerts(filters: AlertFilters) {
  return useInfiniteQuery({
    queryKey: keys.alerts(filters),
    queryFn: ({ pageParam, signal }) =>
      api.get('/alerts', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

export function useAlert(id: string) {
  return useQuery({ queryKey: keys.alert(id), queryFn: ({ signal }) => api.get('/alerts/{id}', { path: { id }, signal }) });
}

export function useTriage(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Triage) => api.patch('/alerts/{id}', { path: { id }, body }),
    onSuccess: (alert: Alert) => {
      client.setQueryData(keys.alert(id), alert);
      void client.invalidateQueries({ queryKey: keys.allAlerts });
      void client.invalidateQueries({ queryKey: keys.overview });
    },
  });
}

export function useDevices(filters: DeviceFilters) {
  return useInfiniteQuery({
    queryKey: keys.devices(filters),
    queryFn: ({ pageParam, signal }) =>
      api.get('/devices', { query: { ...filters, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (previous) => previous,
  });
}

export function useDevice(id: string) {
  return useQuery({
    queryKey: keys.device(id),
    queryFn: ({ signal }) => api.get('/devices/{device_id}', { path: { device_id: id }, signal }),
  });
}

function useDevicesChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: keys.allDevices });
    void client.invalidateQueries({ queryKey: keys.overview });
  };
}

export function useCreateDevice() {
  const changed = useDevicesChanged();
  return useMutation({ mutationFn: (body: DeviceCreate) => api.post('/devices', { body }), onSuccess: changed });
}

export function useUpdateDevice(id: string) {
  const client = useQueryClient();
  const changed = useDevicesChanged();
  return useMutation({
    mutationFn: (body: DeviceUpdate) => api.patch('/devices/{device_id}', { path: { device_id: id }, body }),
    onSuccess: (device) => {
      client.setQueryData(keys.device(id), device);
      changed();
    },
  });
}

export function useDeleteDevice(id: string) {
  const changed = useDevicesChanged();
  return useMutation({ mutationFn: () => api.delete('/devices/{device_id}', { path: { device_id: id } }), onSuccess: changed });
}

/** A key is shown once and not kept: reading it is an audited act, so it is a mutation and never cached. */
export function useConnectionString(id: string) {
  return useMutation({
    mutationFn: (module: string | undefined) =>
      api.get('/devices/{device_id}/connection-string', { path: { device_id: id }, query: { module } }),
  });
}

/** The twin of a device, or of one of its modules. Nothing is pushed about it; what a device reports shows up in a while. */
export function useTwin(id: string, module: string | undefined) {
  return useQuery({
    queryKey: keys.twin(id, module),
    queryFn: ({ signal }): Promise<Twin> =>
      api.get('/devices/{device_id}/twin', { path: { device_id: id }, query: { module }, signal }),
    refetchInterval: 15_000,
  });
}

/** `etag`: of the twin as it was shown; a twin that has changed since is refused (412). */
export function usePatchTwin(id: string, module: string | undefined, etag: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (patch: JsonObject): Promise<Twin> =>
      // The contract does not name the members of a patch; parseTwinPatch does.
      api.patch('/devices/{device_id}/twin', {
        path: { device_id: id },
        query: { module },
        body: patch as Record<string, never>,
        ifMatch: etag,
      }),
    onSuccess: (twin) => client.setQueryData(keys.twin(id, module), twin),
  });
}

export function useCallMethod(id: string) {
  return useMutation({
    mutationFn: ({ module, ...body }: MethodCall & { module: string | undefined }) =>
      api.post('/devices/{device_id}/methods', { path: { device_id: id }, query: { module }, body }),
  });
}

/** Has the agent carry out a signed command. What the device refused or could not do is an error here, in its words. */
export function useRespond(id: string) {
  return useMutation({
    mutationFn: async (body: ResponseOrder) => {
      const answer = await api.post('/devices/{device_id}/response', { path: { device_id: id }, body });
      if (answer.status === 200) return answer;
      const said = (answer.payload as { error?: string } | null)?.error;
      throw new Error(said ? `The device answered ${answer.status}: ${said}` : `The device answered ${answer.status}.`);
    },
  });
}

export function useSendMessage(id: string) {
  return useMutation({
    mutationFn: (body: DeviceMessage) => api.post('/devices/{device_id}/messages', { path: { device_id: id }, body }),
  });
}

export function useHubs() {
  return useQuery({ queryKey: keys.hubs, queryFn: async ({ signal }) => (await api.get('/hubs', { signal })).items });
}

export function useHubPolicies(hub: string) {
  return useQuery({
    queryKey: keys.hubPolicies(hub),
    queryFn: async ({ signal }) => (await api.get('/hubs/{hub}/policies', { path: { hub }, signal })).items,
  });
}

export function useHubCertificates(hub: string) {
  return useQuery({
    queryKey: keys.hubCertificates(hub),
    queryFn: async ({ signal }) => (await api.get('/hubs/{hub}/certificates', { path: { hub }, signal })).items,
  });
}

/** Nothing is pushed about recommendations; they change slowly, so they are asked for again now and then. */
const kRecommendationsMs = 60_000;

export function useRecommendationTypes() {
  return useQuery({
    queryKey: keys.recommendationTypes,
    queryFn: async ({ signal }) => (await api.get('/recommendation-types', { signal })).items,
    refetchInterval: kRecommendationsMs,
  });
}

export function useRecommendations(type: string, state: RecommendationState | undefined) {
  return useInfiniteQuery({
    queryKey: keys.recommendations(type, state),
    queryFn: ({ pageParam, signal }): Promise<RecommendationPage> =>
      api.get('/recommendations', { query: { type, state, limit: kPageRows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: kRecommendationsMs,
  });
}

export function useSwitchRecommendationType(type: string) {
  const client = useQueryClient();
  return useMutation({
    scope: { id: `recommendation-type ${type}` },
    mutationFn: (enabled: boolean) => api.patch('/recommendation-types/{type}', { path: { type }, body: { enabled } }),
    onSuccess: (_, enabled) => {
      client.setQueryData<RecommendationType[]>(keys.recommendationTypes, (old) =>
        old?.map((item) => (item.type === type ? { ...item, enabled } : item)),
      );
      void client.invalidateQueries({ queryKey: keys.recommendationTypes });
      void client.invalidateQueries({ queryKey: ['recommendations'] });
    },
  });
}

export function usePosture(group: string) {
  return useQuery({
    queryKey: keys.posture(group),
    queryFn: ({ signal }) => api.get('/posture', { query: { group }, signal }),
    refetchInterval: kRecommendationsMs,
    placeholderData: (previous) => previous,
  });
}

export function useExemptions() {
  return useQuery({ queryKey: keys.exemptions, queryFn: async ({ signal }) => (await api.get('/exemptions', { signal })).items });
}

function useExemptionsChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: keys.exemptions });
    void client.invalidateQueries({ queryKey: ['posture'] });
  };
}

export function useExempt() {
  const changed = useExemptionsChanged();
  return useMutation({ mutationFn: (body: ExemptionOrder) => api.post('/exemptions', { body }), onSuccess: changed });
}

export function useRestore() {
  const changed = useExemptionsChanged();
  return useMutation({ mutationFn: (id: string) => api.delete('/exemptions/{id}', { path: { id } }), onSuccess: changed });
}

/** What rules matched and cost changes all the time, their texts seldom. */
const kRulesMs = 15_000;

export function useRules() {
  return useQuery({
    queryKey: keys.rules,
    queryFn: ({ signal }): Promise<RuleList> => api.get('/rules', { signal }),
    refetchInterval: kRulesMs,
  });
}

export function useRule(id: string) {
  return useQuery({
    queryKey: keys.rule(id),
    queryFn: ({ signal }): Promise<Rule> => api.get('/rules/{id}', { path: { id }, signal }),
    refetchInterval: kRulesMs,
  });
}

export function useRuleFile(name: string) {
  return useQuery({
    queryKey: keys.ruleFile(name),
    queryFn: ({ signal }) => api.get('/rule-files/{name}', { path: { name }, signal }),
  });
}

export function useSwitchRule(id: string) {
  const client = useQueryClient();
  return useMutation({
    scope: { id: `rule ${id}` },
    mutationFn: (enabled: boolean) => api.patch('/rules/{id}', { path: { id }, body: { enabled } }),
    onSuccess: (_, enabled) => {
      client.setQueryData<RuleList>(
        keys.rules,
        (old) => old && { ...old, items: old.items.map((rule) => (rule.id === id ? { ...rule, enabled } : rule)) },
      );
      client.setQueryData<Rule>(keys.rule(id), (old) => old && { ...old, enabled });
      void client.invalidateQueries({ queryKey: keys.rules });
    },
  });
}

function useRulesChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: keys.rules });
    void client.invalidateQueries({ queryKey: ['rule-files'] });
  };
}

export function useImportRules() {
  const changed = useRulesChanged();
  return useMutation({
    mutationFn: ({ name, yaml }: { name: string; yaml: string }) => api.put('/rule-files/{name}', { path: { name }, yaml }),
    onSuccess: changed,
  });
}

export function useRemoveRuleFile() {
  const changed = useRulesChanged();
  return useMutation({ mutationFn: (name: string) => api.delete('/rule-files/{name}', { path: { name } }), onSuccess: changed });
}

/** KQL that a page shows by itself (the Logs page runs its queries by hand, see pages/logs). */
export function useKql(request: QueryRequest, options: { enabled?: boolean; refetchInterval?: number } = {}) {
  return useQuery({
    queryKey: keys.query(request),
    queryFn: ({ signal }) => api.post('/query', { body: request, signal }),
    staleTime: 30_000,
    ...options,
  });
}

export function useWorkspaceSchema() {
  return useQuery({ queryKey: keys.schema, queryFn: ({ signal }) => api.get('/schema', { signal }), staleTime: 10 * 60_000 });
}
