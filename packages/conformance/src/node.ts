export {
  type CommandOptions,
  checkClause,
  clearProgress,
  runCommand,
  showProgress,
  suiteCommand,
  UsageError,
  writeReport,
} from "./command.ts";
export { loadConfig, openBackends } from "./load-config.ts";
// Not in index.ts, which runs in browsers, too: the junit-xml package needs Node's streams, pretty its util.
export { junit } from "./reporters/junit.ts";
export { pretty } from "./reporters/pretty.ts";
export { readVectors, VECTORS_DIRECTORY } from "./vectors/read.ts";
