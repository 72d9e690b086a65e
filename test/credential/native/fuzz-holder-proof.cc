/**
 * A fuzz target: the input's bytes become a holder proof and a `cnf`. What the decoder accepts must be the one text for its
 * parts, and say what a second, simpler walk over those parts finds; a key that is accepted must be one that a holder can
 * have. Whether the reference reads the same is judged elsewhere (test/credential/fuzz-decoder.ts).
 *
 * The first byte chooses how the bytes are read: as the whole text, as header or payload, or as choices among the pieces
 * that a payload is made of, which get further. The next ones choose what of an honest proof is missing.
 */
#include <cmath>
#include <cstdlib>
#include <map>

#include "credential/native/base64url.h"
#include "credential/native/compact-jws.h"
#include "credential/native/confirmation.h"
#include "credential/native/holder-proof.h"
#include "exact.h"
#include "hash-of.h"
#include "point.h"

namespace {

using testing::Exact;
using testing::hash_of;
using testing::to_base64url;

const char* const kHeaders[] = {"{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\"}", "{\"typ\":\"kb+jwt\",\t\"alg\":\"Ed25519\", \"kid\":\"phone\"}",
                                "{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\",\"crit\":[]}", "{\"alg\":\"EdDSA\",\"typ\":\"kb+jwt\",\"jku\":\"x\"}",
                                "{\"alg\":\"EdDSA\"}", "{\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}"};

const char* const kPieces[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\t", "\n", "0", "-", ".", "e", "true", "null", ",\"iat\":2", ",\"aud\":[\"a\"]",
    ",\"nonce\":\"m\"", ",\"sd_hash\":\"\"", ",\"x\":{\"iat\":3,\"sd_hash\":\"n\"}", ",\"y\":[{\"aud\":\"b\"},\"}\"]", "\xc3\xa9", "\xff",
    ",\"d\":\"secret\"", ",\"kty\":\"EC\"", ",\"crv\":\"X25519\"", ",\"use\":\"sig\"", ",\"kid\":\"phone\""};

/** Characters of keys: an honest one, y of 0, 1, p - 1, p and 2^255 - 1, and both of order eight. */
const char* const kKeys[] = {"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                             "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "7P_______________________________________38",
                             "7f_______________________________________38", "__________________________________________8",
                             "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"};

template <std::size_t kSize>
std::string pick(const char* const (&from)[kSize], std::uint8_t by) {
  return from[by % kSize];
}

/** Most inputs are mostly zeros: these choose the honest thing everywhere but in few places. */
struct Choices {
  const std::uint8_t* data;
  std::size_t size;
  std::uint8_t at(std::size_t place) const { return place < size ? data[place] : 0; }
  std::string from(std::size_t place) const {
    return place < size ? std::string(reinterpret_cast<const char*>(data + place), size - place) : "";
  }
};

void require(bool condition) {
  if (!condition) std::abort();
}

/** Each byte from the fifth on is a piece, or another member. */
std::string pieces_of(const Choices& choices) {
  std::string text;
  for (std::size_t i = 5; i < choices.size; ++i) {
    const std::uint8_t byte = choices.at(i);
    if (byte >= 128) text += ",\"m" + std::to_string(i) + "\":" + std::to_string(byte);
    else if (byte > 0) text += pick(kPieces, byte);
  }
  return text;
}

std::string proof_from(const Choices& choices, const std::string& credential) {
  const std::uint8_t kind = choices.at(0), missing = choices.at(1);
  if (kind < 16) return choices.from(1);
  const std::string hashes[] = {hash_of(credential), hash_of(credential + 'x'), "", std::string(43, 'A')};
  std::string payload = "{\"first\":0";
  if ((missing & 1) == 0) payload += ",\"iat\":1780272000";
  if ((missing & 2) == 0) payload += ",\"aud\":\"pharmacy\"";
  if ((missing & 4) == 0) payload += ",\"nonce\":\"\"";
  if ((missing & 8) == 0) payload += ",\"sd_hash\":\"" + hashes[missing >> 4 & 3] + '"';
  payload = kind < 40 ? choices.from(5) : payload + pieces_of(choices) + '}';
  const std::string header = kind < 64 && kind >= 40 ? choices.from(5) : pick(kHeaders, choices.at(2));
  const std::string signature(64, static_cast<char>(kind));
  std::string text = to_base64url(header) + '.' + to_base64url(payload) + '.' + to_base64url(signature);
  // A change anywhere in the text, told by the last bytes.
  const std::size_t size = choices.size;
  if (kind % 4 == 0 && size > 7) text[choices.at(size - 2) * std::size_t{257} % text.size()] = static_cast<char>(choices.at(size - 1));
  return text;
}

/** The members of a plain object as they stand, found by quotes and depth alone: no string has an escape. */
std::map<std::string, std::string> members_of(const std::string& object) {
  std::map<std::string, std::string> members;
  std::string name, token;
  bool is_in_string = false;
  int depth = 0;
  for (const char c : object) {
    const bool is_structure = !is_in_string && depth == 1;
    if (c == '"') is_in_string = !is_in_string;
    if (!is_in_string && (c == '}' || c == ']')) --depth;
    if (is_structure && (c == ',' || (depth == 0 && !name.empty()))) {
      require(members.emplace(name, token).second);
      name = token = "";
    } else if (is_structure && c == ':') {
      name = token;
      token = "";
    } else if (depth > 0 && (is_in_string || (c != ' ' && c != '\t'))) {
      token += c;
    }
    if (!is_in_string && (c == '{' || c == '[')) ++depth;
  }
  require(depth == 0 && !is_in_string);
  return members;
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

void judge_header(const std::string& text) {
  const Exact characters(text), header(vigie::base64url_bytes(text.size()) + 1);
  require(vigie::decode_base64url(characters.data(), text.size(), header.data()));
  const std::string bytes = header.text().substr(0, header.size() - 1);
  require(to_base64url(bytes) == text);
  auto members = members_of(bytes);
  require(members["\"typ\""] == "\"kb+jwt\"" && (members["\"alg\""] == "\"EdDSA\"" || members["\"alg\""] == "\"Ed25519\""));
  require(members.size() == 2 + members.count("\"kid\""));
}

/** Whether the proof was accepted; then all was right. */
bool judge_proof(const Choices& choices) {
  const std::string credential = choices.from(3).substr(0, choices.at(3));
  const Exact text(proof_from(choices, credential)), of(credential);
  const Exact payload(vigie::base64url_bytes(text.size()) + 1), signature(vigie::kSignatureBytes);
  vigie::DecodedProof decoded;
  if (!vigie::decode_holder_proof(text.data(), text.size(), decoded, payload.data(), signature.data())) return false;
  require(text.size() <= vigie::kMostProofChars && decoded.payload_length <= payload.size());
  const std::string header = text.text().substr(0, text.text().find('.'));
  const std::string signing_input = header + '.' + to_base64url(payload.data(), decoded.payload_length);
  require(signing_input.size() == decoded.signing_input_length);
  require(text.text() == signing_input + '.' + to_base64url(signature.data(), vigie::kSignatureBytes));
  judge_header(header);

  const std::string claims = payload.text().substr(0, decoded.payload_length);
  for (const auto& span : {decoded.aud, decoded.nonce}) require(span.begin <= span.end && span.end <= claims.size());
  auto members = members_of(claims);
  require(members["\"aud\""] == quoted(claims.substr(decoded.aud.begin, decoded.aud.end - decoded.aud.begin)));
  require(members["\"nonce\""] == quoted(claims.substr(decoded.nonce.begin, decoded.nonce.end - decoded.nonce.begin)));
  require(std::isfinite(decoded.iat) && std::strtod(members["\"iat\""].c_str(), nullptr) == decoded.iat);
  const vigie::Span& hash = decoded.sd_hash;
  require(members["\"sd_hash\""] == quoted(claims.substr(hash.begin, hash.end - hash.begin)));
  const vigie::HashClaim claim{payload.data() + hash.begin, hash.end - hash.begin, of.data(), of.size()};
  const bool is_of_credential = members["\"sd_hash\""] == quoted(hash_of(credential));
  require(vigie::hash_fits(claim) == is_of_credential);
  const vigie::HashClaim claims_of_two[2] = {claim, {claim.spelt, claim.spelt_length, text.data(), text.size()}};
  bool fit[2];
  vigie::hashes_fit(claims_of_two, fit);
  require(fit[0] == is_of_credential && fit[1] == vigie::hash_fits(claims_of_two[1]));
  return true;
}

/** A key under which nobody but its holder can sign: its y is below p, and 8 times its point, if it is one, not the identity. */
void judge_key(const std::uint8_t* key) {
  bool is_high = key[0] >= 0xed && (key[31] & 0x7f) == 0x7f;
  for (int i = 1; i < 31; ++i) is_high = is_high && key[i] == 0xff;
  require(!is_high);
  vigie::Point point;
  if (!vigie::point_decode(key, point)) return;
  vigie::point_double_times(point, 3);
  require(!vigie::field_is_zero(point.x));
}

bool judge_confirmation(const Choices& choices) {
  std::string key = pick(kKeys, choices.at(2));
  if (choices.at(3) >= 128) key[choices.at(3) % key.size()] = static_cast<char>(choices.at(4));
  std::string jwk = "{\"x\":\"" + key + '"';
  if ((choices.at(1) & 64) == 0) jwk += ",\"kty\":\"OKP\"";
  if ((choices.at(1) & 128) == 0) jwk += ",\"crv\":\"Ed25519\"";
  jwk += pieces_of(choices) + '}';
  const Exact cnf(choices.at(0) < 16 ? choices.from(1) : "{\"jwk\":" + jwk + '}'), read(vigie::kHolderKeyBytes + 1);
  if (!vigie::read_confirmation(cnf.data(), cnf.size(), read.data())) return false;
  auto outer = members_of(cnf.text());
  require(outer.size() == 1);
  auto members = members_of(outer["\"jwk\""]);
  require(members["\"kty\""] == "\"OKP\"" && members["\"crv\""] == "\"Ed25519\"" && members.count("\"d\"") == 0);
  require(members["\"x\""] == quoted(to_base64url(read.data(), vigie::kHolderKeyBytes)));
  judge_key(read.data());
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An honest proof, and an honest key: a decoder that leaves everything to the reference would pass all else.
  static const bool accepts_any = [] {
    const std::uint8_t honest = 0xff;
    return judge_proof({&honest, 1}) && judge_confirmation({&honest, 1});
  }();
  require(accepts_any);
  judge_proof({data, size});
  judge_confirmation({data, size});
  return 0;
}
