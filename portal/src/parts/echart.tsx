/** A chart of ECharts, drawn as SVG and of its box's size. Whoever makes its options says with `use` what they need. */
import { makeStyles } from '@fluentui/react-components';
import { init, use, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { short } from '@/format/number';

use([SVGRenderer]);

export type Options = Parameters<EChartsType['setOption']>[0];

const kSurface = {
  light: { text: '#424242', line: '#e6e9ea', tip: '#ffffff' },
  dark: { text: '#d6d6d6', line: '#33393c', tip: '#292d30' },
};
export type Surface = (typeof kSurface)['light'];

export const surfaceOf = (dark: boolean): Surface => (dark ? kSurface.dark : kSurface.light);

/** Names come from devices: they are text in the tooltip's HTML. */
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

export function tooltipStyle(surface: Surface) {
  return { backgroundColor: surface.tip, borderColor: surface.line, textStyle: { color: surface.text, fontSize: 12 } };
}

export function numberAxis(surface: Surface) {
  return {
    type: 'value',
    splitNumber: 3,
    splitLine: { lineStyle: { color: surface.line } },
    axisLabel: { color: surface.text, fontSize: 11, formatter: (value: number) => short(value) },
  };
}

const useStyles = makeStyles({ box: { width: '100%', height: '100%' } });

/** `label`: what the chart says, for those who cannot see it. */
export function EChart({ options, label }: { options: Options; label: string }) {
  const styles = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);

  useEffect(() => {
    if (!box.current) return;
    const made = init(box.current, null, { renderer: 'svg' });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(options, { notMerge: true });
  }, [options]);

  return <div ref={box} className={styles.box} role="img" aria-label={label} />;
}
