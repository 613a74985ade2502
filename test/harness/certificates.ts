// The certificate authorities of the demo, for tests of every room.

export {
  type Authority,
  authority,
  type CertificateOptions,
  type Issued,
} from '../../waypoint/cli/certificates/authority.ts';
