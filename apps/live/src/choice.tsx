import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { BACKENDS, type BackendName, type LiveBackend } from "./backends.ts";
import type { Browser } from "./browser.ts";

export interface Chosen {
  readonly backends: readonly BackendName[];
  readonly quick: boolean;
}

export interface ChoiceProps {
  /** Null until it is known. */
  readonly browser: Browser | null;
  readonly running: boolean;
  readonly onRun: (chosen: Chosen) => void;
  readonly onCancel: () => void;
}

/** Which backends to run, and of how much of the suite. */
export function Choice({ browser, running, onRun, onCancel }: ChoiceProps): JSX.Element {
  const [names, setNames] = useState<ReadonlySet<string>>(new Set(["cpu"]));
  const [quick, setQuick] = useState(true);
  const lack = ({ needs }: LiveBackend): string | null => (needs === null ? null : (browser?.lacks.get(needs) ?? null));
  const backends = BACKENDS.filter((each) => names.has(each.name) && lack(each) === null).map(({ name }) => name);
  const choose = (name: string, chosen: boolean): void => {
    // Two boxes may be ticked before the page is drawn again.
    setNames((before) => new Set(chosen ? [...before, name] : [...before].filter((each) => each !== name)));
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onRun({ backends, quick });
  };
  return (
    <form onSubmit={submit}>
      <fieldset disabled={running || browser === null}>
        <legend>Backends</legend>
        {BACKENDS.map((each) => (
          <label key={each.name} class="backend">
            <input
              type="checkbox"
              checked={names.has(each.name) && lack(each) === null}
              disabled={lack(each) !== null}
              onChange={(event) => choose(each.name, event.currentTarget.checked)}
            />
            <span>
              {each.name}
              <small>{lack(each) ?? each.about}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset disabled={running || browser === null}>
        <legend>Checks</legend>
        <label class="backend">
          <input type="checkbox" checked={quick} onChange={(event) => setQuick(event.currentTarget.checked)} />
          <span>
            Quick
            <small>without the slow checks; a verdict on the whole needs them</small>
          </span>
        </label>
      </fieldset>
      <p>
        <button type="submit" class="main" disabled={running || browser === null || backends.length === 0}>
          Run
        </button>{" "}
        <button type="button" disabled={!running} onClick={onCancel}>
          Cancel
        </button>
      </p>
    </form>
  );
}
