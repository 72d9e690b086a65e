/** What only the parser's memory tells of a request. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** standsBehind(chunk): what stands behind the chunk in what was read from its connection, a number of `BEHIND`. */
napi_value stands_behind(napi_env env, napi_callback_info info);

/** connectionOf(response): a number that no other open connection of the thread has. */
napi_value connection_of(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
