#include "answer-writer.h"

#include <cstring>

namespace vigie {
namespace {

std::uint8_t* put(std::uint8_t* at, Piece piece) {
  if (piece.length > 0) std::memcpy(at, piece.bytes, piece.length);
  return at + piece.length;
}

template <std::size_t kSize>
std::uint8_t* put(std::uint8_t* at, const char (&text)[kSize]) {
  std::memcpy(at, text, kSize - 1);
  return at + kSize - 1;
}

std::uint8_t* put_decimal(std::uint8_t* at, std::uint64_t number) {
  std::uint8_t digits[20];
  std::uint8_t* first = digits + sizeof digits;
  do {
    *--first = static_cast<std::uint8_t>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  return put(at, Piece{first, static_cast<std::size_t>(digits + sizeof digits - first)});
}

}  // namespace

std::size_t answer_bound(const Answer& answer) noexcept {
  return kAnswerFixedBytes + answer.head.length + answer.iss.length + answer.jti.length + answer.sub.length +
         answer.claims.length + answer.key.length + answer.tail.length;
}

std::uint8_t* write_answer(const Answer& answer, std::uint8_t* at) noexcept {
  at = put(at, answer.head);
  at = put(at, ",\"credential\":{\"iss\":\"");
  at = put(at, answer.iss);
  at = put(at, "\",\"jti\":\"");
  at = put(at, answer.jti);
  if (answer.has_sub) {
    at = put(at, "\",\"sub\":\"");
    at = put(at, answer.sub);
  }
  at = put(at, "\",\"exp\":");
  at = put_decimal(at, answer.exp);
  at = put(at, ",\"claims\":");
  at = answer.signature_holds ? put(at, answer.claims) : put(at, "{}");
  if (!answer.signature_holds) at = put(at, "},\"verified\":[],\"key\":{");
  else if (answer.proof_holds) at = put(at, "},\"verified\":[\"issuer\",\"holder\"],\"key\":{");
  else at = put(at, "},\"verified\":[\"issuer\"],\"key\":{");
  at = put(at, answer.key);
  at = put(at, "}");
  return put(at, answer.tail);
}

}  // namespace vigie
