/** One walk over the claim; the contract stands in the header. */
#include "confirmation.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base64url.h"
#include "plain-json.h"

namespace vigie {
namespace {

using plain::head_of;
using plain::is_text;
using plain::Name;
using plain::PlainJson;

/** Characters of 32 bytes. */
constexpr std::size_t kKeyChars = 43;

/** Without the sign bit, the two y of order 8 (`encoding/ed25519-point.ts` has all of low order). */
constexpr std::uint8_t kOrderEight[2][kHolderKeyBytes] = {
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};

/**
 * Whether the encoding is one of the few that need a closer look: of low order, or not canonical. All but those of order
 * eight have thirty bytes alike in their middle, as next to no honest key has.
 */
bool is_odd(const std::uint8_t key[kHolderKeyBytes]) {
  const std::uint8_t middle = key[1];
  if ((middle == 0x00 || middle == 0xff) &&
      std::all_of(key + 2, key + kHolderKeyBytes - 1, [middle](std::uint8_t byte) { return byte == middle; })) {
    return true;
  }
  const std::uint8_t top = key[kHolderKeyBytes - 1] & 0x7f;
  return std::any_of(std::begin(kOrderEight), std::end(kOrderEight), [&](const std::uint8_t* y) {
    return top == y[kHolderKeyBytes - 1] && std::memcmp(key, y, kHolderKeyBytes - 1) == 0;
  });
}

/** The JWK's members that matter; all others are walked over. */
struct Jwk {
  Span kty, crv, x;
  bool is_private = false;
};

bool read_jwk_member(PlainJson& json, Jwk& jwk, const Name& name) {
  if (name.length == 3 && name.head == head_of("kty")) return json.string(jwk.kty);
  if (name.length == 3 && name.head == head_of("crv")) return json.string(jwk.crv);
  if (name.length == 1 && name.head == head_of("x")) return json.string(jwk.x);
  jwk.is_private = jwk.is_private || (name.length == 1 && name.head == head_of("d"));
  return json.value();
}

}  // namespace

bool read_confirmation(const std::uint8_t* cnf, std::size_t length, std::uint8_t key[kHolderKeyBytes + 1]) noexcept {
  PlainJson json(cnf, length);
  Jwk jwk;
  // Another member beside the key may be another way to name one: that is for the reference to judge.
  const bool is_plain = json.is_object([&](const Name& name) {
    if (name.length != 3 || name.head != head_of("jwk")) return false;
    return json.object([&](const Name& member) { return read_jwk_member(json, jwk, member); });
  });
  if (!is_plain || jwk.is_private || !is_text(cnf, jwk.kty, "OKP") || !is_text(cnf, jwk.crv, "Ed25519")) return false;
  if (jwk.x.end - jwk.x.begin != kKeyChars || !decode_base64url(cnf + jwk.x.begin, kKeyChars, key)) return false;
  return !is_odd(key);
}

}  // namespace vigie
