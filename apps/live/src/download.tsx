import { type Matrix, writeMatrix } from "@batchnorm/conformance/matrix";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A link to the file of a result. */
export function Download({ matrix }: { readonly matrix: Matrix }): JSX.Element {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([writeMatrix(matrix)], { type: "application/json" }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [matrix]);
  return (
    <p>
      <a href={address} download={`batchnorm-${matrix.runtimes[0].id}.json`}>
        Download the result
      </a>
    </p>
  );
}
