/** The store of prepared keys as JavaScript sees it. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/**
 * prepareKey(publicKey, windowBits, maxBytes): a promise of whether the key is prepared; false when it does not fit
 * or memory is short. The table is built on a thread of the pool, never on the caller's event loop.
 */
napi_value prepare_key_async(napi_env env, napi_callback_info info);

/** prepareKeyNow(publicKey, windowBits, maxBytes): the same in the calling thread, for tests and tools. */
napi_value prepare_key_now(napi_env env, napi_callback_info info);

/** prepareSelfTestKey(publicKey, windowBits, maxBytes): the same, into the self-test's own store. */
napi_value prepare_self_test_key(napi_env env, napi_callback_info info);

/** preparedKeyBytes(windowBits): what a key of this window occupies in the store. */
napi_value prepared_key_bytes_of(napi_env env, napi_callback_info info);

/** storeStats(): {keys, bytes, evictions, built} of the process. */
napi_value store_stats(napi_env env, napi_callback_info info);

/** clearStore(): every key is unknown again; batches under way keep theirs. */
napi_value clear_store(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
