/** Light and dark: the system's choice until the user makes one, which is remembered. */
import { createDarkTheme, createLightTheme, FluentProvider, type BrandVariants, type Theme } from '@fluentui/react-components';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

export type ThemeChoice = 'system' | 'light' | 'dark';

const kStorageKey = 'picket.theme';
const kDarkQuery = '(prefers-color-scheme: dark)';

const kBrand: BrandVariants = {
  10: '#011416',
  20: '#03262a',
  30: '#053a40',
  40: '#074b53',
  50: '#095b64',
  60: '#0a6a75',
  70: '#0c7682',
  80: '#0e818e',
  90: '#2b919d',
  100: '#48a1ac',
  110: '#63b0ba',
  120: '#7dbfc8',
  130: '#97ced5',
  140: '#b1dde2',
  150: '#cbebef',
  160: '#e5f7f9',
};

const kLight: Theme = { ...createLightTheme(kBrand), colorNeutralBackground2: '#f7f9fa', colorNeutralBackground3: '#f1f4f5' };
const kDark: Theme = {
  ...createDarkTheme(kBrand),
  colorBrandForeground1: kBrand[120],
  colorBrandForeground2: kBrand[130],
  colorBrandForegroundLink: kBrand[120],
  colorBrandForegroundLinkHover: kBrand[140],
  colorNeutralBackground1: '#1d2123',
  colorNeutralBackground2: '#181b1d',
  colorNeutralBackground3: '#141718',
  colorNeutralStroke2: '#34393c',
  colorNeutralStroke3: '#2a2f32',
};

interface ThemeValue {
  choice: ThemeChoice;
  dark: boolean;
  choose(choice: ThemeChoice): void;
}

const ThemeContext = createContext<ThemeValue>({ choice: 'system', dark: false, choose: () => undefined });

export function useTheme(): ThemeValue {
  return useContext(ThemeContext);
}

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(kStorageKey);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(storedChoice);
  const [systemDark, setSystemDark] = useState(() => matchMedia(kDarkQuery).matches);
  const dark = choice === 'system' ? systemDark : choice === 'dark';

  useEffect(() => {
    const query = matchMedia(kDarkQuery);
    const update = () => setSystemDark(query.matches);
    query.addEventListener('change', update);
    return () => query.removeEventListener('change', update);
  }, []);

  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  }, [dark]);

  const value = useMemo<ThemeValue>(
    () => ({
      choice,
      dark,
      choose: (next) => {
        if (next === 'system') localStorage.removeItem(kStorageKey);
        else localStorage.setItem(kStorageKey, next);
        setChoice(next);
      },
    }),
    [choice, dark],
  );

  return (
    <ThemeContext.Provider value={value}>
      <FluentProvider theme={dark ? kDark : kLight} style={{ height: '100%', background: 'transparent' }}>
        {children}
      </FluentProvider>
    </ThemeContext.Provider>
  );
}
