import type { Vectors } from "@batchnorm/conformance";
import type { Matrix } from "@batchnorm/conformance/matrix";
import { Matrices } from "@batchnorm/conformance/page";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BACKENDS } from "./backends.ts";
import { type Browser, thisBrowser } from "./browser.ts";
import { Choice, type Chosen } from "./choice.tsx";
import { Download } from "./download.tsx";
import { Progress } from "./progress.tsx";
import { type LiveProgress, runLive } from "./run.ts";
import { siteVectors } from "./vectors.ts";

/** The suite in this browser: what to run, how far it has come, and the result. */
export function Live(): JSX.Element {
  const [browser, setBrowser] = useState<Browser | null>(null);
  const [progress, setProgress] = useState<readonly LiveProgress[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [matrices, setMatrices] = useState<readonly Matrix[]>([]);
  const [result, setResult] = useState<Matrix | null>(null);
  const [controller, setController] = useState<AbortController | null>(null);
  const vectors = useRef<Promise<Vectors> | null>(null);
  useEffect(() => void thisBrowser().then(setBrowser, (error: Error) => setProblem(error.message)), []);

  const run = async ({ backends, quick }: Chosen): Promise<void> => {
    const cancelling = new AbortController();
    setController(cancelling);
    setProblem(null);
    setProgress([]);
    try {
      vectors.current ??= siteVectors();
      const matrix = await runLive({
        backends,
        quick,
        vectors: await vectors.current,
        runtime: browser!.runtime,
        lacking: lackingBackends(browser!),
        cancelled: cancelling.signal,
        onProgress: (news) => setProgress((all) => [...all.filter(({ backend }) => backend !== news.backend), news]),
      });
      setResult(matrix);
      setMatrices([matrix]);
    } catch (error) {
      // The next try fetches them again.
      vectors.current = null;
      setProblem((error as Error).message);
    } finally {
      setController(null);
    }
  };

  return (
    <>
      <p class="name">Conformance of batch normalization</p>
      <h1>Is it right in this browser?</h1>
      <p>
        The suite runs in this page, on your machine and your GPU: golden vectors made by the real Keras, rules of the contract and random
        layers. Nothing is sent anywhere.
      </p>
      <Choice browser={browser} running={controller !== null} onRun={run} onCancel={() => controller?.abort()} />
      {problem !== null && <p role="alert">{problem}</p>}
      <Progress all={progress} />
      {result !== null && controller === null && <Download matrix={result} />}
      <Matrices matrices={matrices} onOpen={setMatrices} level={2} />
    </>
  );
}

/** The backends that this browser cannot run, and why. */
function lackingBackends({ lacks }: Browser): Map<string, string> {
  return new Map(BACKENDS.flatMap(({ name, needs }) => (needs !== null && lacks.has(needs) ? [[name, lacks.get(needs)!]] : [])));
}
