/** The functions; their contract stands in addon.ts. */
#include "addon-envelopes.h"

#include <algorithm>

#include "addon-arguments.h"
#include "ingress/native/batch-scan.h"
#include "ingress/native/envelope-scan.h"

namespace vigie::addon {
namespace {

/** Where a member of each body stands, kNoPlace where it is absent. */
struct MemberPlaces {
  Words starts;
  Words ends;

  bool read(napi_env env, const napi_value* arguments, const char* name) {
    return read_words(env, arguments[0], name, starts) && read_words(env, arguments[1], name, ends);
  }
  std::size_t length() const { return std::min(starts.length, ends.length); }
  void put(std::uint32_t at, std::uint32_t body_start, const OptionalPlace& member) {
    starts.data[at] = member.is_there ? body_start + member.place.begin : kNoPlace;
    ends.data[at] = body_start + member.place.end;
  }
};

/**
 * Arguments: bodies, starts, ends, isJson, count, audienceStarts, audienceEnds, proofStarts, proofEnds, nonceStarts,
 * nonceEnds.
 */
struct Call {
  static constexpr std::size_t kArguments = 11;
  Bytes bodies;
  Words starts;
  Words ends;
  Bytes is_json;
  std::uint32_t count;
  MemberPlaces audiences;
  MemberPlaces proofs;
  MemberPlaces nonces;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_bytes(env, arguments[0], "bodies", call.bodies) || !read_words(env, arguments[1], "starts", call.starts) ||
      !read_words(env, arguments[2], "ends", call.ends) || !read_bytes(env, arguments[3], "isJson", call.is_json) ||
      !read_count(env, arguments[4], "count", call.count) ||
      !call.audiences.read(env, arguments + 5, "audiences") || !call.proofs.read(env, arguments + 7, "proofs") ||
      !call.nonces.read(env, arguments + 9, "nonces")) {
    return false;
  }
  const std::size_t least = std::min({call.starts.length, call.ends.length, call.is_json.length,
                                      call.audiences.length(), call.proofs.length(), call.nonces.length()});
  return least >= call.count || refuse(env, "an array is shorter than the count of bodies asks for");
}

}  // namespace

napi_value scan_singles(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  std::uint32_t plain = 0;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    const std::uint32_t start = call.starts.data[i];
    const std::uint32_t end = call.ends.data[i];
    if (start > end || end > call.bodies.length) {
      refuse(env, "a body must not end before it begins, nor beyond the array");
      return nullptr;
    }
    SingleEnvelope envelope = {};
    // A bare credential is its body, to the last byte.
    if (call.is_json.data[i] == 0) envelope.credential = {0, end - start};
    else if (!scan_single_envelope(call.bodies.data + start, end - start, envelope)) {
      call.starts.data[i] = kNoPlace;
      continue;
    }
    ++plain;
    call.starts.data[i] = start + envelope.credential.begin;
    call.ends.data[i] = start + envelope.credential.end;
    call.audiences.put(i, start, envelope.audience);
    call.proofs.put(i, start, envelope.proof);
    call.nonces.put(i, start, envelope.nonce);
  }
  return number(env, plain);
}

namespace {

/** Arguments: bytes, from, to, place, starts, ends, proofStarts, proofEnds, room, mostBytes, stand. */
struct BatchCall {
  static constexpr std::size_t kArguments = 11;
  Bytes bytes;
  std::uint32_t from;
  std::uint32_t to;
  std::uint32_t place;
  Words starts;
  Words ends;
  Words proof_starts;
  Words proof_ends;
  std::uint32_t room;
  std::uint32_t most_bytes;
  Words stand;
};

bool read_batch_call(napi_env env, napi_callback_info info, BatchCall& call) {
  napi_value arguments[BatchCall::kArguments];
  if (!read_arguments(env, info, arguments, BatchCall::kArguments) ||
      !read_bytes(env, arguments[0], "bytes", call.bytes) || !read_count(env, arguments[1], "from", call.from) ||
      !read_count(env, arguments[2], "to", call.to) || !read_count(env, arguments[3], "place", call.place) ||
      !read_words(env, arguments[4], "starts", call.starts) || !read_words(env, arguments[5], "ends", call.ends) ||
      !read_words(env, arguments[6], "proofStarts", call.proof_starts) ||
      !read_words(env, arguments[7], "proofEnds", call.proof_ends) ||
      !read_count(env, arguments[8], "room", call.room) ||
      !read_count(env, arguments[9], "mostBytes", call.most_bytes) ||
      !read_words(env, arguments[10], "stand", call.stand)) {
    return false;
  }
  if (call.from > call.to || call.to > call.bytes.length) {
    return refuse(env, "a scan must not end before it begins, nor beyond the array");
  }
  if (call.place >= kBatchPlaces) return refuse(env, "there is no such place in a batch");
  const std::size_t least =
      std::min({call.starts.length, call.ends.length, call.proof_starts.length, call.proof_ends.length});
  if (least < call.room || call.stand.length < 3) {
    return refuse(env, "an array is shorter than the room asked for");
  }
  return true;
}

}  // namespace

napi_value scan_batch(napi_env env, napi_callback_info info) {
  BatchCall call;
  if (!read_batch_call(env, info, call)) return nullptr;
  const BatchScan scan =
      vigie::scan_batch(call.bytes.data + call.from, call.to - call.from, static_cast<BatchPlace>(call.place),
                        {call.starts.data, call.ends.data, call.proof_starts.data, call.proof_ends.data}, call.room,
                        call.most_bytes);
  for (std::size_t i = 0; i < scan.count; ++i) {
    call.starts.data[i] += call.from;
    call.ends.data[i] += call.from;
  }
  if (scan.proofs > 0) {
    for (std::size_t i = 0; i < scan.count; ++i) {
      if (call.proof_starts.data[i] == kNoPlace) continue;
      call.proof_starts.data[i] += call.from;
      call.proof_ends.data[i] += call.from;
    }
  }
  call.stand.data[0] = call.from + static_cast<std::uint32_t>(scan.consumed);
  call.stand.data[1] = static_cast<std::uint32_t>(scan.place);
  call.stand.data[2] = static_cast<std::uint32_t>(scan.proofs);
  return number(env, static_cast<double>(scan.count));
}

}  // namespace vigie::addon
