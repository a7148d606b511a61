/** What the items of a shown workbook share: its values and how to change them. */
import { createContext, useContext } from 'react';
import type { WorkbookNote } from '@/api/workbooks';
import type { Choices, Chosen } from '@/format/workbook/choices';
import type { Parameter } from '@/format/workbook/model';

export interface WorkbookState {
  name: string;
  parameters: readonly Parameter[];
  known: ReadonlySet<string>;
  choices: Choices;
  /** As choices, and an ellipsis where nothing is chosen yet: for texts. */
  spoken: Choices;
  notes: readonly WorkbookNote[];
  /** `byHand`: somebody chose it, so it belongs into the address. */
  choose(parameter: string, chosen: Chosen, byHand: boolean): void;
}

export const WorkbookContext = createContext<WorkbookState | undefined>(undefined);

export function useWorkbookState(): WorkbookState {
  const state = useContext(WorkbookContext);
  if (!state) throw new Error('an item of a workbook outside of one');
  return state;
}
