/** The claims among the members of a payload; the contract stands in the header. */
#include "claims-scan.h"

#include <limits>

#include "plain-json.h"

namespace vigie {
namespace {

using plain::head_of;
using plain::Name;
using plain::PlainJson;

/** The value of a member of the payload itself. */
bool read_claim(PlainJson& json, Claims& claims, const Name& name) {
  if (name.length == 3) {
    switch (name.head) {
      case head_of("iss"):
        return json.string(claims.iss);
      case head_of("jti"):
        return json.string(claims.jti);
      case head_of("sub"):
        return json.string(claims.sub);
      case head_of("exp"):
        return json.date(claims.exp);
      case head_of("nbf"):
        return json.date(claims.nbf);
      case head_of("iat"):
        return json.date(claims.iat);
      case head_of("aud"):
        return json.value(claims.aud);
      case head_of("cnf"):
        return json.value(claims.cnf);
      default:
        return json.value();
    }
  }
  if (name.length == 6 && name.head == head_of("rights")) return json.value(claims.rights);
  if (name.length == 4 && name.head == head_of("test")) claims.test = json.is_true_next();
  return json.value();
}

}  // namespace

bool scan_claims(const std::uint8_t* payload, std::size_t length, Claims& claims) noexcept {
  const double absent = std::numeric_limits<double>::quiet_NaN();
  claims = Claims{{}, {}, {}, {}, {}, {}, absent, absent, absent, false};
  PlainJson json(payload, length);
  return json.is_object([&](const Name& name) { return read_claim(json, claims, name); }) &&
         claims.iss.end > claims.iss.begin && claims.jti.end > claims.jti.begin && claims.exp == claims.exp;
}

}  // namespace vigie
