/** Keyed hashes of cards and the revocation filter as JavaScript sees them. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** createCardHasher(key): a handle on a hasher of cards under this key. */
napi_value create_card_hasher(napi_env env, napi_callback_info info);

/** lookUpCards(hasher, filterWords, bits, hashes, …): see addon.ts for the arrays. */
napi_value look_up_cards(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
