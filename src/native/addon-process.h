/** What keeps the process's memory to itself. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** forbidDumps(): which of both failed, that no core is dumped and that no other program of this user may look into it. */
napi_value forbid_dumps(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
