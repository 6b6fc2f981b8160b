/** A number as people read it: three digits that count, a true minus, and no exponent where none is needed. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? exponent(value) : Number(value.toPrecision(3)).toString();
  return text.replace("-", "−");
}

/** A number with so many digits after the point. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A share as a percentage. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

function exponent(value: number): string {
  return value
    .toExponential(1)
    .replace(/\.0(?=e)/, "")
    .replace("e+", "e");
}
