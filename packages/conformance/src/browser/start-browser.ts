import { decode, encode, type Message } from "../isolated/messages.ts";
import type { Ending, StartPlace } from "../isolated/place.ts";
import type { BrowserName } from "./find-browser.ts";
import { launch } from "./launch.ts";
import type { Site } from "./site.ts";

export interface BrowserPlaces {
  readonly name: BrowserName;
  readonly program: string;
  readonly site: Site;
  readonly headed: boolean;
  /** Gets what the backend prints to the console. */
  readonly print: (text: string) => void;
}

/**
 * Starts a page of its own for one backend, in a browser of its own: a graphics process that was lost in one run would be lost in the
 * next, too.
 */
export function startBrowser({ name, program, site, headed, print }: BrowserPlaces): StartPlace {
  return (order, tell) => {
    let leave: (ending: Ending) => void = () => {};
    const left = new Promise<Ending>((resolve) => {
      leave = resolve;
    });
    const url = site.open({
      order: encode(order),
      tell: (text) => tell(decode<Message>(text)),
      print,
      left: () => leave({ what: "the page crashed, or was left" }),
    });
    const launched = launch(name, program, url, headed);
    launched.then(({ ended }) => ended.then(leave)).catch((error: Error) => leave({ what: error.message }));
    return { ended: left, stop: () => launched.then(({ close }) => close()) };
  };
}
