import "@batchnorm/conformance/page/style.css";
import { render } from "preact";
import "./live.css";
import { Live } from "./live.tsx";

const root = document.getElementById("page")!;
root.replaceChildren();
render(<Live />, root);
