/** What only the parser's memory tells of a request. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** endsSegment(chunk): whether nothing stands behind the chunk in what was read from its connection. */
napi_value ends_segment(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
