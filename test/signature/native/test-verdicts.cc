/** The acceptance rule at its corners, each input alone, by every implementation, as known and unknown key. */
#include <cstring>
#include <string>

#include "cases.h"
#include "check.h"

using namespace reference;
using cases::expect;
using cases::oracle;

namespace {

void rfc_8032() {
  for (const Triple& triple : cases::rfc_8032()) {
    CHECK(oracle(triple), "the oracle refuses a vector of RFC 8032");
    expect(triple, true, "RFC 8032");
    for (unsigned which = 0; which < 4 * 64; which += 7) {
      const Triple spoiled = cases::spoiled(triple, which);
      expect(spoiled, oracle(spoiled), "RFC 8032, spoiled");
    }
  }
}

void random_signatures() {
  Random random(1);
  for (int i = 0; i < 60; i++) {
    const Triple triple = sign(random.scalar(), random.scalar(), random.bytes(random.next() % 400));
    CHECK(oracle(triple), "honest signature %d", i);
    expect(triple, true, "honest");
    expect(cases::spoiled(triple, static_cast<unsigned>(random.next())), false, "spoiled");
  }
}

/** S + jL satisfies the equation for every j and must be refused for all but j = 0. */
void malleable_s() {
  Random random(2);
  const Triple triple = sign(random.scalar(), random.scalar(), random.bytes(100));
  Number s = number_from(triple.signature.data() + 32);
  for (int j = 0; j <= 15; j++) {
    Triple changed = triple;
    number_to(s, changed.signature.data() + 32);
    expect(changed, j == 0, "S + jL");
    s = plain_add(s, kOrder);
  }
}

/** R made to fit S for a key of order 1, so that S alone decides: it holds exactly below L. */
void s_around_the_order() {
  std::vector<Number> values = {kOrder, plain_subtract(kOrder, small(1)), plain_add(kOrder, small(1)),
                                small(1), {~0ull, ~0ull, ~0ull, ~0ull}};
  for (int word = 0; word < 4; word++) {
    Number unit = small(0);
    unit[word] = 1;
    values.push_back(plain_add(kOrder, unit));
    values.push_back(plain_subtract(kOrder, unit));
  }
  Triple triple;
  triple.key = encode(identity());
  for (const Number& s : values) {
    const auto r = encode(multiply(s, base()));
    std::memcpy(triple.signature.data(), r.data(), 32);
    number_to(s, triple.signature.data() + 32);
    const bool is_identity = r == encode(identity());
    expect(triple, less(s, kOrder) && !is_identity, "S around L");
    CHECK(oracle(triple) == (less(s, kOrder) && !is_identity), "S around L");
  }
}

/** S = 0 holds where R = -[k]A for an A of order 8; S = L then satisfies the equation too, and must be refused. */
void s_equal_to_the_order() {
  Random random(7);
  int held = 0;
  for (const auto& encoding : cases::low_order_encodings()) {
    Point a;
    decode(encoding.data(), a);
    for (int attempt = 0; attempt < 40; attempt++) {
      Triple triple;
      triple.key = encoding;
      triple.message = random.bytes(12);
      const auto r = encode(multiply(small(static_cast<std::uint64_t>(attempt % 8)), a));
      std::memcpy(triple.signature.data(), r.data(), 32);
      number_to(small(0), triple.signature.data() + 32);
      if (!oracle(triple)) continue;
      held++;
      expect(triple, true, "S = 0");
      number_to(kOrder, triple.signature.data() + 32);
      expect(triple, false, "S = L");
    }
  }
  CHECK(held >= 20, "only %d equations held", held);
}

/** A and R from all 14 low-order encodings, with messages that make some of the equations hold. */
void low_order() {
  const auto encodings = cases::low_order_encodings();
  CHECK(encodings.size() == 14, "%zu low-order encodings", encodings.size());
  Random random(3);
  int held = 0;
  for (const auto& a : encodings) {
    for (const auto& r : encodings) {
      for (int attempt = 0; attempt < 3; attempt++) {
        Triple triple;
        triple.key = a;
        triple.message = random.bytes(8);
        std::memcpy(triple.signature.data(), r.data(), 32);
        number_to(attempt == 2 ? random.scalar() : small(0), triple.signature.data() + 32);
        const bool verdict = oracle(triple);
        held += verdict;
        expect(triple, verdict, "low order");
      }
    }
  }
  CHECK(held >= 10, "only %d low-order equations held", held);
}

/** An honest key plus a point of low order: [k]A depends on k itself, so k - L would judge otherwise. */
void mixed_order() {
  Random random(4);
  int held = 0, refused = 0;
  for (const auto& encoding : cases::low_order_encodings()) {
    Point torsion;
    decode(encoding.data(), torsion);
    for (int attempt = 0; attempt < 12; attempt++) {
      const Number secret = random.scalar(), nonce = random.scalar();
      Triple triple;
      triple.key = encode(add(multiply(secret, base()), torsion));
      triple.message = random.bytes(20);
      const Point r = add(multiply(nonce, base()), attempt % 2 == 0 ? identity() : torsion);
      const auto r_bytes = encode(r);
      std::memcpy(triple.signature.data(), r_bytes.data(), 32);
      const Number k = challenge(r_bytes.data(), triple.key.data(), triple.message);
      number_to(multiply_add_order(k, secret, nonce), triple.signature.data() + 32);
      const bool verdict = oracle(triple);
      (verdict ? held : refused)++;
      expect(triple, verdict, "mixed order");
    }
  }
  CHECK(held >= 10 && refused >= 10, "mixed order: %d held, %d refused", held, refused);
}

/** Every y in [p, 2^255) with both signs, as A and as R; as A some are points, as R none is ever right. */
void non_canonical_y() {
  Random random(5);
  for (std::uint64_t excess = 0; excess < 19; excess++) {
    for (const std::uint64_t sign_bit : {0ull, 1ull << 63}) {
      Number y = plain_add(kPrime, small(excess));
      y[3] |= sign_bit;
      std::array<std::uint8_t, 32> bytes;
      number_to(y, bytes.data());
      Triple triple = sign(random.scalar(), random.scalar(), random.bytes(30));
      std::memcpy(triple.signature.data(), bytes.data(), 32);
      expect(triple, false, "R not canonical");
      triple.key = bytes;
      Point a;
      const bool decodes = decode(bytes.data(), a);
      const Number s = random.scalar();
      for (int attempt = 0; attempt < 8; attempt++) {
        // A guess at k = 0 modulo the order of a low-order A; else R cannot be made without its logarithm.
        const auto r = encode(multiply(s, base()));
        std::memcpy(triple.signature.data(), r.data(), 32);
        number_to(s, triple.signature.data() + 32);
        triple.message = random.bytes(16);
        const bool verdict = oracle(triple);
        CHECK(decodes || !verdict, "y = p + %d", static_cast<int>(excess));
        expect(triple, verdict, "A not canonical");
      }
    }
  }
}

/** The one departure from OpenSSL: R that encodes the identity is refused although the equation holds. */
void identity_as_r() {
  Triple triple;
  triple.key = encode(identity());
  triple.signature.fill(0);
  triple.signature[0] = 1;
  expect(triple, false, "R = identity, S = 0");
  for (const auto& key : cases::low_order_encodings()) {
    triple.key = key;
    for (std::uint8_t i = 0; i < 16; i++) {
      triple.message = {i};
      expect(triple, false, "R = identity, A of low order");
    }
  }
}

void undecodable_keys() {
  Random random(6);
  for (std::uint64_t seed = 0; seed < 20; seed++) {
    Triple triple = sign(random.scalar(), random.scalar(), random.bytes(40));
    triple.key = cases::undecodable_key(seed);
    CHECK(!oracle(triple), "undecodable");
    expect(triple, false, "undecodable");
  }
}

}  // namespace

int main() {
  if (!vigie::initialise()) return 1;
  rfc_8032();
  random_signatures();
  malleable_s();
  s_around_the_order();
  s_equal_to_the_order();
  low_order();
  mixed_order();
  non_canonical_y();
  identity_as_r();
  undecodable_keys();
  return finish("test-verdicts");
}
