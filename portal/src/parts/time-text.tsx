/** A time: local text, UTC in the tooltip. `relative` says how long ago, with both in the tooltip. */
import { useEffect, useState } from 'react';
import { localTime, relativeTime, utcTime } from '@/format/time';

const kTickMs = 10_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all relative times of the page. */
function useNow(enabled: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!enabled) return;
    const tick = () => setNow(Date.now());
    listeners.add(tick);
    timer ??= setInterval(() => listeners.forEach((listener) => listener()), kTickMs);
    return () => {
      listeners.delete(tick);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, [enabled]);
  return now;
}

export function TimeText({ value, relative = false }: { value: string | undefined; relative?: boolean }) {
  const now = useNow(relative);
  if (!value) return <span>–</span>;
  const local = localTime(value);
  return (
    <time dateTime={value} title={relative ? `${local}\n${utcTime(value)}` : utcTime(value)}>
      {relative ? relativeTime(value, Math.max(now, Date.now())) : local}
    </time>
  );
}
