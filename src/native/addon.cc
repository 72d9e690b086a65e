/**
 * The addon: what JavaScript may call of the native code. Loaded once by each thread's environment; nothing belongs to
 * one but the handles that it was given, all other state is the process's.
 *
 * The plain Node-API is used, without a C++ wrapper: every call returns a status, and the calls are short enough that
 * a wrapper's objects would show.
 */
#include <node_api.h>

#include <iterator>

#include "addon-answers.h"
#include "addon-arguments.h"
#include "addon-cards.h"
#include "addon-credentials.h"
#include "addon-envelopes.h"
#include "addon-heads.h"
#include "addon-keys.h"
#include "addon-memory.h"
#include "addon-process.h"
#include "addon-proofs.h"
#include "addon-requests.h"
#include "addon-signatures.h"
#include "addon-threads.h"
#include "signature/native/fixed-base-table.h"
#include "signature/native/kernel.h"

namespace vigie::addon {

napi_value make_exports(napi_env env, napi_value exports) {
  if (!initialise()) {
    napi_throw_error(env, nullptr, "the kernel's tables do not fit in memory");
    return nullptr;
  }
  const napi_property_descriptor properties[] = {
      method("verify", verify),
      method("verifySpans", verify_spans),
      method("verifySelfTest", verify_self_test),
      method("implementations", implementations),
      method("prepareKey", prepare_key_async),
      method("prepareKeyNow", prepare_key_now),
      method("prepareSelfTestKey", prepare_self_test_key),
      method("preparedKeyBytes", prepared_key_bytes_of),
      method("storeStats", store_stats),
      method("clearStore", clear_store),
      method("createRecogniser", create_recogniser),
      method("recognise", recognise),
      method("decodeCredentials", decode_credentials),
      method("decodeProofs", decode_proofs),
      method("createProofHasher", create_proof_hasher),
      method("identifyProofs", identify_proofs),
      method("adviseHugePages", advise_huge_pages),
      method("forbidDumps", forbid_dumps),
      method("standsBehind", stands_behind),
      method("connectionOf", connection_of),
      method("createHeadTable", create_head_table),
      method("findHead", find_head),
      method("learnHead", learn_head),
      method("headFault", head_fault),
      method("scanSingles", scan_singles),
      method("scanBatch", scan_batch),
      method("createCardHasher", create_card_hasher),
      method("lookUpCards", look_up_cards),
      method("writeAnswers", write_answers),
      method("guardThread", guard_thread),
      method("cutOffWatched", cut_off_watched),
      method("unwatchedConnections", unwatched_connections_of),
      method("cutOff", cut_off_one),
      method("endProcess", end_process),
      constant("baseWindowBits", number(env, base_point_table().shape->bits)),
      constant("minWindowBits", number(env, kMinWindowBits)),
      constant("maxWindowBits", number(env, kMaxWindowBits)),
  };
  if (napi_define_properties(env, exports, std::size(properties), properties) != napi_ok) return nullptr;
  return exports;
}

}  // namespace vigie::addon

NAPI_MODULE_INIT() { return vigie::addon::make_exports(env, exports); }
