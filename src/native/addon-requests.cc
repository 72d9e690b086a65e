/**
 * uWebSockets.js hands a body's bytes out where they were read, and writes two bytes behind all that was read, CR and
 * a letter, as a fence for its own scanning. So whoever looks behind a chunk sees the fence, or what the client has
 * sent beyond the body: the next, pipelined request.
 */
#include "addon-requests.h"

#include <cstddef>
#include <cstdint>

#include "addon-arguments.h"

namespace vigie::addon {

napi_value ends_segment(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  void* data = nullptr;
  std::size_t length = 0;
  if (!read_arguments(env, info, arguments, 1)) return nullptr;
  bool ends = false;
  // The parser keeps 32 bytes of room behind everything that it reads into, so the two are there to be looked at.
  if (napi_get_arraybuffer_info(env, arguments[0], &data, &length) == napi_ok && length > 0) {
    const auto* const behind = static_cast<const std::uint8_t*>(data) + length;
    ends = behind[0] == '\r' && behind[1] == 'a';
  }
  napi_value result = nullptr;
  napi_get_boolean(env, ends, &result);
  return result;
}

}  // namespace vigie::addon
