/** The reference's points, its verdict and its signatures; the contract stands in the header. */
#include "reference.h"

#include <cstring>

#include "sha512.h"
#ifdef VIGIE_HAVE_LIBCRYPTO
#include <openssl/sha.h>
#endif

namespace reference {

namespace {

/** a / 2^by, for a small exponent. */
Number shift_right(const Number& a, int by) {
  Number out;
  for (int i = 0; i < 4; i++) out[i] = a[i] >> by | (i < 3 ? a[i + 1] << (64 - by) : 0);
  return out;
}

}  // namespace

Point identity() { return {small(0), small(1), small(1)}; }

Point base() {
  static const Point b = [] {
    std::uint8_t bytes[32];
    number_to(multiply(small(4), inverse(small(5))), bytes);
    Point out;
    decode(bytes, out);
    return out;
  }();
  return b;
}

/** The unified projective addition on x^2 and y^2 of a = -1, without T. */
Point add(const Point& p, const Point& q) {
  const Number zz = multiply(p.z, q.z), xx = multiply(p.x, q.x), yy = multiply(p.y, q.y);
  const Number square = multiply(zz, zz), e = multiply(curve_d(), multiply(xx, yy));
  const Number f = subtract(square, e), g = add(square, e);
  const Number cross = subtract(multiply(add(p.x, p.y), add(q.x, q.y)), add(xx, yy));
  return {multiply(multiply(zz, f), cross), multiply(multiply(zz, g), add(yy, xx)), multiply(f, g)};
}

Point negate(const Point& p) { return {subtract(small(0), p.x), p.y, p.z}; }

Point multiply(const Number& scalar, const Point& p) {
  Point out = identity();
  for (int i = 255; i >= 0; i--) {
    out = add(out, out);
    if (bit(scalar, i)) out = add(out, p);
  }
  return out;
}

/** x = w^((p+3)/8) or that times the root of -1, where w = (y^2 - 1) / (d y^2 + 1). */
bool decode(const std::uint8_t bytes[32], Point& out) {
  Number y = number_from(bytes);
  const bool sign = (y[3] >> 63) != 0;
  y[3] &= 0x7fffffffffffffff;
  y = add(y, small(0));
  const Number yy = multiply(y, y);
  const Number w = multiply(subtract(yy, small(1)), inverse(add(multiply(curve_d(), yy), small(1))));
  Number x = power(w, shift_right(plain_add(kPrime, small(3)), 3));
  if (multiply(x, x) != w) x = multiply(x, power(small(2), shift_right(kPrime, 2)));
  if (multiply(x, x) != w) return false;
  if (bit(x, 0) != sign) x = subtract(small(0), x);
  out = {x, y, small(1)};
  return true;
}

std::array<std::uint8_t, 32> encode(const Point& p) {
  const Number z = inverse(p.z);
  Number y = multiply(p.y, z);
  y[3] |= multiply(p.x, z)[0] << 63;
  std::array<std::uint8_t, 32> bytes;
  number_to(y, bytes.data());
  return bytes;
}

Number challenge(const std::uint8_t r[32], const std::uint8_t a[32], const Bytes& message) {
  Bytes input(r, r + 32);
  input.insert(input.end(), a, a + 32);
  input.insert(input.end(), message.begin(), message.end());
  std::uint64_t wide[8];
#ifdef VIGIE_HAVE_LIBCRYPTO
  SHA512(input.data(), input.size(), reinterpret_cast<unsigned char*>(wide));
#else
  vigie::sha512_integer(input.data(), input.data() + 64, input.size() - 64, wide);
#endif
  return reduce_order(wide);
}

bool verdict(const Triple& triple) {
  const std::uint8_t* r = triple.signature.data();
  const Number s = number_from(r + 32);
  Point a;
  if (!less(s, kOrder) || !decode(triple.key.data(), a)) return false;
  const Number k = challenge(r, triple.key.data(), triple.message);
  const auto expected = encode(add(multiply(s, base()), negate(multiply(k, a))));
  if (expected == encode(identity())) return false;
  return std::memcmp(expected.data(), r, 32) == 0;
}

Triple sign(const Number& a, const Number& r, const Bytes& message) {
  Triple triple;
  triple.key = encode(multiply(a, base()));
  const auto commitment = encode(multiply(r, base()));
  std::memcpy(triple.signature.data(), commitment.data(), 32);
  triple.message = message;
  const Number k = challenge(commitment.data(), triple.key.data(), message);
  number_to(multiply_add_order(k, a, r), triple.signature.data() + 32);
  return triple;
}

Number Random::number() { return {next(), next(), next(), next()}; }

Number Random::scalar() {
  const std::uint64_t wide[8] = {next(), next(), next(), next(), next(), next(), next(), next()};
  return reduce_order(wide);
}

}  // namespace reference
