/** The version of this package, which its reports carry. */
export const VERSION = "0.1.0";
