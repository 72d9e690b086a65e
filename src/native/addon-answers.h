/** Answers in bulk as JavaScript asks for them. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** writeAnswers(payloads, fields, dates, reasons, holds, …): see addon.ts for the arrays. */
napi_value write_answers(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
