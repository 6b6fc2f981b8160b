import { findChromium } from "../src/chromium.ts";

/** Why a test that needs Chromium is skipped, as a part of its name; null where there is one. */
export const noChromium: string | null = reason();

function reason(): string | null {
  try {
    findChromium();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The title of a group of tests, with the reason when it is skipped. */
export function withChromium(title: string): string {
  return noChromium === null ? title : `${title} (skipped: ${noChromium})`;
}
