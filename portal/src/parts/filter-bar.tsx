/** The row of filters above a list: a search box, choices, the way back to all, and how many there are. */
import { Button, makeStyles, SearchBox } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { Muted } from './page';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  search: { width: '280px', maxWidth: '100%' },
});

interface FilterBarProps {
  label: string;
  search?: { label: string; placeholder: string; value: string; onChange(value: string): void };
  /** Given when a filter is set. */
  onClear?: () => void;
  /** Such as `12 incidents`. */
  total?: string;
  children?: ReactNode;
}

export function FilterBar({ label, search, onClear, total, children }: FilterBarProps) {
  const styles = useStyles();
  return (
    <div className={styles.bar} role="search" aria-label={label}>
      {search && (
        <SearchBox
          className={styles.search}
          aria-label={search.label}
          placeholder={search.placeholder}
          value={search.value}
          onChange={(_, data) => search.onChange(data.value)}
        />
      )}
      {children}
      {onClear && (
        <Button appearance="subtle" onClick={onClear}>
          Clear filters
        </Button>
      )}
      {total !== undefined && (
        <span role="status">
          <Muted>{total}</Muted>
        </span>
      )}
    </div>
  );
}
