// PEM as people paste it together: blocks between BEGIN and END lines, whatever stands around them (RFC 7468).

export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`. */
  readonly label: string;
  /** From BEGIN to END, with a line break behind. */
  readonly text: string;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/** In order; what is cut off before its END line is no block. Linear in the length of the text. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let start = text.indexOf(BEGIN); start !== -1; ) {
    const labelEnd = text.indexOf(DASHES, start + BEGIN.length);
    if (labelEnd === -1) break;
    const label = text.slice(start + BEGIN.length, labelEnd);
    const closing = `-----END ${label}-----`;
    const end = text.indexOf(closing, labelEnd);
    if (end === -1) break;
    blocks.push({ label, text: `${text.slice(start, end + closing.length)}\n` });
    start = text.indexOf(BEGIN, end + closing.length);
  }
  return blocks;
}

export function isCertificate({ label }: PemBlock): boolean {
  return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE';
}

export function isPrivateKey({ label }: PemBlock): boolean {
  return label.endsWith('PRIVATE KEY');
}
