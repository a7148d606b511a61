/** Filters that live in the address, so that a filtered list can be linked to and the back button works. */
import { useCallback } from 'react';
import { useSearchParams } from 'react-router-dom';

interface Filters {
  get(name: string): string;
  set(name: string, value: string): void;
  clear(): void;
  /** True when anything but the order is set. */
  any: boolean;
}

export function useFilters(names: readonly string[]): Filters {
  const [params, setParams] = useSearchParams();
  const get = useCallback((name: string) => params.get(name) ?? '', [params]);
  const set = useCallback(
    (name: string, value: string) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  const clear = useCallback(
    () =>
      setParams((old) => new URLSearchParams([...old].filter(([name]) => name === 'sort' || !names.includes(name))), {
        replace: true,
      }),
    [names, setParams],
  );
  return { get, set, clear, any: names.some((name) => name !== 'sort' && get(name) !== '') };
}
