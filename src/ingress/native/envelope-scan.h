/**
 * Plain envelopes: bodies in JSON whose strings need no decoding. They are read where they lie; all others, and all
 * that are wrong, are left to the strict parser (`ingress/envelope.ts`), which knows what to answer.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** A string's characters between its quotes, by places in the body. */
struct Place {
  std::uint32_t begin;
  std::uint32_t end;
};

/** A member that may be absent. */
struct OptionalPlace {
  bool is_there;
  Place place;
};

struct SingleEnvelope {
  Place credential;
  OptionalPlace proof;
  OptionalPlace audience;
  OptionalPlace nonce;
};

/**
 * `{"credential": "…", "holderProof"?: "…", "audience"?: "…", "nonce"?: "…", "channel"?: "qr"|"nfc"|"remote"}`, in any
 * order, each once, of printable ASCII without an escape; `remote` with a nonce alone. False: not plain.
 */
bool scan_single_envelope(const std::uint8_t* body, std::size_t length, SingleEnvelope& envelope) noexcept;

}  // namespace vigie
