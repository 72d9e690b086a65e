/**
 * Ed25519 anew, by other formulas than the kernel's and with no care for speed: what the kernel is held against.
 * Numbers are 256 bits, little end first; those modulo p are kept canonical. Points are projective.
 */
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "random.h"

namespace reference {

using testing::Bytes;
using Number = std::array<std::uint64_t, 4>;

struct Point {
  Number x, y, z;
};

extern const Number kPrime;
extern const Number kOrder;

/** Modulo p; the operands may be any 256-bit numbers. */
Number add(const Number& a, const Number& b);
Number subtract(const Number& a, const Number& b);
Number multiply(const Number& a, const Number& b);
Number power(const Number& a, const Number& exponent);
/** 1/a modulo p; 0 of 0. */
Number inverse(const Number& a);
Number small(std::uint64_t value);
Number curve_d();

bool bit(const Number& a, int i);
bool less(const Number& a, const Number& b);
/** a + b and a - b modulo 2^256. */
Number plain_add(const Number& a, const Number& b);
Number plain_subtract(const Number& a, const Number& b);
/** a * b + c modulo L. */
Number multiply_add_order(const Number& a, const Number& b, const Number& c);
/** A 512-bit number modulo L, bit by bit. */
Number reduce_order(const std::uint64_t wide[8]);

Point identity();
Point base();
Point add(const Point& p, const Point& q);
Point negate(const Point& p);
Point multiply(const Number& scalar, const Point& p);
bool decode(const std::uint8_t bytes[32], Point& out);
std::array<std::uint8_t, 32> encode(const Point& p);

Number number_from(const std::uint8_t* bytes);
void number_to(const Number& a, std::uint8_t* bytes);

/** k of RFC 8032 section 5.1.7 for R || A || M. */
Number challenge(const std::uint8_t r[32], const std::uint8_t a[32], const Bytes& message);

/** One input of the kernel. */
struct Triple {
  std::array<std::uint8_t, 32> key;
  std::array<std::uint8_t, 64> signature;
  Bytes message;
};

/** The acceptance rule, read off SECURITY.md. */
bool verdict(const Triple& triple);

/** An honest signature by the secret scalar `a`, with the nonce `r`. */
Triple sign(const Number& a, const Number& r, const Bytes& message);

/** With the numbers of this field and group too. */
class Random : public testing::Random {
 public:
  using testing::Random::Random;
  Number number();
  /** Below L. */
  Number scalar();
};

}  // namespace reference
