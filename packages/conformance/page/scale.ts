/** The smallest share that is told apart from none, and the largest that is told apart from more. */
const SMALLEST = 1e-3;
const LARGEST = 10;

/** What is marked on the scale, as shares of the bound. */
export const TICKS: readonly number[] = [0.01, 0.1, 1];

/** Room at both ends for a mark that lies on one, in percent. */
const MARGIN = 2;

/** Where a share of the bound lies from left to right, in percent: on a logarithmic scale, since errors differ by powers of ten. */
export function place(share: number): number {
  if (Number.isNaN(share)) return 100 - MARGIN;
  const clamped = Math.min(Math.max(share, SMALLEST), LARGEST);
  const way = Math.log(clamped / SMALLEST) / Math.log(LARGEST / SMALLEST);
  return Number((MARGIN + way * (100 - 2 * MARGIN)).toFixed(2));
}

/** Whether a share is further right than the scale goes. */
export function isOffScale(share: number): boolean {
  return !(share <= LARGEST);
}
