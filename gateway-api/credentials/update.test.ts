import assert from 'node:assert/strict';
import { authority } from '../../test/harness/certificates.ts';
import { DEFAULT_ENVIRONMENT, type Environment } from '../environment.ts';
import { Store } from '../store.ts';
import { nextExpiry, type Translation, translate } from '../translate.ts';

const DAY_MS = 86_400_000;
const BEGIN = Date.UTC(2030, 0, 1);
const root = authority({ notBefore: BEGIN, notAfter: BEGIN + 90 * DAY_MS });

function secret(name: string, notAfter: number, namespace: string = 'shop'): string {
  const { chain, key } = root.issue({ notBefore: BEGIN, notAfter, names: ['DNS:shop.example'] });
  const stringData = { 'tls.crt': chain, 'tls.key': key };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData });
}

const GATEWAYS = ['one', 'two', 'three']
  .map((name, index) => {
    const at = `{name: ${name}, namespace: shop}`;
    const ref = `{name: ${name}, namespace: ${name === 'three' ? 'other' : 'shop'}}`;
    return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: ${at}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: tls, port: ${8443 + index}, protocol: HTTPS, tls: {certificateRefs: [${ref}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: ${at}
spec:
  parentRefs: [{name: ${name}}]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]}]
`;
  })
  .join('---');

const GRANT = `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: other}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}]
  to: [{group: "", kind: Secret}]
`;

/** One store through several states, translated after each. */
class Course {
  readonly store: Store = new Store();
  environment: Environment = { ...DEFAULT_ENVIRONMENT, now: BEGIN };
  last: Translation | null = null;

  /** What it is now, which must be what it would be from scratch. */
  translate(): Translation {
    const next = translate(this.store.resources, this.environment, this.last);
    const { snapshot, statuses } = translate(this.store.resources, this.environment, null);
    assert.deepEqual(next.snapshot, snapshot);
    assert.deepEqual(next.statuses, statuses);
    this.last = next;
    return next;
  }
}

function served({ snapshot }: Translation): readonly number[] {
  return [...snapshot.binds.values()].map(({ port }) => port).sort();
}

describe('credentials from one translation to the next', () => {
  let course: Course;

  beforeEach(() => {
    course = new Course();
    course.store.apply('gateways.yaml', GATEWAYS);
    course.store.apply('one.yaml', secret('one', BEGIN + 30 * DAY_MS));
    course.store.apply('two.yaml', secret('two', BEGIN + 60 * DAY_MS));
    course.store.apply('three.yaml', secret('three', BEGIN + 60 * DAY_MS, 'other'));
    course.store.apply('grant.yaml', GRANT);
    course.translate();
  });

  it('a new certificate changes itself and nothing else', () => {
    const before = course.last!;
    course.store.apply('one.yaml', secret('one', BEGIN + 80 * DAY_MS));
    const after = course.translate();
    assert.equal(after.state.parties.gateways.get('shop/one'), before.state.parties.gateways.get('shop/one'));
    assert.equal(after.statuses, before.statuses);
    for (const part of ['binds', 'tables', 'services', 'backends'] as const) {
      assert.equal(after.snapshot[part], before.snapshot[part], part);
    }
    const now = after.snapshot.credentials;
    assert.notEqual(
      now.get('Secret shop/one')?.certificate,
      before.snapshot.credentials.get('Secret shop/one')?.certificate,
    );
    assert.equal(now.get('Secret shop/two'), before.snapshot.credentials.get('Secret shop/two'));
  });

  it('a Secret that goes takes its listener with it, and brings it back', () => {
    course.store.remove('one.yaml');
    assert.deepEqual(served(course.translate()), [8444, 8445]);
    assert.equal(course.last?.snapshot.credentials.has('Secret shop/one'), false);
    course.store.apply('one.yaml', secret('one', BEGIN + 30 * DAY_MS));
    assert.deepEqual(served(course.translate()), [8443, 8444, 8445]);
  });

  it('a grant that goes takes the certificate back', () => {
    course.store.remove('grant.yaml');
    assert.deepEqual(served(course.translate()), [8443, 8444]);
    course.store.apply('grant.yaml', GRANT);
    assert.deepEqual(served(course.translate()), [8443, 8444, 8445]);
  });

  it('time alone ends a certificate, at the moment that was foretold', () => {
    const at = nextExpiry(course.last!)!;
    assert.equal(at, BEGIN + 30 * DAY_MS + 1);
    course.environment = { ...course.environment, now: at - 1 };
    const before = course.last!;
    assert.equal(course.translate().statuses, before.statuses);
    course.environment = { ...course.environment, now: at };
    assert.deepEqual(served(course.translate()), [8444, 8445]);
    assert.equal(nextExpiry(course.last!), BEGIN + 60 * DAY_MS + 1);
    course.environment = { ...course.environment, now: BEGIN + 61 * DAY_MS };
    assert.deepEqual(served(course.translate()), []);
    assert.equal(nextExpiry(course.last!), null);
  });

  it('a certificate that nobody names changes nothing at all', () => {
    const before = course.last!;
    course.store.apply('idle.yaml', secret('idle', BEGIN + 30 * DAY_MS));
    const after = course.translate();
    assert.equal(after.snapshot.credentials, before.snapshot.credentials);
    assert.equal(after.statuses, before.statuses);
    assert.equal(after.state.parties.gateways, before.state.parties.gateways);
  });

  it('a credential of this process comes and goes with its environment', () => {
    const named = GATEWAYS.replace('certificateRefs: [{', 'certificateRefs: [{group: waypoint.dev, kind: Credential, ');
    course.store.apply('gateways.yaml', named.replace('name: one, namespace: shop}]}', 'name: one}]}'));
    assert.deepEqual(served(course.translate()), [8444, 8445]);
    const { chain, key } = root.issue({ notBefore: BEGIN, notAfter: BEGIN + DAY_MS });
    const plan = {
      id: 'Credential one',
      certificate: chain,
      key,
      authorities: null,
      revocations: null,
      trustDomain: null,
    };
    course.environment = { ...course.environment, credentials: new Map([[plan.id, plan]]) };
    assert.deepEqual(served(course.translate()), [8443, 8444, 8445]);
    assert.equal(course.last?.snapshot.credentials.get(plan.id)?.key, key);
    course.environment = { ...course.environment, credentials: new Map() };
    assert.deepEqual(served(course.translate()), [8444, 8445]);
  });
});
