#include "cases.h"

#include <cstring>

#include "check.h"
#include "each-implementation.h"
#include "rfc-8032-vectors.h"
#ifdef VIGIE_HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif

namespace cases {

using namespace reference;

namespace {

Bytes from_hex(const std::string& hex) {
  Bytes out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

}  // namespace

std::vector<Triple> rfc_8032() {
  std::vector<Triple> out;
  for (const PublishedVector& vector : kRfc8032) {
    Triple triple;
    std::memcpy(triple.key.data(), from_hex(vector.key).data(), 32);
    std::memcpy(triple.signature.data(), from_hex(vector.signature).data(), 64);
    triple.message = from_hex(vector.message);
    out.push_back(triple);
  }
  return out;
}

std::vector<std::array<std::uint8_t, 32>> low_order_encodings() {
  // [L]P is of order 8 for one point in two; its multiples are all of them.
  Random random(8);
  std::vector<std::array<std::uint8_t, 32>> out;
  while (out.size() != 8) {
    out.clear();
    std::array<std::uint8_t, 32> bytes;
    number_to(random.number(), bytes.data());
    Point p;
    if (!decode(bytes.data(), p)) continue;
    const Point torsion = multiply(kOrder, p);
    Point multiple = identity();
    do {
      out.push_back(encode(multiple));
      multiple = add(multiple, torsion);
    } while (encode(multiple) != encode(identity()));
  }
  // y = 1 and y = -1 with the sign of an x that is zero, then y = p and y = p + 1 with either sign.
  const Number sign = {0, 0, 0, std::uint64_t{1} << 63};
  const Number one = small(1);
  for (const Number& y : {plain_add(one, sign), plain_add(plain_subtract(kPrime, one), sign), kPrime,
                          plain_add(kPrime, sign), plain_add(kPrime, one), plain_add(plain_add(kPrime, one), sign)}) {
    std::array<std::uint8_t, 32> bytes;
    number_to(y, bytes.data());
    out.push_back(bytes);
  }
  return out;
}

Triple spoiled(const Triple& triple, unsigned which) {
  Triple out = triple;
  const unsigned at = which / 4;
  switch (which % 4) {
    case 0:
      if (out.message.empty()) out.message.push_back(0);
      else out.message[at % out.message.size()] ^= static_cast<std::uint8_t>(1 << at % 8);
      break;
    case 1:
      out.signature[at % 32] ^= static_cast<std::uint8_t>(1 << at % 8);
      break;
    case 2:
      out.signature[32 + at % 31] ^= static_cast<std::uint8_t>(1 << at % 8);
      break;
    default:
      out.key[at % 32] ^= static_cast<std::uint8_t>(1 << at % 8);
  }
  return out;
}

std::array<std::uint8_t, 32> undecodable_key(std::uint64_t seed) {
  Random random(seed);
  for (;;) {
    std::array<std::uint8_t, 32> key;
    number_to(random.number(), key.data());
    Point p;
    if (!decode(key.data(), p)) return key;
  }
}

bool oracle(const Triple& triple) {
  const bool expected = verdict(triple);
#ifdef VIGIE_HAVE_LIBCRYPTO
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, triple.key.data(), 32);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key);
  const bool held = EVP_DigestVerify(context, triple.signature.data(), 64, triple.message.data(),
                                     triple.message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  const bool commits_to_identity = std::memcmp(triple.signature.data(), encode(identity()).data(), 32) == 0;
  CHECK(commits_to_identity || held == expected, "the reference differs from libcrypto");
#endif
  return expected;
}

vigie::Check check_of(const Triple& triple, const vigie::PreparedKey* key) {
  return {key, triple.key.data(), triple.signature.data(), triple.message.data(), triple.message.size()};
}

void expect(const Triple& triple, bool verdict, const char* what) {
  for (const int bits : {0, 4, 5, 8}) {
    const auto key = bits == 0 ? nullptr : vigie::prepare_key(triple.key.data(), bits);
    const vigie::Check check = check_of(triple, key.get());
    for_each_implementation([&](vigie::Implementation implementation) {
      std::uint8_t held = 2;
      vigie::verify_batch(implementation, &check, 1, &held);
      CHECK(held == (verdict ? 1 : 0), "%s: %s, window %d, verdict %d", what, name_of(implementation), bits, held);
    });
  }
}

}  // namespace cases
