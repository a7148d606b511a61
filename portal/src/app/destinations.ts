/** Where the navigation leads: groups of pages, in the order of the work. A new page is one line here and a Route in app.tsx. */
import {
  AlertUrgent20Filled,
  AlertUrgent20Regular,
  Board20Filled,
  Board20Regular,
  CalendarClock20Filled,
  CalendarClock20Regular,
  Box20Filled,
  Box20Regular,
  Bug20Filled,
  Bug20Regular,
  DeveloperBoard20Filled,
  DeveloperBoard20Regular,
  DocumentSearch20Filled,
  DocumentSearch20Regular,
  Fire20Filled,
  Fire20Regular,
  Gauge20Filled,
  Gauge20Regular,
  GlobeShield20Filled,
  GlobeShield20Regular,
  GroupList20Filled,
  GroupList20Regular,
  Lightbulb20Filled,
  Lightbulb20Regular,
  Notebook20Filled,
  Notebook20Regular,
  Server20Filled,
  Server20Regular,
  ShieldTask20Filled,
  ShieldTask20Regular,
} from '@fluentui/react-icons';
import type { ComponentType } from 'react';

export interface Destination {
  path: string;
  label: string;
  icon: ComponentType;
  activeIcon: ComponentType;
  /** Other paths that belong to it. */
  also?: readonly string[];
}

interface DestinationGroup {
  /** Not shown for the first group. */
  title: string;
  items: readonly Destination[];
}

export const kDestinations: readonly DestinationGroup[] = [
  { title: 'Start', items: [{ path: '/', label: 'Overview', icon: Board20Regular, activeIcon: Board20Filled }] },
  {
    title: 'Threats',
    items: [
      {
        path: '/alerts',
        label: 'Alerts',
        icon: AlertUrgent20Regular,
        activeIcon: AlertUrgent20Filled,
        also: ['/alert-groups', '/suppressions'],
      },
      { path: '/incidents', label: 'Incidents', icon: Fire20Regular, activeIcon: Fire20Filled },
      { path: '/rules', label: 'Rules', icon: ShieldTask20Regular, activeIcon: ShieldTask20Filled },
      { path: '/intelligence', label: 'Intelligence', icon: GlobeShield20Regular, activeIcon: GlobeShield20Filled },
    ],
  },
  {
    title: 'Devices',
    items: [
      { path: '/devices', label: 'Devices', icon: DeveloperBoard20Regular, activeIcon: DeveloperBoard20Filled },
      { path: '/security-groups', label: 'Security groups', icon: GroupList20Regular, activeIcon: GroupList20Filled },
      { path: '/hub', label: 'Hub', icon: Server20Regular, activeIcon: Server20Filled },
    ],
  },
  {
    title: 'Hardening',
    items: [
      { path: '/posture', label: 'Posture', icon: Gauge20Regular, activeIcon: Gauge20Filled },
      { path: '/recommendations', label: 'Recommendations', icon: Lightbulb20Regular, activeIcon: Lightbulb20Filled },
      { path: '/vulnerabilities', label: 'Vulnerabilities', icon: Bug20Regular, activeIcon: Bug20Filled },
      { path: '/software', label: 'Software', icon: Box20Regular, activeIcon: Box20Filled },
    ],
  },
  {
    title: 'Investigation',
    items: [
      {
        path: '/logs',
        label: 'Logs',
        icon: DocumentSearch20Regular,
        activeIcon: DocumentSearch20Filled,
        also: ['/saved-queries', '/running-queries', '/tables'],
      },
      { path: '/workbooks', label: 'Workbooks', icon: Notebook20Regular, activeIcon: Notebook20Filled },
      { path: '/analytics-rules', label: 'Analytics rules', icon: CalendarClock20Regular, activeIcon: CalendarClock20Filled },
    ],
  },
];

/** True when the page at `pathname` belongs to this destination. */
export function leadsTo({ path, also = [] }: Pick<Destination, 'path' | 'also'>, pathname: string): boolean {
  if (path === '/') return pathname === '/';
  return [path, ...also].some((one) => pathname === one || pathname.startsWith(`${one}/`));
}
