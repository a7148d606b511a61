/** See kusto.worker.ts. */
Object.assign(globalThis, { global: globalThis });

export {};
