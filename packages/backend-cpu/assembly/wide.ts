/** Two float32 at `address` as float64, exactly. */
export function wide(address: usize, offset: usize = 0): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address + offset));
}

/** Two of the four lanes of a mask, a byte of 0 or 1 each, as two 64-bit lanes of all zeros or all ones. */
export function lanes(mask: usize): v128 {
  const bytes = i16x8.extend_low_i8x16_u(v128.load32_zero(mask));
  return i32x4.ne(i32x4.extend_low_i16x8_u(bytes), i32x4.splat(0));
}
