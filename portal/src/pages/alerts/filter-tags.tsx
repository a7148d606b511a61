/** Filters that came with a link, each as a tag that can be taken away. */
import { InteractionTag, InteractionTagPrimary, InteractionTagSecondary } from '@fluentui/react-components';
import { localTime } from '@/format/time';

const kNames: Record<string, string> = {
  type: 'Type',
  device: 'Device',
  owner: 'Owner',
  suppressedBy: 'Suppressed by',
  incident: 'Incident',
  since: 'Since',
  until: 'Before',
};

interface FilterTagsProps {
  names: readonly string[];
  get(name: string): string;
  set(name: string, value: string): void;
}

export function FilterTags({ names, get, set }: FilterTagsProps) {
  return names
    .filter((name) => get(name) !== '')
    .map((name) => {
      const text = `${kNames[name] ?? name}: ${['since', 'until'].includes(name) ? localTime(get(name)) : get(name)}`;
      return (
        <InteractionTag key={name} size="small">
          <InteractionTagPrimary hasSecondaryAction onClick={() => set(name, '')}>
            {text}
          </InteractionTagPrimary>
          <InteractionTagSecondary aria-label={`Take away: ${text}`} onClick={() => set(name, '')} />
        </InteractionTag>
      );
    });
}
