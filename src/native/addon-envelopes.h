/** Plain envelopes as JavaScript has them scanned. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** scanSingles(bodies, starts, ends, isJson, count, …): see addon.ts for the arrays. */
napi_value scan_singles(napi_env env, napi_callback_info info);

/** scanBatch(bytes, from, to, place, starts, ends, room, mostBytes, stand): the count of items found. */
napi_value scan_batch(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
