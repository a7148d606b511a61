/** Points on a plain grid of degrees: no tiles are fetched from anywhere. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { useMemo } from 'react';
import type { QueryResult } from '@/api/types';
import { cellText } from '@/format/table';
import { pointsOfMap } from '@/format/workbook/map-points';
import type { QueryItem } from '@/format/workbook/model';
import { EmptyState } from '@/parts/states';

const useStyles = makeStyles({
  map: { width: '100%', display: 'block', background: tokens.colorNeutralBackground2, borderRadius: tokens.borderRadiusMedium },
  line: { stroke: tokens.colorNeutralStroke2, strokeWidth: 0.4 },
  axis: { stroke: tokens.colorNeutralStroke1, strokeWidth: 0.8 },
  label: { fill: tokens.colorNeutralForeground3, fontSize: '7px' },
  point: { fill: tokens.colorBrandBackground, fillOpacity: 0.65, stroke: tokens.colorNeutralBackground1, strokeWidth: 0.6 },
});

interface PointMapProps {
  item: QueryItem;
  data: Pick<QueryResult, 'columns' | 'rows'>;
  height: number;
  title: string;
}

export function PointMap({ item, data, height, title }: PointMapProps) {
  const styles = useStyles();
  const found = useMemo(() => pointsOfMap(data, item.map), [data, item]);
  if (!found) {
    return (
      <EmptyState title="No places">A map needs columns of latitude and longitude; names of places are not looked up.</EmptyState>
    );
  }
  const meridians = Array.from({ length: 13 }, (_, index) => -180 + index * 30);
  const parallels = Array.from({ length: 7 }, (_, index) => -90 + index * 30);
  return (
    <svg
      className={styles.map}
      viewBox="-180 -90 360 180"
      style={{ maxHeight: height }}
      role="img"
      aria-label={`${title || 'Map'}: ${found.points.length} places`}
    >
      {meridians.map((degree) => (
        <g key={degree}>
          <line className={degree === 0 ? styles.axis : styles.line} x1={degree} x2={degree} y1={-90} y2={90} />
          <text className={styles.label} x={degree + 1} y={88}>
            {Math.abs(degree)}°{degree < 0 ? 'W' : degree > 0 ? 'E' : ''}
          </text>
        </g>
      ))}
      {parallels.map((degree) => (
        <g key={degree}>
          <line className={degree === 0 ? styles.axis : styles.line} x1={-180} x2={180} y1={-degree} y2={-degree} />
          <text className={styles.label} x={-179} y={-degree - 1}>
            {Math.abs(degree)}°{degree < 0 ? 'S' : degree > 0 ? 'N' : ''}
          </text>
        </g>
      ))}
      {found.points.map(({ latitude, longitude, share, label, value }, index) => (
        <circle key={index} className={styles.point} cx={longitude} cy={-latitude} r={2 + share * 7}>
          <title>{`${label}${value === undefined ? '' : `: ${cellText(value)}`}`}</title>
        </circle>
      ))}
    </svg>
  );
}
