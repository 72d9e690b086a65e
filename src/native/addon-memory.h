/** Advice to the system on memory that JavaScript holds. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** adviseHugePages(bytes): whether the system took the advice. */
napi_value advise_huge_pages(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
