import { isObject, type JsonObject } from "../container/json.ts";
import { invalidFile } from "../errors.ts";
import type { Framework } from "../layer.ts";

/** A layer or model in a model's config. */
export interface ConfigEntry {
  /** The group of its variables in the file, as the framework names it from class names; empty for the model itself. */
  readonly path: string;
  readonly name: string;
  readonly className: string;
  /** True for a class of Keras itself. */
  readonly builtIn: boolean;
  /** `{ class_name, config, ... }` as it stands in the file. */
  readonly json: JsonObject;
  /** The names of the models and layers around it, the outermost first. */
  readonly ancestors: readonly string[];
}

/** Models within models. */
const MAX_DEPTH = 200;

const NORM_CLASSES = ["BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"];

export function isNorm(entry: ConfigEntry): boolean {
  return NORM_CLASSES.includes(entry.className);
}

/**
 * All layers of a model's config, nested ones included, with the groups in which Keras's `save_model` puts their variables: a layer in a
 * list is found under its class's name and a counter, one in an attribute (TimeDistributed's `layer`) under the attribute's name.
 *
 * A layer that several models share is where the first of them has it. In the lists of the others, tf-keras does not count it, and Keras does.
 *
 * Source: Keras 3.15 and tf-keras 2.21, `saving_lib._save_state` and `_save_container_state`.
 *
 * @throws BatchNormError `invalid-file` when models are nested too deeply.
 */
export function configEntries(model: JsonObject, framework: Framework | null): ConfigEntry[] {
  const walk: Walk = { entries: [], shared: new Set(), countsShared: framework !== "tf-keras" };
  visit(model, "", [], walk);
  return walk.entries;
}

interface Walk {
  readonly entries: ConfigEntry[];
  /** The ids of layers that have been visited and may come again. */
  readonly shared: Set<unknown>;
  readonly countsShared: boolean;
}

function visit(json: JsonObject, path: string, ancestors: readonly string[], walk: Walk): void {
  if (ancestors.length > MAX_DEPTH) {
    throw invalidFile("The layers in the config are nested too deeply", ancestors.length, `${MAX_DEPTH} at most`);
  }
  const { config, module, shared_object_id: id } = json;
  if (walk.shared.has(id)) return;
  if (id !== undefined) walk.shared.add(id);
  const name = nameOf(json) ?? path.slice(path.lastIndexOf("/") + 1);
  const builtIn = typeof module === "string" && /^(tf_)?keras\./.test(module);
  walk.entries.push({ path, name, className: String(json.class_name), builtIn, json, ancestors });
  const inside = [...ancestors, name];
  // Keras 1 wrote the layers of a Sequential model as the config itself.
  if (Array.isArray(config)) visitList(config, join(path, "layers"), inside, walk);
  if (!isObject(config)) return;
  for (const [key, value] of Object.entries(config)) {
    if (Array.isArray(value)) visitList(value, join(path, key), inside, walk);
    else if (isLayer(value)) visit(value, join(path, key), inside, walk);
  }
}

function visitList(list: readonly unknown[], path: string, ancestors: readonly string[], walk: Walk): void {
  const used = new Map<string, number>();
  for (const item of list) {
    if (!isLayer(item) || (!walk.countsShared && walk.shared.has(item.shared_object_id))) continue;
    const base = toSnakeCase(String(item.class_name));
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    visit(item, join(path, count === 0 ? base : `${base}_${count}`), ancestors, walk);
  }
}

function isLayer(value: unknown): value is JsonObject {
  return isObject(value) && typeof value.class_name === "string" && "config" in value;
}

function nameOf(json: JsonObject): string | null {
  const inConfig = isObject(json.config) ? json.config.name : undefined;
  const name = inConfig ?? json.name;
  return typeof name === "string" ? name : null;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

/** As both Kerases do for class names such as BatchNormalization, TimeDistributed and Conv2D. */
function toSnakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
