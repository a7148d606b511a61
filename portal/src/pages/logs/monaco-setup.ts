/** Monaco with the KQL language service. Heavy: only monaco-editor.tsx may import this. */
// First: loading the KQL contribution starts Monaco's services, and what is registered later than that is unknown to them.
import 'monaco-editor/esm/vs/editor/edcore.main';
import { getKustoWorker, kustoDefaults, themeNames, type EngineSchema } from '@kusto/monaco-kusto';
import * as monaco from 'monaco-editor/esm/vs/editor/editor.api';
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker?worker';
import KustoWorker from './kusto.worker?worker';
import type { WorkspaceSchema } from '@/api/types';

self.MonacoEnvironment = { getWorker: (_, label) => (label === 'kusto' ? new KustoWorker() : new EditorWorker()) };

kustoDefaults.setLanguageSettings({
  ...kustoDefaults.languageSettings,
  includeControlCommands: false,
  newlineAfterPipe: true,
  enableHover: true,
  // Picket's server has the last word on what is an error; the language service only colours and completes.
  enableQueryWarnings: false,
  enableQuerySuggestions: false,
  disabledDiagnosticCodes: [],
});

/** monaco-kusto's own names for its themes: light, dark. */
export const kThemes = { light: themeNames.light, dark: themeNames.dark2 };

const kClusterUri = 'https://picket.local';
const kDatabase = 'Picket';

/** The answer of GET /schema in the form that the KQL language service takes. */
export function toEngineSchema(schema: WorkspaceSchema): EngineSchema {
  const database = {
    name: kDatabase,
    tables: schema.tables.map((table) => ({
      name: table.name,
      entityType: 'Table' as const,
      docstring: table.description,
      columns: table.columns.map(({ name, type, description }) => ({ name, type, docstring: description })),
    })),
    functions: [],
    entityGroups: [],
    majorVersion: 0,
    minorVersion: 0,
  };
  return { clusterType: 'Engine', cluster: { connectionString: kClusterUri, databases: [database] }, database };
}

export async function setSchema(model: monaco.editor.ITextModel, schema: WorkspaceSchema): Promise<void> {
  const accessor = await getKustoWorker();
  const worker = await accessor(model.uri);
  await worker.setSchema(toEngineSchema(schema));
}

export { monaco };
