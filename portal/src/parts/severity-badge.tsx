/** A severity as icon, word and colour; never as colour alone. */
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { ErrorCircle16Filled, Info16Regular, Warning16Filled, ArrowCircleDown16Regular } from '@fluentui/react-icons';
import type { ComponentType } from 'react';
import type { Severity } from '@/api/types';

export const kSeverityIcons: Record<Severity, ComponentType<{ 'aria-label'?: string }>> = {
  High: ErrorCircle16Filled,
  Medium: Warning16Filled,
  Low: ArrowCircleDown16Regular,
  Informational: Info16Regular,
};

const useStyles = makeStyles({
  badge: { display: 'inline-flex', alignItems: 'center', gap: '6px', whiteSpace: 'nowrap' },
  icon: { display: 'inline-flex' },
});

export const useSeverityColors = makeStyles({
  High: { color: tokens.colorPaletteRedForeground1 },
  Medium: { color: tokens.colorPaletteDarkOrangeForeground1 },
  Low: { color: tokens.colorPaletteBlueForeground2 },
  Informational: { color: tokens.colorNeutralForeground3 },
});

export function SeverityBadge({ severity, iconOnly = false }: { severity: Severity; iconOnly?: boolean }) {
  const styles = useStyles();
  const colors = useSeverityColors();
  const Icon = kSeverityIcons[severity];
  return (
    <span className={styles.badge}>
      <span className={mergeClasses(styles.icon, colors[severity])}>{iconOnly ? <Icon aria-label={severity} /> : <Icon />}</span>
      {!iconOnly && severity}
    </span>
  );
}
