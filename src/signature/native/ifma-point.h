/**
 * Points of edwards25519 in extended coordinates (RFC 8032 section 5.1.4), eight at a time.
 *
 * The additions are complete: they hold for every pair of points, of small order too, and Z is never zero. A sum
 * keeps what the next addition multiplies: seven products and seven carries each.
 */
#pragma once

#include "fixed-base-table.h"
#include "ifma-field.h"

namespace vigie::ifma {

/** A running sum: Y - X, Y + X and T carried; Z as raw columns with the bias in it, for it is only added. */
struct Sum {
  Factor y_minus_x, y_plus_x, t;
  Columns z;
};

/** X/Z, Y/Z, carried; no T. */
struct Projective {
  Factor x, y, z;
};

/** The right-hand side of an addition, Z = 1: y + x, y - x, 2dxy, the last with its sign turned in some lanes. */
struct Entry {
  Factor y_plus_x, y_minus_x, xy2d;
  Mask negative;
};

/** The right-hand side of a general addition: Y + X, Y - X, 2Z, 2dT, the last with its sign turned in some lanes. */
struct Cached {
  Factor y_plus_x, y_minus_x, z2, t2d;
  Mask negative;
};

/** A sum before its last four products: X = E F, Y = G H, Z = F G, T = E H (RFC 8032's letters). */
struct Factors {
  Factor e, f, g, h;
};

/** From Hisil's A, B, C, D; B and D have the bias in them, and C may be a product's negative. */
VIGIE_INLINE Factors factors_of(const Columns& a, const Columns& b, const Columns& c, const Columns& d) {
  return {carry(columns_subtract(b, a)), carry(columns_subtract(d, c)), carry(columns_add(d, c)),
          carry(columns_add(b, a))};
}

VIGIE_INLINE Factors add_entry(const Sum& p, const Entry& q) {
  return factors_of(multiply_raw(p.y_minus_x, q.y_minus_x), multiply_biased(p.y_plus_x, q.y_plus_x),
                    columns_negated(multiply_raw(p.t, q.xy2d), q.negative), columns_add(p.z, p.z));
}

VIGIE_INLINE Factors add_cached(const Sum& p, const Cached& q) {
  return factors_of(multiply_raw(p.y_minus_x, q.y_minus_x), multiply_biased(p.y_plus_x, q.y_plus_x),
                    columns_negated(multiply_raw(p.t, q.t2d), q.negative),
                    multiply_biased(carry(p.z), q.z2));
}

VIGIE_INLINE Sum sum_of(const Factors& s) {
  const Columns x = multiply_raw(s.e, s.f);
  const Columns y = multiply_biased(s.g, s.h);
  return {carry(columns_subtract(y, x)), carry(columns_add(y, x)), multiply(s.e, s.h),
          multiply_biased(s.f, s.g)};
}

VIGIE_INLINE Projective projective_of(const Factors& s) {
  return {multiply(s.e, s.f), multiply(s.g, s.h), multiply(s.f, s.g)};
}

/** 2P: E = 2XY, G = Y^2 - X^2, F = 2Z^2 - G, H = X^2 + Y^2; all four turned in sign, which changes no quotient. */
VIGIE_INLINE Factors double_point(const Projective& p) {
  const Columns xx = square(p.x);
  const Columns yy = square_biased(p.y);
  const Columns xy = multiply_raw(p.x, p.y);
  const Columns zz = square_biased(p.z);
  const Columns g = columns_subtract(yy, xx);
  // 2Z^2 + X^2 - Y^2: the bias stands in it twice, and in Y^2 once.
  Columns f;
  for (int i = 0; i < 5; i++) f.column[i] = subtract(add(zz.column[i], zz.column[i]), g.column[i]);
  return {carry(columns_add(xy, xy)), carry(f), carry(g), carry(columns_add(yy, xx))};
}

/** 2d, where d is the curve's constant -121665/121666. */
constexpr std::uint64_t kTwiceD[5] = {0x69b9426b2f159, 0x9a8283b156ebd, 0xef3d13000e014, 0xfce7198e80f2e,
                                      0x02406d9dc56df};

VIGIE_INLINE Cached cached_of(const Sum& p) {
  return {p.y_plus_x, p.y_minus_x, carry(columns_add(p.z, p.z)), multiply(p.t, broadcast_field(kTwiceD)), 0};
}

/** An entry as a sum, scaled by four: 4x = 2 (Y+X - (Y-X)), 4y likewise, Z = 4, T = 2x * 2y. */
VIGIE_INLINE Sum sum_from_entry(const Entry& q) {
  Columns x2, y2, z;
  const Columns bias = columns_bias();
  const Field y_plus_x = cleaned(q.y_plus_x), y_minus_x = cleaned(q.y_minus_x);
  for (int i = 0; i < 5; i++) {
    x2.column[i] = subtract(add(bias.column[i], y_plus_x.limb[i]), y_minus_x.limb[i]);
    y2.column[i] = add(y_plus_x.limb[i], y_minus_x.limb[i]);
    z.column[i] = bias.column[i];
  }
  z.column[0] = add(z.column[0], broadcast(4));
  Sum out;
  // 4y - 4x = 4 (y - x), 4y + 4x = 4 (y + x).
  Columns minus, plus;
  for (int i = 0; i < 5; i++) {
    minus.column[i] = shift_left(y_minus_x.limb[i], 2);
    plus.column[i] = shift_left(y_plus_x.limb[i], 2);
  }
  out.y_minus_x = carry(minus);
  out.y_plus_x = carry(plus);
  out.t = multiply(carry(x2), carry(y2));
  out.z = z;
  return out;
}

}  // namespace vigie::ifma
