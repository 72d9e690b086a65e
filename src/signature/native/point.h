/**
 * Points of edwards25519 in extended coordinates (RFC 8032 section 5.1.4): x = X/Z, y = Y/Z, xy = T/Z.
 *
 * The addition formulas are complete: they hold for every pair of points, of small order too, and Z is never zero.
 * Every coordinate that a function returns is a product, hence tight (field.h).
 */
#pragma once

#include "field.h"
#include "fixed-base-table.h"

namespace vigie {

struct Point {
  FieldElement x, y, z, t;
};

/** A point as the right-hand side of a general addition: Y + X, Y - X, 2Z, 2dT. */
struct CachedPoint {
  FieldElement y_plus_x, y_minus_x, z2, t2d;
};

constexpr Point kIdentity = {kFieldZero, kFieldOne, kFieldOne, kFieldZero};

/** 2d, where d is the curve's constant -121665/121666. */
constexpr FieldElement kTwiceD = {
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};

/** A sum before its last four products: X = E F, Y = G H, Z = F G, T = E H (RFC 8032's letters). */
struct PointFactors {
  FieldElement e, f, g, h;
};

/** All of the sum but T, which a doubling does not read. */
static inline void point_finish_without_t(Point& out, const PointFactors& s) {
  field_assign(out.x, field_multiply(s.e, s.f));
  field_assign(out.y, field_multiply(s.g, s.h));
  field_assign(out.z, field_multiply(s.f, s.g));
}

static inline void point_finish_t(Point& out, const PointFactors& s) {
  field_assign(out.t, field_multiply(s.e, s.h));
}

static inline void point_finish(Point& out, const PointFactors& s) {
  point_finish_without_t(out, s);
  point_finish_t(out, s);
}

/**
 * P + (-1)^negative * Q for a table's Q. Signs are as good as random, so nothing branches: -Q swaps y + x with y - x
 * and negates 2dxy.
 */
static inline PointFactors point_add_entry(const Point& p, const TableEntry& q, std::uint64_t negative) {
  const std::uint64_t* plus = negative ? q.y_minus_x : q.y_plus_x;
  const std::uint64_t* minus = negative ? q.y_plus_x : q.y_minus_x;
  const std::uint64_t mask = std::uint64_t{0} - negative;
  FieldElement xy2d = field_from_words(q.xy2d);
  // The complement is -limb - 1: hence 2p + 1.
  for (int i = 0; i < 5; i++) xy2d.limb[i] = (xy2d.limb[i] ^ mask) + ((kTwiceP.limb[i] + 1) & mask);
  const FieldElement a = field_multiply(field_subtract(p.y, p.x), field_from_words(minus));
  const FieldElement b = field_multiply(field_add(p.y, p.x), field_from_words(plus));
  const FieldElement c = field_multiply(p.t, xy2d);
  const FieldElement d = field_add(p.z, p.z);
  return {field_subtract(b, a), field_subtract(d, c), field_add(d, c), field_add(b, a)};
}

/** P := 2^times P, for `times` of one and more. Only the last doubling makes T. */
void point_double_times(Point& p, int times) noexcept;

/** P := P + (-1)^negative * Q for a general Q; without T, which is left stale, where a doubling comes next. */
void point_add(Point& p, const CachedPoint& q, bool negative, bool make_t) noexcept;

void point_to_cached(const Point& p, CachedPoint& out) noexcept;

/**
 * Decodes the 32 bytes as OpenSSL does (RFC 8032 section 5.1.3, more laxly): the low 255 bits of y modulo p, any
 * sign bit where x = 0. False when no x belongs to y. Z is 1.
 */
bool point_decode(const std::uint8_t bytes[32], Point& out) noexcept;

/** The point with the sign of x turned. */
Point point_negate(const Point& p) noexcept;

/** The base point B. */
Point base_point() noexcept;

}  // namespace vigie
