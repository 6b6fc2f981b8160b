export { folderReader, readModelFile } from "./read-model-file.ts";
