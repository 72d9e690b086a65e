/**
 * uWebSockets.js hands a body's bytes out where they were read. Where the head was read with them it has written two
 * bytes behind all that was read, CR and a letter, as a fence for its own scanning; so whoever looks behind the body
 * sees the fence, or what the client has sent beyond it: the next, pipelined request. Behind a body that came in a
 * segment of its own there is no fence, but what the client has sent beyond it, or what was read there before.
 */
#include "addon-requests.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "addon-arguments.h"
#include "addon-parser.h"

namespace vigie::addon {

namespace {

/** By their numbers in `BEHIND` (ingress/route.ts). */
enum Behind : std::uint32_t { kNothing = 0, kRequest = 1, kUnknown = 2 };

/** As RFC 9110 and RFC 5789 have them. Behind a segment of its own what somebody sent before may look so. */
constexpr std::string_view kMethods[] = {"POST ",   "GET ",     "HEAD ",  "OPTIONS ", "PUT ",
                                         "DELETE ", "CONNECT ", "TRACE ", "PATCH "};
constexpr std::size_t kLongestMethod = 8;

Behind stands_at(const char* behind) {
  if (behind[0] == '\r' && behind[1] == 'a') return kNothing;
  const std::string_view text(behind, kLongestMethod);
  for (const auto method : kMethods) {
    if (text.substr(0, method.size()) == method) return kRequest;
  }
  return kUnknown;
}

}  // namespace

napi_value stands_behind(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  void* data = nullptr;
  std::size_t length = 0;
  if (!read_arguments(env, info, arguments, 1)) return nullptr;
  std::uint32_t stands = kUnknown;
  // The parser keeps 32 bytes of room behind everything that it reads into, so there is something to be looked at.
  if (napi_get_arraybuffer_info(env, arguments[0], &data, &length) == napi_ok && length > 0) {
    stands = stands_at(static_cast<const char*>(data) + length);
  }
  napi_value result = nullptr;
  napi_create_uint32(env, stands, &result);
  return result;
}

napi_value connection_of(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  void* connection = nullptr;
  if (!read_arguments(env, info, arguments, 1) || !read_parsers_own(env, arguments[0], "response", connection)) {
    return nullptr;
  }
  // From one another they are mostly no further than a small integer of JavaScript reaches, by which a map finds faster.
  static const auto origin = reinterpret_cast<std::intptr_t>(connection);
  const auto distance = reinterpret_cast<std::intptr_t>(connection) - origin;
  return number(env, static_cast<double>(distance) / alignof(std::max_align_t));
}

}  // namespace vigie::addon
