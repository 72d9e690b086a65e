/** What keeps the process's memory to itself. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** forbidDumps(): whether from now on no core is dumped and no other program of this user may look into the process. */
napi_value forbid_dumps(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
