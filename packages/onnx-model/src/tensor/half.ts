/** The largest finite float16. */
export const LARGEST_FLOAT16 = 65504;

/** The smallest positive normal float16: below it every halving costs a binary digit. */
export const SMALLEST_NORMAL_FLOAT16: number = 2 ** -14;
