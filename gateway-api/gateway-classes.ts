// Which GatewayClasses are ours, what we say about them, and what we claim to support.

import { condition, type GatewayClassStatus, no, type Verdict, yes } from './conditions.ts';
import { CONTROLLER_NAME, DEFAULT_CLASS } from './environment.ts';
import type { Gateway, GatewayClass } from './resources.ts';

/** Gateway API features that work, in the names of its conformance suite; sorted, as the API asks. */
const SUPPORTED_FEATURES: readonly string[] = [
  'BackendTLSPolicy',
  'BackendTLSPolicySANValidation',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayBackendClientCertificate',
  'GatewayFrontendClientCertificateValidation',
  'GatewayFrontendClientCertificateValidationInsecureFallback',
  'GatewayHTTPListenerIsolation',
  'GatewayPort8080',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendRequestRedirect',
  'HTTPRouteBackendTimeout',
  'HTTPRouteBackendURLRewrite',
  'HTTPRouteCORS',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestPercentageMirror',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteSchemeRedirect',
  'Mesh',
  'MeshClusterIPMatching',
  'MeshHTTPRouteBackendRequestHeaderModification',
  'MeshHTTPRouteNamedRouteRule',
  'MeshHTTPRouteQueryParamMatching',
  'MeshHTTPRouteRedirectPath',
  'MeshHTTPRouteRedirectPort',
  'MeshHTTPRouteRewritePath',
  'MeshHTTPRouteSchemeRedirect',
  'ReferenceGrant',
];

const CLASS_ACCEPTED = yes('Accepted', 'GatewayClass is served by this controller');
const CLASS_PARAMETERS = no('InvalidParameters', 'parametersRef is not supported: remove it');

/** Whether Gateways of this class are ours; null: the class is not, say nothing about its Gateways. */
export function classVerdict(gateway: Gateway, classes: ReadonlyMap<string, GatewayClass>): Verdict | null {
  const name = gateway.spec.gatewayClassName;
  const found = classes.get(name);
  if (found === undefined) return name === DEFAULT_CLASS ? CLASS_ACCEPTED : null;
  return isOurs(found) ? verdictOf(found) : null;
}

/** null: the class belongs to another controller. */
export function gatewayClassStatus(gatewayClass: GatewayClass): GatewayClassStatus | null {
  if (!isOurs(gatewayClass)) return null;
  const { name, generation } = gatewayClass.metadata;
  const conditions = [condition('Accepted', verdictOf(gatewayClass), generation)];
  return { kind: 'GatewayClass', key: name, conditions, supportedFeatures: SUPPORTED_FEATURES };
}

function isOurs(gatewayClass: GatewayClass): boolean {
  return gatewayClass.spec.controllerName === CONTROLLER_NAME;
}

function verdictOf(gatewayClass: GatewayClass): Verdict {
  return gatewayClass.spec.parametersRef === undefined ? CLASS_ACCEPTED : CLASS_PARAMETERS;
}
