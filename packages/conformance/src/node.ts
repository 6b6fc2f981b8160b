// What needs Node, and so is not in index.ts, which runs in browsers, too: files, processes, and the terminal.
export { type CommandOptions, selectionOf, suiteCommand } from "./command/options.ts";
export { type ProcessFiles, startProcess } from "./command/process.ts";
export { ProgressLine } from "./command/progress.ts";
export { readDeviations } from "./command/read-deviations.ts";
export { runCommand } from "./command/run-command.ts";
export { writeReport } from "./command/write-report.ts";
export type { ExecCommand } from "./exec/adapter-process.ts";
export { type ExecOptions, execBackend, PROTOCOL_VERSION } from "./exec/exec-backend.ts";
export { page } from "./reporters/page.ts";
export { pretty } from "./reporters/pretty.ts";
export { readVectors, VECTORS_DIRECTORY } from "./vectors/read.ts";
