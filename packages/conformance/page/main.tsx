import { render } from "preact";
import { readMatrix } from "../src/matrix/index.ts";
import { Page } from "./page.tsx";
import "./style.css";

// The command `page` puts a list of one result or two here, the earlier one first. They are read as a file is, and checked.
const results = JSON.parse(document.getElementById("results")!.textContent) as unknown[];
const root = document.getElementById("page")!;
root.replaceChildren();
render(<Page initial={results.map((each) => readMatrix(JSON.stringify(each)))} />, root);
