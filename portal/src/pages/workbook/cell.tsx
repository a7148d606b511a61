/** One cell as its formatter says: text, bar, heat, threshold, icon, link, sparkline. */
import { Link as FluentLink, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import {
  CheckmarkCircle16Filled,
  Circle16Filled,
  ErrorCircle16Filled,
  Info16Filled,
  Warning16Filled,
} from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import type { Column } from '@/api/types';
import { linkOf, paletteOf, pointsOf, shownText, thresholdOf, type Tone } from '@/format/workbook/cells';
import { text, type Formatter } from '@/format/workbook/model';
import { cellText } from '@/format/table';

export const kToneColor: Record<Tone, string> = {
  red: tokens.colorPaletteRedForeground1,
  orange: tokens.colorPaletteDarkOrangeForeground1,
  yellow: tokens.colorPaletteYellowForeground2,
  green: tokens.colorPaletteGreenForeground1,
  blue: tokens.colorPaletteBlueForeground2,
  purple: tokens.colorPalettePurpleForeground2,
  grey: tokens.colorNeutralForeground3,
};
const kToneFill: Record<Tone, string> = {
  red: tokens.colorPaletteRedBackground3,
  orange: tokens.colorPaletteDarkOrangeBackground3,
  yellow: tokens.colorPaletteYellowBackground3,
  green: tokens.colorPaletteGreenBackground3,
  blue: tokens.colorPaletteBlueBorderActive,
  purple: tokens.colorPalettePurpleBorderActive,
  grey: tokens.colorNeutralStroke1,
};

const useStyles = makeStyles({
  cut: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  bar: { display: 'flex', alignItems: 'center', gap: '8px', justifyContent: 'flex-end' },
  track: {
    height: '8px',
    width: '90px',
    flexShrink: 0,
    borderRadius: tokens.borderRadiusSmall,
    background: tokens.colorNeutralBackground4,
    overflow: 'hidden',
  },
  fill: { height: '100%' },
  mark: { display: 'inline-flex', alignItems: 'center', gap: '6px', maxWidth: '100%' },
  dot: { display: 'inline-block', width: '10px', height: '10px', borderRadius: '50%', flexShrink: 0 },
  spark: { display: 'block' },
  button: { fontSize: 'inherit', maxWidth: '100%' },
});

interface CellProps {
  column: Column | undefined;
  columns: readonly Column[];
  row: readonly unknown[];
  index: number;
  formatter: Formatter | undefined;
  /** Of bars and heat: where the value lies, 0 to 1. */
  share?: number;
  onDetails?: () => void;
}

export function Cell({ column, columns, row, index, formatter, share, onDetails }: CellProps) {
  const styles = useStyles();
  const value = row[index];
  const shown = shownText(column, value, formatter);
  const plain = (
    <div className={styles.cut} title={cellText(value)}>
      {shown}
    </div>
  );
  if (!formatter) return plain;
  switch (formatter.kind) {
    case 3:
    case 4:
      return (
        <div className={styles.bar}>
          <span>{shown}</span>
          <span className={styles.track} aria-hidden>
            <span
              className={styles.fill}
              style={{
                display: 'block',
                width: `${(share ?? 0) * 100}%`,
                background: kToneFill[paletteOf(text(formatter.options.palette))[1]],
              }}
            />
          </span>
        </div>
      );
    case 8: {
      const [low, high] = paletteOf(text(formatter.options.palette));
      const tone = (share ?? 0) < 0.5 && low !== high ? low : high;
      const strength = share === undefined ? 0 : low === high ? share : Math.abs(share - 0.5) * 2;
      return (
        <span className={styles.mark}>
          <span className={styles.dot} style={{ background: kToneFill[tone], opacity: 0.25 + 0.75 * strength }} aria-hidden />
          {shown}
        </span>
      );
    }
    case 11:
    case 18: {
      const threshold = thresholdOf(formatter, value, shown);
      if (!threshold) return plain;
      return (
        <span className={mergeClasses(styles.mark, styles.cut)} title={cellText(value)}>
          {threshold.icon ? (
            <Icon tone={threshold.tone} />
          ) : formatter.options.thresholdsOptions === 'icons' ? null : (
            <span className={styles.dot} style={{ background: kToneFill[threshold.tone] }} aria-hidden />
          )}
          <span className={styles.cut}>{threshold.text}</span>
        </span>
      );
    }
    case 9:
    case 10:
    case 21:
      return <Sparkline points={pointsOf(value)} />;
    case 7:
      return <LinkCell {...{ columns, row, index, formatter, onDetails }} shown={shown} />;
    default:
      return plain;
  }
}

function Icon({ tone }: { tone: Tone }) {
  const icons: Record<Tone, ReactNode> = {
    red: <ErrorCircle16Filled />,
    orange: <Warning16Filled />,
    yellow: <Warning16Filled />,
    green: <CheckmarkCircle16Filled />,
    blue: <Info16Filled />,
    purple: <Circle16Filled />,
    grey: <Circle16Filled />,
  };
  return (
    <span style={{ color: kToneColor[tone], display: 'inline-flex', flexShrink: 0 }} aria-hidden>
      {icons[tone]}
    </span>
  );
}

interface LinkCellProps {
  columns: readonly Column[];
  row: readonly unknown[];
  index: number;
  formatter: Formatter;
  shown: string;
  onDetails?: () => void;
}

function LinkCell({ columns, row, index, formatter, shown, onDetails }: LinkCellProps) {
  const styles = useStyles();
  const target = text(formatter.options.linkTarget);
  const label = text(formatter.options.linkLabel) || shown;
  if (label === '') return null;
  if (target === 'CellDetails' || target === 'GenericDetails') {
    return (
      <FluentLink
        as="button"
        className={mergeClasses(styles.cut, styles.button)}
        title={cellText(row[index])}
        onClick={onDetails}
      >
        {label}
      </FluentLink>
    );
  }
  const href = linkOf(formatter, columns, row, index);
  if (!href) return <div className={styles.cut}>{shown}</div>;
  if (href.startsWith('/')) return <RouterLink to={href}>{label}</RouterLink>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {label}
    </a>
  );
}

function Sparkline({ points }: { points: readonly number[] }) {
  const styles = useStyles();
  if (points.length === 0) return null;
  const low = Math.min(...points);
  const span = Math.max(...points) - low || 1;
  const step = 96 / Math.max(points.length - 1, 1);
  const path = points
    .map((point, index) => `${(2 + index * step).toFixed(1)},${(18 - ((point - low) / span) * 14).toFixed(1)}`)
    .join(' ');
  return (
    <svg
      className={styles.spark}
      width="100"
      height="20"
      role="img"
      aria-label={`${points.length} values from ${low} to ${low + span}`}
    >
      <polyline points={path} fill="none" stroke={tokens.colorBrandStroke1} strokeWidth="1.5" />
    </svg>
  );
}
