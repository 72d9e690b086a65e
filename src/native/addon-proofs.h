/** The bulk decoder of holder proofs as JavaScript sees it. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** decodeProofs(texts, starts, ends, …): see addon.ts for the arrays. */
napi_value decode_proofs(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
