#include "reference.h"

#include <cstring>

#include "sha512.h"
#ifdef VIGIE_HAVE_LIBCRYPTO
#include <openssl/sha.h>
#endif

namespace reference {

namespace {

using Wide = unsigned __int128;

void multiply_full(const Number& a, const Number& b, std::uint64_t out[8]) {
  std::memset(out, 0, 64);
  for (int i = 0; i < 4; i++) {
    std::uint64_t carry = 0;
    for (int j = 0; j < 4; j++) {
      const Wide sum = static_cast<Wide>(a[i]) * b[j] + out[i + j] + carry;
      out[i + j] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64);
    }
    out[i + 4] = carry;
  }
}

/** Eight words modulo p: 2^256 is 38, folded in until nothing stands above, then p subtracted while it can be. */
Number reduce_prime(const std::uint64_t wide[8]) {
  std::uint64_t t[5];
  Wide sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += static_cast<Wide>(wide[i + 4]) * 38 + wide[i];
    t[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  t[4] = static_cast<std::uint64_t>(sum);
  while (t[4] != 0) {
    sum = static_cast<Wide>(t[4]) * 38;
    for (int i = 0; i < 4; i++) {
      sum += t[i];
      t[i] = static_cast<std::uint64_t>(sum);
      sum >>= 64;
    }
    t[4] = static_cast<std::uint64_t>(sum);
  }
  Number a = {t[0], t[1], t[2], t[3]};
  while (!less(a, kPrime)) a = plain_subtract(a, kPrime);
  return a;
}

Number inverse(const Number& a) { return power(a, plain_subtract(kPrime, small(2))); }

bool bit(const Number& a, int i) { return (a[i / 64] >> (i % 64) & 1) != 0; }

/** a / 2^by, for a small exponent. */
Number shift_right(const Number& a, int by) {
  Number out;
  for (int i = 0; i < 4; i++) out[i] = a[i] >> by | (i < 3 ? a[i + 1] << (64 - by) : 0);
  return out;
}

}  // namespace

const Number kPrime = {0xffffffffffffffed, ~0ull, ~0ull, 0x7fffffffffffffff};
const Number kOrder = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

bool less(const Number& a, const Number& b) {
  for (int i = 3; i >= 0; i--) {
    if (a[i] != b[i]) return a[i] < b[i];
  }
  return false;
}

Number plain_add(const Number& a, const Number& b) {
  Number out;
  Wide sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += static_cast<Wide>(a[i]) + b[i];
    out[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  return out;
}

Number plain_subtract(const Number& a, const Number& b) {
  Number complement;
  for (int i = 0; i < 4; i++) complement[i] = ~b[i];
  return plain_add(plain_add(a, complement), small(1));
}

Number small(std::uint64_t value) { return {value, 0, 0, 0}; }

Number add(const Number& a, const Number& b) {
  std::uint64_t wide[8] = {};
  Wide sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += static_cast<Wide>(a[i]) + b[i];
    wide[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  wide[4] = static_cast<std::uint64_t>(sum);
  return reduce_prime(wide);
}

Number subtract(const Number& a, const Number& b) {
  const std::uint64_t wide[8] = {b[0], b[1], b[2], b[3], 0, 0, 0, 0};
  return add(a, plain_subtract(kPrime, reduce_prime(wide)));
}

Number multiply(const Number& a, const Number& b) {
  std::uint64_t wide[8];
  multiply_full(a, b, wide);
  return reduce_prime(wide);
}

Number power(const Number& a, const Number& exponent) {
  Number out = small(1);
  for (int i = 255; i >= 0; i--) {
    out = multiply(out, out);
    if (bit(exponent, i)) out = multiply(out, a);
  }
  return out;
}

/** RFC 8032 section 5.1: d = -121665/121666. */
Number curve_d() {
  static const Number d = multiply(subtract(small(0), small(121665)), inverse(small(121666)));
  return d;
}

Number reduce_order(const std::uint64_t wide[8]) {
  Number out = small(0);
  for (int i = 511; i >= 0; i--) {
    out = plain_add(out, out);
    out = plain_add(out, small(wide[i / 64] >> (i % 64) & 1));
    if (!less(out, kOrder)) out = plain_subtract(out, kOrder);
  }
  return out;
}

Number multiply_add_order(const Number& a, const Number& b, const Number& c) {
  std::uint64_t wide[8];
  multiply_full(a, b, wide);
  Wide sum = 0;
  for (int i = 0; i < 8; i++) {
    sum += static_cast<Wide>(wide[i]) + (i < 4 ? c[i] : 0);
    wide[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  return reduce_order(wide);
}

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

Number number_from(const std::uint8_t* bytes) {
  Number a;
  std::memcpy(a.data(), bytes, 32);
  return a;
}

void number_to(const Number& a, std::uint8_t* bytes) { std::memcpy(bytes, a.data(), 32); }

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

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

Number Random::number() { return {next(), next(), next(), next()}; }

Number Random::scalar() {
  const std::uint64_t wide[8] = {next(), next(), next(), next(), next(), next(), next(), next()};
  return reduce_order(wide);
}

Bytes Random::bytes(std::size_t count) {
  Bytes out(count);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(next());
  return out;
}

}  // namespace reference
