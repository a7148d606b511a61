/**
 * The KQL language service in a worker. Its runtime is a CommonJS file for the bundler and looks for Node's `global` then,
 * so that name has to exist before it loads; imports run in order.
 */
import './worker-global';
import '@kusto/monaco-kusto/release/esm/kusto.worker';
