/** Answers to credentials that were decoded in bulk, as the bytes of `ingress/verdict-reply.ts`. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** Bytes that are written as they are. */
struct Piece {
  const std::uint8_t* bytes;
  std::size_t length;
};

/** What one answer says; texts are the insides of JSON strings, `claims` the payload as the issuer wrote it. */
struct Answer {
  /** `{"verdict":…,"reason":…,"action":…`, without the brace that would close it. */
  Piece head;
  Piece iss;
  Piece jti;
  Piece sub;
  bool has_sub;
  /** Whole seconds. */
  std::uint64_t exp;
  Piece claims;
  /** The issuer's signature holds. */
  bool signature_holds;
  /** The holder's proof does, too. */
  bool proof_holds;
  /** The inside of the member `key`. */
  Piece key;
  /** From the member `revocation` to the end of the answer, and what separates it from the next. */
  Piece tail;
};

/** At most so many bytes beside the pieces. */
constexpr std::size_t kAnswerFixedBytes = 160;

/** Bytes that the answer will not exceed. */
std::size_t answer_bound(const Answer& answer) noexcept;

/** Writes the answer, and returns where it ends; the place has room for answer_bound(answer). */
std::uint8_t* write_answer(const Answer& answer, std::uint8_t* at) noexcept;

}  // namespace vigie
