/** The reference's numbers, modulo p and L; the contract stands in the header. */
#include "reference.h"

#include <cstring>

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

bool bit(const Number& a, int i) { return (a[i / 64] >> (i % 64) & 1) != 0; }

Number power(const Number& a, const Number& exponent) {
  Number out = small(1);
  for (int i = 255; i >= 0; i--) {
    out = multiply(out, out);
    if (bit(exponent, i)) out = multiply(out, a);
  }
  return out;
}

Number inverse(const Number& a) { return power(a, plain_subtract(kPrime, small(2))); }

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

Number number_from(const std::uint8_t* bytes) {
  Number a;
  std::memcpy(a.data(), bytes, 32);
  return a;
}

void number_to(const Number& a, std::uint8_t* bytes) { std::memcpy(bytes, a.data(), 32); }

}  // namespace reference
