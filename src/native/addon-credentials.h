/** The bulk decoder of credentials as JavaScript sees it. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** createRecogniser(): a handle on an empty one. */
napi_value create_recogniser(napi_env env, napi_callback_info info);

/** recognise(recogniser, header, issuer): the number of the pair, from now on; see addon.ts. */
napi_value recognise(napi_env env, napi_callback_info info);

/** decodeCredentials(recogniser, texts, starts, ends, count, …): see addon.ts for the arrays. */
napi_value decode_credentials(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
