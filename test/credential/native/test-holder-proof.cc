/** Holder proofs and holder keys: what is plain, by hand, and that nothing beyond an end is looked at. */
#include "credential/native/confirmation.h"
#include "credential/native/holder-proof.h"

#include "check.h"
#include "credential/native/base64url.h"
#include "credential/native/compact-jws.h"
#include "exact.h"
#include "hash-of.h"
#include "random.h"

using testing::Exact;
using testing::hash_of;

namespace {

const std::string kHeader = "{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\"}";
/** SHA-256 of "abc" (FIPS 180-4's first example) in base64url. */
const std::string kHashOfAbc = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
/** Of "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", its second, of two blocks. */
const std::string kTwoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const std::string kHashOfTwoBlocks = "JI1qYdIGOLjlwCaTDD5gOaM85Flk_yFn9uzt1BnbBsE";

std::string payload_with(const std::string& hash) {
  return "{\"iat\":1780272000,\"aud\":\"pharmacy\",\"nonce\":\"n\",\"sd_hash\":\"" + hash + "\"}";
}

std::string proof_of(const std::string& header, const std::string& payload) {
  return testing::to_base64url(header) + '.' + testing::to_base64url(payload) + '.' + testing::to_base64url(std::string(64, 'S'));
}

struct Decoded : vigie::DecodedProof {
  bool is_of_credential;
};

bool decode(const std::string& text, const std::string& credential, Decoded& decoded) {
  const Exact exact(text), of(credential), payload(vigie::base64url_bytes(text.size()) + 1), signature(vigie::kSignatureBytes);
  if (!vigie::decode_holder_proof(exact.data(), exact.size(), decoded, payload.data(), signature.data())) return false;
  const vigie::Span& hash = decoded.sd_hash;
  decoded.is_of_credential = vigie::hash_fits({payload.data() + hash.begin, hash.end - hash.begin, of.data(), of.size()});
  return true;
}

/** Of credentials of every length, two by two, one of them altered now and then. */
void hashes_two_by_two() {
  testing::Random random(6);
  for (std::size_t length = 0; length < 300; ++length) {
    bool expected[2], fit[2];
    std::string credentials[2], hashes[2];
    for (int i = 0; i < 2; ++i) {
      const auto content = random.bytes(i == 0 ? length : random.below(300));
      credentials[i] = std::string(content.begin(), content.end());
      hashes[i] = hash_of(credentials[i]);
      expected[i] = random.below(3) > 0;
      if (!expected[i]) hashes[i][random.below(43)] ^= 1;
    }
    const Exact of[2] = {Exact(credentials[0]), Exact(credentials[1])}, spelt[2] = {Exact(hashes[0]), Exact(hashes[1])};
    vigie::HashClaim claims[2];
    for (int i = 0; i < 2; ++i) claims[i] = {spelt[i].data(), spelt[i].size(), of[i].data(), of[i].size()};
    vigie::hashes_fit(claims, fit);
    for (int i = 0; i < 2; ++i) {
      CHECK(fit[i] == expected[i], "%zu bytes, number %d", length, i);
      CHECK(vigie::hash_fits(claims[i]) == expected[i], "%zu bytes, number %d", length, i);
    }
  }
}

void proofs() {
  Decoded decoded;
  CHECK(decode(proof_of(kHeader, payload_with(kHashOfAbc)), "abc", decoded), "a proof");
  CHECK(decoded.is_of_credential && decoded.iat == 1780272000, "its hash and its time");
  CHECK(decoded.aud.end - decoded.aud.begin == 8 && decoded.nonce.end - decoded.nonce.begin == 1, "its places");
  CHECK(decode(proof_of(kHeader, payload_with(kHashOfTwoBlocks)), kTwoBlocks, decoded) && decoded.is_of_credential, "two blocks");
  CHECK(decode(proof_of(kHeader, payload_with(kHashOfAbc)), "abd", decoded) && !decoded.is_of_credential, "another credential");
  CHECK(decode(proof_of(kHeader, payload_with("")), "abc", decoded) && !decoded.is_of_credential, "no hash");
  for (const char* header : {"{\"alg\":\"EdDSA\"}", "{\"typ\":\"kb+jwt\"}", "{\"alg\":\"none\",\"typ\":\"kb+jwt\"}", "[]", "",
                             "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", "{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\",\"crit\":[]}"}) {
    CHECK(!decode(proof_of(header, payload_with(kHashOfAbc)), "abc", decoded), "%s", header);
  }
  for (const char* payload : {"", "{}", "{\"iat\":1,\"aud\":\"a\",\"nonce\":\"n\"}", "{\"iat\":1,\"aud\":[\"a\"],\"nonce\":\"n\",\"sd_hash\":\"\"}",
                              "{\"iat\":1.5,\"aud\":\"a\",\"nonce\":\"n\",\"sd_hash\":\"\"}"}) {
    CHECK(!decode(proof_of(kHeader, payload), "abc", decoded), "%s", payload);
  }
  const std::string padded = payload_with(kHashOfAbc).substr(1);
  const std::string longest = proof_of(kHeader, "{\"x\":\"" + std::string(2800, 'x') + "\"," + padded);
  CHECK(longest.size() <= vigie::kMostProofChars && decode(longest, "abc", decoded), "%zu characters", longest.size());
  CHECK(!decode(proof_of(kHeader, "{\"x\":\"" + std::string(4000, 'x') + "\"," + padded), "abc", decoded), "too long");
}

void mutants() {
  const std::string proof = proof_of(kHeader, payload_with(kHashOfAbc));
  testing::Random random(5);
  Decoded decoded;
  for (std::size_t length = 0; length < proof.size(); ++length) {
    CHECK(!decode(proof.substr(0, length), "abc", decoded), "%zu characters", length);
  }
  // The answer is the reference's to judge (npm run fuzz:decoder); here, that the places lie within.
  for (int i = 0; i < 100'000; ++i) {
    std::string mutant = proof;
    for (std::size_t changes = 1 + random.below(3); changes > 0; --changes) {
      mutant[random.below(mutant.size())] = static_cast<char>(random.next());
    }
    if (!decode(mutant, "abc", decoded)) continue;
    for (const auto& span : {decoded.aud, decoded.nonce}) {
      CHECK(span.begin <= span.end && span.end <= decoded.payload_length, "%s", mutant.c_str());
    }
  }
}

bool read_key(const std::string& cnf) {
  const Exact exact(cnf), key(vigie::kHolderKeyBytes + 1);
  return vigie::read_confirmation(exact.data(), exact.size(), key.data());
}

std::string cnf_of(const std::string& key) {
  return "{\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" + testing::to_base64url(key) + "\"}}";
}

void keys() {
  const std::string good(32, '\x42');
  CHECK(read_key(cnf_of(good)), "a key");
  CHECK(!read_key(cnf_of(std::string(32, '\0'))) && !read_key(cnf_of(std::string(32, '\xff'))), "y = 0, and beyond p");
  CHECK(!read_key(cnf_of('\1' + std::string(30, '\0') + '\x80')), "a sign on x = 0");
  const std::string order_eight =
      "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
  CHECK(!read_key(cnf_of(order_eight)), "order eight");
  std::string near = order_eight;
  near[3] = 'x';
  CHECK(read_key(cnf_of(near)), "near one of order eight");
  CHECK(!read_key(cnf_of(good.substr(1))) && !read_key(cnf_of(good + 'x')), "31 and 33 bytes");
  const std::string whole = cnf_of(good);
  for (std::size_t length = 0; length < whole.size(); ++length) CHECK(!read_key(whole.substr(0, length)), "%zu", length);
  for (const char* cnf : {"null", "{}", "{\"jwk\":{}}", "{\"jwk\":null}", "{\"jku\":\"x\"}", "[]"}) CHECK(!read_key(cnf), "%s", cnf);
}

}  // namespace

int main() {
  proofs();
  hashes_two_by_two();
  mutants();
  keys();
  return finish("holder proofs");
}
