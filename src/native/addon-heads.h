/** Heads of requests, recognised where uWebSockets.js has them. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** createHeadTable(): a handle; undefined where this process does not let the memory of a request be reached. */
napi_value create_head_table(napi_env env, napi_callback_info info);
/** findHead(table, request, room, at, most). */
napi_value find_head(napi_env env, napi_callback_info info);
/** learnHead(table, request). */
napi_value learn_head(napi_env env, napi_callback_info info);
/** headFault(request). */
napi_value head_fault(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
