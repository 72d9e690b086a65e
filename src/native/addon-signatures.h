/** The signature kernel as JavaScript sees it. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** verify(implementation, publicKeys, …): judges a batch in flat arrays; see addon.ts for its layout. */
napi_value verify(napi_env env, napi_callback_info info);

/** verifySpans: the same, with messages anywhere in their array. */
napi_value verify_spans(napi_env env, napi_callback_info info);

/** verifySelfTest: verify, with keys looked for in the self-test's own store. */
napi_value verify_self_test(napi_env env, napi_callback_info info);

/** implementations(): those that run here, the fastest first, as the numbers that `verify` takes. */
napi_value implementations(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
