// Codes of findings that come from a reason of the Gateway API.

/** Where the reason's own words would not say what to look for. */
const CODES: Readonly<Record<string, string>> = {
  BackendNotFound: 'dangling_backend',
  InvalidKind: 'unsupported_kind',
  NoMatchingListenerHostname: 'hostname_never_matches',
  Conflicted: 'policy_conflict',
  Contradiction: 'policy_contradiction',
  Invalid: 'invalid_policy',
  Pending: 'parent_not_ready',
  RefNotPermitted: 'missing_grant',
  TargetNotFound: 'dangling_target',
};

/** `NoMatchingParent` is `no_matching_parent`, `InvalidCACertificateRef` is `invalid_ca_certificate_ref`. */
export function codeOf(reason: string): string {
  const words = reason.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z])([A-Z][a-z])/g, '$1_$2');
  return CODES[reason] ?? words.toLowerCase();
}
