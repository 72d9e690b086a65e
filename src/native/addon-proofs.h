/** Holder proofs in bulk as JavaScript sees them: their decoder, and the names under which they are remembered. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** decodeProofs(texts, starts, ends, …): see addon.ts for the arrays. */
napi_value decode_proofs(napi_env env, napi_callback_info info);

/** createProofHasher(key): a handle. */
napi_value create_proof_hasher(napi_env env, napi_callback_info info);

/** identifyProofs(hasher, texts, starts, ends, count, ids): see addon.ts. */
napi_value identify_proofs(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
