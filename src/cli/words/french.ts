/**
 * The words in French, as they are said in a pharmacy: the holder is « l'assuré » (« titulaire » is who owns the
 * pharmacy), and what to do stands in the infinitive.
 */
import type { WordTable } from './word-table.ts';

export const FRENCH: WordTable = {
  // They all speak of the card.
  verdicts: {
    valid: 'valide',
    invalid: 'non valide',
    revoked: 'révoquée',
    suspended: 'suspendue',
    indeterminate: 'non vérifiée',
  },
  reasons: {
    ok: "La carte est authentique, en cours de validité et n'est pas révoquée.",
    malformed: "Ce qui a été scanné n'est pas une carte lisible.",
    alg_not_allowed: "La carte est signée par un procédé qui n'est pas accepté.",
    crit_unsupported: "La carte demande un traitement qui n'est pas pris en charge.",
    unknown_issuer: "L'émetteur de cette carte ne figure pas sur la liste de confiance.",
    unknown_key: 'La clé qui a signé la carte ne figure pas, ou pas encore, sur la liste de confiance.',
    key_not_active: "La clé qui a signé la carte n'est pas active.",
    bad_signature: 'La signature ne correspond pas à la carte, qui a été modifiée ou falsifiée.',
    not_yet_valid: "La carte n'est pas encore valide.",
    expired: 'La carte a expiré.',
    audience_mismatch: 'La carte a été émise pour un autre établissement.',
    holder_proof_missing: "Le téléphone n'a pas prouvé la présence de l'assuré.",
    holder_proof_invalid:
      "La preuve de présence fournie par le téléphone n'est pas valide. Elle est peut-être trop ancienne, ou établie " +
      'pour une autre carte ou une autre pharmacie.',
    replayed: "Cette présentation de la carte a déjà servi. Il s'agit peut-être d'une photo de l'écran.",
    revoked: 'La carte est révoquée, ou une carte plus récente la remplace.',
    suspended: 'La carte est suspendue.',
    revocation_stale: 'Impossible de savoir pour le moment si la carte est révoquée.',
    keys_stale: "Impossible de savoir pour le moment si l'émetteur de la carte est reconnu.",
    overloaded: "Le service de vérification est surchargé et n'a pas vérifié la carte.",
    rights_not_open: 'La carte est authentique, mais les droits ne sont pas ouverts à cette date.',
    test_credential: 'Cette carte est une carte de test.',
  },
  actions: {
    bill: "facturer comme d'habitude.",
    rescan: 'scanner de nouveau la carte.',
    refuse: 'ne pas accepter cette carte.',
    retry: 'réessayer dans un instant.',
    refresh_app: "demander à l'assuré d'actualiser l'application, puis scanner de nouveau la carte.",
    use_physical_card: 'demander la carte physique.',
    check_rights: "vérifier les droits de l'assuré.",
  },
  atTheCounter: 'Au comptoir',
  // French sets a colon off by a space at which no line may break.
  colon: '\u00a0: ',
  details: {
    issuer: 'émetteur',
    expires: 'expiration',
    holder: 'assuré',
    holderPresent: 'présence prouvée par le téléphone',
    holderNotChecked: 'présence non vérifiée',
    key: 'clé',
    keyOf: (kid, trustList) => `${kid} de la liste de confiance ${trustList}`,
    revocation: 'révocations',
    states: { fresh: 'à jour', stale: 'en retard', expired: 'périmées' },
    age: (state, ageMs) => `${state}, relevées il y a ${ageMs} ms`,
    never: (state) => `${state}, jamais confirmées`,
    replay: 'réutilisation',
    replayLocal: "recherchée sur cette passerelle seulement (les autres n'ont pas pu être interrogées)",
  },
};
