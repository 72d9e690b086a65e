#include "point.h"

namespace vigie {

namespace {

constexpr FieldElement kD = {{0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
constexpr FieldElement kSquareRootOfMinusOne = {
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
constexpr FieldElement kBaseX = {{0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5}};
constexpr FieldElement kBaseY = {{0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666}};

/** 2P; T of P is not read. */
PointFactors point_double(const Point& p) {
  const FieldElement a = field_square(p.x);
  const FieldElement b = field_square(p.y);
  const FieldElement zz = field_square(p.z);
  PointFactors s;
  field_assign(s.h, field_add(a, b));
  field_assign(s.e, field_subtract(s.h, field_square(field_add(p.x, p.y))));
  field_assign(s.g, field_subtract(a, b));
  field_assign(s.f, field_add(field_add(zz, zz), s.g));
  return s;
}

/** Tight again, the same value modulo p. */
FieldElement tighten(const FieldElement& a) { return field_multiply(a, kFieldOne); }

/** x with x^2 = u / v; false when there is none (RFC 8032 section 5.1.3, steps 2 and 3). */
bool square_root_of_quotient(const FieldElement& u, const FieldElement& v, FieldElement& x) {
  const FieldElement v3 = field_multiply(field_square(v), v);
  const FieldElement uv3 = field_multiply(u, v3);
  const FieldElement uv7 = field_multiply(uv3, field_square(field_square(v)));
  x = field_multiply(uv3, field_power_p58(uv7));
  const FieldElement vxx = field_multiply(v, field_square(x));
  if (field_is_zero(field_subtract(vxx, u))) return true;
  if (!field_is_zero(field_add(vxx, u))) return false;
  x = field_multiply(x, kSquareRootOfMinusOne);
  return true;
}

}  // namespace

void point_double_times(Point& p, int times) noexcept {
  for (;;) {
    const PointFactors factors = point_double(p);
    point_finish_without_t(p, factors);
    if (--times > 0) continue;
    point_finish_t(p, factors);
    return;
  }
}

void point_add(Point& p, const CachedPoint& q, bool negative, bool make_t) noexcept {
  const FieldElement a = field_multiply(field_subtract(p.y, p.x), negative ? q.y_plus_x : q.y_minus_x);
  const FieldElement b = field_multiply(field_add(p.y, p.x), negative ? q.y_minus_x : q.y_plus_x);
  const FieldElement c = field_multiply(p.t, q.t2d);
  const FieldElement d = field_multiply(p.z, q.z2);
  PointFactors s;
  field_assign(s.e, field_subtract(b, a));
  field_assign(s.h, field_add(b, a));
  field_assign(negative ? s.g : s.f, field_subtract(d, c));
  field_assign(negative ? s.f : s.g, field_add(d, c));
  point_finish_without_t(p, s);
  if (make_t) point_finish_t(p, s);
}

void point_to_cached(const Point& p, CachedPoint& out) noexcept {
  field_assign(out.y_plus_x, field_add(p.y, p.x));
  field_assign(out.y_minus_x, field_subtract(p.y, p.x));
  field_assign(out.z2, field_add(p.z, p.z));
  field_assign(out.t2d, field_multiply(p.t, kTwiceD));
}

bool point_decode(const std::uint8_t bytes[32], Point& out) noexcept {
  std::uint64_t words[4];
  load_256(bytes, words);
  const std::uint64_t sign = words[3] >> 63;
  out.y = field_from_words(words);
  const FieldElement yy = field_square(out.y);
  const FieldElement u = tighten(field_subtract(yy, kFieldOne));
  const FieldElement v = field_add(field_multiply(yy, kD), kFieldOne);
  if (!square_root_of_quotient(u, v, out.x)) return false;
  std::uint64_t x_words[4];
  field_to_words(out.x, x_words);
  if ((x_words[0] & 1) != sign) out.x = tighten(field_subtract(kFieldZero, out.x));
  out.z = kFieldOne;
  out.t = field_multiply(out.x, out.y);
  return true;
}

Point point_negate(const Point& p) noexcept {
  return {tighten(field_subtract(kFieldZero, p.x)), p.y, p.z, tighten(field_subtract(kFieldZero, p.t))};
}

Point base_point() noexcept { return {kBaseX, kBaseY, kFieldOne, field_multiply(kBaseX, kBaseY)}; }

}  // namespace vigie
