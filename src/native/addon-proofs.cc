/** The functions; their contract stands in addon.ts. */
#include "addon-proofs.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "addon-arguments.h"
#include "addon-fields.h"
#include "credential/native/base64url.h"
#include "credential/native/compact-jws.h"
#include "credential/native/confirmation.h"
#include "credential/native/holder-proof.h"
#include "credential/native/recogniser.h"
#include "replay/native/proof-hasher.h"

namespace vigie::addon {
namespace {

/**
 * Arguments: texts, starts, ends, proofStarts, proofEnds, items, count, payloads, fields, proofPayloads, signatures, keys,
 * proofFields, proofDates.
 */
struct Call {
  static constexpr std::size_t kArguments = 14;
  Bytes texts;
  Words starts, ends, proof_starts, proof_ends, items;
  std::uint32_t count;
  Bytes payloads;
  Words fields;
  Bytes proof_payloads, signatures, keys;
  Words proof_fields;
  Doubles proof_dates;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_bytes(env, arguments[0], "texts", call.texts) || !read_words(env, arguments[1], "starts", call.starts) ||
      !read_words(env, arguments[2], "ends", call.ends) ||
      !read_words(env, arguments[3], "proofStarts", call.proof_starts) ||
      !read_words(env, arguments[4], "proofEnds", call.proof_ends) ||
      !read_words(env, arguments[5], "items", call.items) || !read_count(env, arguments[6], "count", call.count) ||
      !read_bytes(env, arguments[7], "payloads", call.payloads) ||
      !read_words(env, arguments[8], "fields", call.fields) ||
      !read_bytes(env, arguments[9], "proofPayloads", call.proof_payloads) ||
      !read_bytes(env, arguments[10], "signatures", call.signatures) ||
      !read_bytes(env, arguments[11], "keys", call.keys) ||
      !read_words(env, arguments[12], "proofFields", call.proof_fields) ||
      !read_doubles(env, arguments[13], "proofDates", call.proof_dates)) {
    return false;
  }
  if (call.texts.shared || call.starts.shared || call.ends.shared || call.proof_starts.shared || call.proof_ends.shared ||
      call.items.shared || call.payloads.shared || call.fields.shared) {
    return refuse(env, "what is decoded must not stand in shared memory");
  }
  if (call.items.length < call.count || call.signatures.length / kSignatureBytes < call.count ||
      call.keys.length / kHolderKeyBytes < call.count || call.proof_fields.length / kProofFields < call.count ||
      call.proof_dates.length < call.count) {
    return refuse(env, "an array is shorter than the count of proofs asks for");
  }
  return true;
}

/** What an item's places say, once they were held against their arrays. */
struct Item {
  const std::uint8_t* credential;
  std::size_t credential_length;
  std::uint32_t proof_start;
  const std::uint8_t* proof;
  std::size_t proof_length;
  const std::uint8_t* confirmation;
  std::size_t confirmation_length;
};

bool lies_within(std::uint32_t begin, std::uint32_t end, std::size_t length) { return begin <= end && end <= length; }

bool find_item(const Call& call, std::uint32_t number, Item& item) {
  const std::size_t rows = call.fields.length / kFields;
  if (number >= std::min({call.starts.length, call.ends.length, call.proof_starts.length, call.proof_ends.length, rows})) {
    return false;
  }
  const std::uint32_t start = call.starts.data[number], end = call.ends.data[number];
  const std::uint32_t proof_start = call.proof_starts.data[number], proof_end = call.proof_ends.data[number];
  const std::uint32_t* const row = call.fields.data + std::size_t{kFields} * number;
  if (!lies_within(start, end, call.texts.length) || !lies_within(proof_start, proof_end, call.texts.length)) return false;
  const bool is_row = row[kPair] != Recogniser::kUnknown;
  const std::uint32_t cnf_length = is_row ? row[kObjectLengths] & 0xffff : 0;
  if (cnf_length > 0 && (row[kCnfStart] > call.payloads.length || cnf_length > call.payloads.length - row[kCnfStart])) {
    return false;
  }
  item = {call.texts.data + start, end - start, proof_start, call.texts.data + proof_start, proof_end - proof_start,
          cnf_length > 0 ? call.payloads.data + row[kCnfStart] : nullptr, cnf_length};
  return true;
}

/** What is hashed and compared two at a time: the first of a pair waits here for its second. */
class HashComparison {
 public:
  /** `fits` is set to 1 when the hash is found to be the credential's; it is 0 before. */
  void add(const HashClaim& claim, std::uint32_t* fits) {
    claims_[waiting_] = claim;
    fits_[waiting_++] = fits;
    if (waiting_ < 2) return;
    bool fit[2];
    hashes_fit(claims_, fit);
    for (int i = 0; i < 2; ++i) *fits_[i] = fit[i] ? 1 : 0;
    waiting_ = 0;
  }

  void end() {
    if (waiting_ == 1) *fits_[0] = hash_fits(claims_[0]) ? 1 : 0;
  }

 private:
  HashClaim claims_[2];
  std::uint32_t* fits_[2];
  std::size_t waiting_ = 0;
};

/** The key as 32 bytes in its place; decoding writes one byte beyond them. */
bool read_key(const Item& item, std::uint8_t* place) {
  std::uint8_t key[kHolderKeyBytes + 1];
  if (item.confirmation_length == 0 || !read_confirmation(item.confirmation, item.confirmation_length, key)) return false;
  std::memcpy(place, key, kHolderKeyBytes);
  return true;
}

}  // namespace

napi_value decode_proofs(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  std::size_t payload_start = 0;
  std::uint32_t decoded_count = 0;
  HashComparison hashes;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    Item item;
    if (!find_item(call, call.items.data[i], item)) {
      refuse(env, "an item, its credential or its proof lies beyond the arrays");
      return nullptr;
    }
    std::uint32_t* const fields = call.proof_fields.data + std::size_t{kProofFields} * i;
    fields[kProofIsDecoded] = 0;
    const bool has_room = call.proof_payloads.length - payload_start > base64url_bytes(item.proof_length) + 1;
    DecodedProof proof;
    if (!has_room || !read_key(item, call.keys.data + kHolderKeyBytes * i) ||
        !decode_holder_proof(item.proof, item.proof_length, proof, call.proof_payloads.data + payload_start,
                             call.signatures.data + kSignatureBytes * i)) {
      continue;
    }
    const auto base = static_cast<std::uint32_t>(payload_start);
    fields[kProofIsDecoded] = 1;
    fields[kProofSigningInputEnd] = item.proof_start + proof.signing_input_length;
    fields[kProofAudStart] = base + proof.aud.begin;
    fields[kProofAudEnd] = base + proof.aud.end;
    fields[kProofNonceStart] = base + proof.nonce.begin;
    fields[kProofNonceEnd] = base + proof.nonce.end;
    fields[kProofIsOfCredential] = 0;
    hashes.add({call.proof_payloads.data + base + proof.sd_hash.begin, proof.sd_hash.end - proof.sd_hash.begin,
                item.credential, item.credential_length},
               fields + kProofIsOfCredential);
    call.proof_dates.data[i] = proof.iat;
    payload_start += proof.payload_length;
    ++decoded_count;
  }
  hashes.end();
  return number(env, decoded_count);
}

namespace {

struct HeldProofHasher : ProofHasher {
  static constexpr std::uint32_t kHandle = 0x50524f4f;
  using ProofHasher::ProofHasher;
};

}  // namespace

napi_value create_proof_hasher(napi_env env, napi_callback_info info) { return make_keyed<HeldProofHasher>(env, info); }

napi_value identify_proofs(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  HeldProofHasher* hasher = nullptr;
  Bytes texts, ids;
  Words starts, ends;
  std::uint32_t count = 0;
  if (!read_arguments(env, info, arguments, 6) || !read_handle(env, arguments[0], "hasher", hasher) ||
      !read_bytes(env, arguments[1], "texts", texts) || !read_words(env, arguments[2], "starts", starts) ||
      !read_words(env, arguments[3], "ends", ends) || !read_count(env, arguments[4], "count", count) ||
      !read_bytes(env, arguments[5], "ids", ids)) {
    return nullptr;
  }
  if (std::min(starts.length, ends.length) < count || ids.length / kProofIdBytes < count) {
    refuse(env, "an array is shorter than the count of proofs asks for");
    return nullptr;
  }
  for (std::uint32_t i = 0; i < count; i += 2) {
    const std::uint32_t together = count - i < 2 ? 1 : 2;
    Sha256Rest signing_inputs[2];
    for (std::uint32_t j = 0; j < together; ++j) {
      // What was held against the length is what is used: read once, whoever writes into the arrays meanwhile.
      const std::uint32_t start = starts.data[i + j];
      const std::uint32_t end = ends.data[i + j];
      if (!lies_within(start, end, texts.length)) {
        refuse(env, "a signing input must not end before it begins, nor beyond the array");
        return nullptr;
      }
      signing_inputs[j] = {texts.data + start, end - start};
    }
    std::uint8_t* const to = ids.data + kProofIdBytes * i;
    if (together == 2) hasher->identify_two(signing_inputs, to);
    else hasher->identify(signing_inputs[0].bytes, signing_inputs[0].length, to);
  }
  return nullptr;
}

}  // namespace vigie::addon
