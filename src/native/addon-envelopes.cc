/** The functions; their contract stands in addon.ts. */
#include "addon-envelopes.h"

#include <algorithm>
#include <limits>

#include "addon-arguments.h"
#include "ingress/native/envelope-scan.h"

namespace vigie::addon {
namespace {

/** As NO_PLACE of addon.ts. */
constexpr std::uint32_t kNoPlace = 0xffffffff;

/** Arguments: bodies, starts, ends, isJson, count, audienceStarts, audienceEnds. */
struct Call {
  static constexpr std::size_t kArguments = 7;
  Bytes bodies;
  Words starts;
  Words ends;
  Bytes is_json;
  std::uint32_t count;
  Words audience_starts;
  Words audience_ends;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  napi_value arguments[Call::kArguments];
  if (!read_arguments(env, info, arguments, Call::kArguments) ||
      !read_bytes(env, arguments[0], "bodies", call.bodies) || !read_words(env, arguments[1], "starts", call.starts) ||
      !read_words(env, arguments[2], "ends", call.ends) || !read_bytes(env, arguments[3], "isJson", call.is_json) ||
      !read_count(env, arguments[4], "count", call.count) ||
      !read_words(env, arguments[5], "audienceStarts", call.audience_starts) ||
      !read_words(env, arguments[6], "audienceEnds", call.audience_ends)) {
    return false;
  }
  const std::size_t least = std::min({call.starts.length, call.ends.length, call.is_json.length,
                                      call.audience_starts.length, call.audience_ends.length});
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
    call.audience_starts.data[i] = kNoPlace;
    if (call.is_json.data[i] == 0) {
      // A bare credential is its body, to the last byte.
      ++plain;
      continue;
    }
    SingleEnvelope envelope;
    if (!scan_single_envelope(call.bodies.data + start, end - start, envelope)) {
      call.starts.data[i] = kNoPlace;
      continue;
    }
    ++plain;
    call.starts.data[i] = start + envelope.credential.begin;
    call.ends.data[i] = start + envelope.credential.end;
    if (!envelope.has_audience) continue;
    call.audience_starts.data[i] = start + envelope.audience.begin;
    call.audience_ends.data[i] = start + envelope.audience.end;
  }
  return number(env, plain);
}

napi_value scan_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  Bytes body;
  bool is_json = false;
  Words starts;
  Words ends;
  if (!read_arguments(env, info, arguments, 4) || !read_bytes(env, arguments[0], "body", body) ||
      !read_flag(env, arguments[1], "isJson", is_json) || !read_words(env, arguments[2], "starts", starts) ||
      !read_words(env, arguments[3], "ends", ends)) {
    return nullptr;
  }
  if (body.length >= std::numeric_limits<std::uint32_t>::max()) {
    refuse(env, "a body must be shorter than 4 GiB");
    return nullptr;
  }
  const std::size_t room = std::min(starts.length, ends.length);
  const std::size_t count = is_json ? scan_batch_envelope(body.data, body.length, starts.data, ends.data, room)
                                    : scan_lines(body.data, body.length, starts.data, ends.data, room);
  return number(env, count == kNotPlain ? -1 : static_cast<double>(count));
}

}  // namespace vigie::addon
