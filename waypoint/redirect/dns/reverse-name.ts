// The name under which an address is looked up: 2.10.0.127.in-addr.arpa (RFC 1035 3.5), ip6.arpa (RFC 3596 2.5).

/** `address`: a valid IP address. */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  return `${[...expanded(address)].toReversed().join('.')}.ip6.arpa`;
}

/** The 32 hexadecimal digits of an IPv6 address. */
function expanded(address: string): string {
  // URL knows every spelling, an embedded IPv4 address included, and writes the short one.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const left = digits(head);
  const right = digits(tail ?? '');
  return left + '0'.repeat(32 - left.length - right.length) + right;
}

function digits(groups: string): string {
  if (groups === '') return '';
  return groups
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join('');
}
