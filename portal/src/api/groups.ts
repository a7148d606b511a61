/** Device security groups with their custom alerts. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { SecurityGroup } from './types';

const kGroups = ['security-groups'] as const;

export function useSecurityGroups() {
  return useQuery({
    queryKey: kGroups,
    queryFn: async ({ signal }) =>
      ((await api.get('/security-groups', { signal })) as unknown as { value: SecurityGroup[] }).value,
  });
}

/** A group that nobody has set has all rules, switched off: what a form begins with. */
export function useSecurityGroup(name: string) {
  return useQuery({
    queryKey: [...kGroups, name],
    queryFn: async ({ signal }) =>
      (await api.get('/security-groups/{name}', { path: { name }, signal })) as unknown as SecurityGroup,
  });
}

function useGroupsChanged(): () => Promise<void> {
  const client = useQueryClient();
  // The promise keeps a change pending until the groups are here as it left them.
  return () => client.invalidateQueries({ queryKey: kGroups });
}

export function usePutSecurityGroup(name: string) {
  const changed = useGroupsChanged();
  return useMutation({
    mutationFn: (properties: object) =>
      api.put('/security-groups/{name}', { path: { name }, raw: JSON.stringify({ properties }) }),
    onSuccess: changed,
  });
}

export function useRemoveSecurityGroup() {
  const changed = useGroupsChanged();
  return useMutation({
    mutationFn: (name: string) => api.delete('/security-groups/{name}', { path: { name } }),
    onSuccess: changed,
  });
}
