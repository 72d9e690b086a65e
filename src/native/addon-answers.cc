/** The function; its contract stands in addon.ts. */
#include "addon-answers.h"

#include "addon-arguments.h"
#include "addon-fields.h"
#include "ingress/native/answer-writer.h"

namespace vigie::addon {
namespace {

/** Texts one behind the other, and where each of them ends. */
struct Texts {
  Bytes bytes;
  Words ends;

  bool read(napi_env env, const napi_value* arguments, const char* name) {
    return read_bytes(env, arguments[0], name, bytes) && read_words(env, arguments[1], name, ends);
  }
  bool at(std::uint32_t index, Piece& piece) const {
    if (index >= ends.length) return false;
    const std::uint32_t begin = index == 0 ? 0 : ends.data[index - 1];
    const std::uint32_t end = ends.data[index];
    if (begin > end || end > bytes.length) return false;
    piece = {bytes.data + begin, end - begin};
    return true;
  }
};

/** Arguments: payloads, fields, dates, reasons, holds, heads, headEnds, keys, keyEnds, tail, from, to, out, at, ends. */
struct Call {
  static constexpr std::size_t kArguments = 15;
  Bytes payloads;
  Words fields;
  Doubles dates;
  Bytes reasons;
  Bytes holds;
  Texts heads;
  Texts keys;
  Bytes tail;
  std::uint32_t from;
  std::uint32_t to;
  Bytes out;
  std::size_t at;
  Words ends;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_bytes(env, arguments[0], "payloads", call.payloads) ||
      !read_words(env, arguments[1], "fields", call.fields) || !read_doubles(env, arguments[2], "dates", call.dates) ||
      !read_bytes(env, arguments[3], "reasons", call.reasons) || !read_bytes(env, arguments[4], "holds", call.holds) ||
      !call.heads.read(env, arguments + 5, "heads") || !call.keys.read(env, arguments + 7, "keys") ||
      !read_bytes(env, arguments[9], "tail", call.tail) || !read_count(env, arguments[10], "from", call.from) ||
      !read_count(env, arguments[11], "to", call.to) || !read_bytes(env, arguments[12], "out", call.out) ||
      !read_size(env, arguments[13], "at", call.at) || !read_words(env, arguments[14], "ends", call.ends)) {
    return false;
  }
  const std::size_t to = call.to;
  if (call.from > to || call.fields.length / kFields < to || call.dates.length / 3 < to || call.reasons.length < to ||
      call.holds.length < to || call.ends.length < to || call.at > call.out.length) {
    return refuse(env, "an array is shorter than the answers ask for");
  }
  return true;
}

bool piece_of(const Call& call, const std::uint32_t* row, Field start, Piece& piece) {
  const std::uint32_t begin = row[start];
  const std::uint32_t end = row[start + 1];
  if (begin > end || end > call.payloads.length) return false;
  piece = {call.payloads.data + begin, end - begin};
  return true;
}

bool read_answer(const Call& call, std::uint32_t item, Answer& answer) {
  const std::uint32_t* const row = call.fields.data + std::size_t{kFields} * item;
  answer.has_sub = (row[kFlags] & kHasSub) != 0;
  answer.signature_holds = (call.holds.data[item] & kIssuerHolds) != 0;
  answer.proof_holds = (call.holds.data[item] & kHolderHolds) != 0;
  const double exp = call.dates.data[3 * std::size_t{item}];
  // What the decoder wrote is a whole number of fifteen digits at most.
  if (!(exp >= 0 && exp < 9007199254740992.0)) return false;
  answer.exp = static_cast<std::uint64_t>(exp);
  answer.tail = {call.tail.data, call.tail.length};
  return call.heads.at(call.reasons.data[item], answer.head) && call.keys.at(row[kPair], answer.key) &&
         piece_of(call, row, kIssStart, answer.iss) && piece_of(call, row, kJtiStart, answer.jti) &&
         piece_of(call, row, kSubStart, answer.sub) && piece_of(call, row, kPayloadStart, answer.claims);
}

}  // namespace

napi_value write_answers(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  std::size_t at = call.at;
  for (std::uint32_t item = call.from; item < call.to; ++item) {
    Answer answer;
    if (!read_answer(call, item, answer)) {
      refuse(env, "a credential's row names what the arrays do not hold");
      return nullptr;
    }
    if (call.out.length - at < answer_bound(answer)) {
      refuse(env, "out has no room for the answers");
      return nullptr;
    }
    at = static_cast<std::size_t>(write_answer(answer, call.out.data + at) - call.out.data);
    call.ends.data[item] = static_cast<std::uint32_t>(at);
  }
  return number(env, static_cast<double>(at));
}

}  // namespace vigie::addon
