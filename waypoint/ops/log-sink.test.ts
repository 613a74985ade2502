import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogSink } from './log-sink.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A descriptor that takes what the test says, when it says so. */
class Descriptor {
  readonly calls: { text: string; done: Done }[] = [];
  readonly #write = fs.write;

  constructor() {
    const write = (_fd: number, data: Buffer, offset: number, length: number, _at: null, done: Done): void => {
      this.calls.push({ text: data.toString('latin1', offset, offset + length), done });
    };
    fs.write = write as unknown as typeof fs.write;
  }

  restore(): void {
    fs.write = this.#write;
  }

  /** The write under way ends. */
  end(error: NodeJS.ErrnoException | null, written: number = this.calls[0]!.text.length): string {
    const { text, done } = this.calls.shift()!;
    done(error, written);
    return text;
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

describe('LogSink', () => {
  let descriptor: Descriptor;
  beforeEach(() => {
    descriptor = new Descriptor();
  });
  afterEach(() => descriptor.restore());

  it('has one write under way, and joins what waits for it', () => {
    const sink = new LogSink(99);
    for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line);
    assert.equal(descriptor.calls.length, 1);
    assert.equal(descriptor.end(null), 'a\n');
    assert.equal(descriptor.end(null), 'b\nc\n');
    assert.equal(descriptor.calls.length, 0);
  });

  it('writes the rest of what was taken in part', () => {
    const sink = new LogSink(99);
    sink.write('abcdef\n');
    descriptor.end(null, 2);
    assert.equal(descriptor.end(null), 'cdef\n');
  });

  it('drops and counts lines beyond its limit, and takes more when there is room', () => {
    const sink = new LogSink(99, 8);
    sink.write('1234567\n');
    sink.write('a\nb\n');
    assert.equal(sink.dropped, 2);
    descriptor.end(null);
    sink.write('c\n');
    assert.equal(descriptor.end(null), 'c\n');
    assert.equal(sink.dropped, 2);
  });

  it('drops everything once nobody reads any more', () => {
    const sink = new LogSink(99);
    sink.write('a\n');
    sink.write('b\nc\n');
    descriptor.end(failure('EPIPE'), 0);
    sink.write('d\n');
    assert.equal(sink.dropped, 4);
    assert.equal(descriptor.calls.length, 0);
  });

  it('goes on after an error that may pass', () => {
    const sink = new LogSink(99);
    sink.write('a\n');
    sink.write('b\n');
    descriptor.end(failure('ENOSPC'), 0);
    assert.equal(sink.dropped, 1);
    assert.equal(descriptor.end(null), 'b\n');
  });

  it('tries a full pipe again', async () => {
    const sink = new LogSink(99);
    sink.write('a\n');
    descriptor.end(failure('EAGAIN'), 0);
    const { promise, resolve } = Promise.withResolvers<void>();
    fs.write = ((...args: unknown[]) => {
      (args.at(-1) as Done)(null, 2);
      resolve();
    }) as unknown as typeof fs.write;
    const awake = setTimeout(() => {}, 5000);
    await promise;
    clearTimeout(awake);
    await sink.flush();
    assert.equal(sink.dropped, 0);
  });

  it('flushes', async () => {
    const sink = new LogSink(99);
    await sink.flush();
    sink.write('a\n');
    const flushed = sink.flush();
    descriptor.end(null);
    await flushed;
  });

  it('writes to a file', async () => {
    descriptor.restore();
    const folder = fs.mkdtempSync(join(tmpdir(), 'waypoint-sink-'));
    const stream = fs.createWriteStream(join(folder, 'log'));
    await once(stream, 'open');
    const sink = new LogSink((stream as unknown as { fd: number }).fd);
    for (let line = 0; line < 1000; line++) sink.write(`${line}\n`);
    await sink.flush();
    stream.close();
    assert.equal(fs.readFileSync(join(folder, 'log'), 'latin1').split('\n').length, 1001);
    fs.rmSync(folder, { recursive: true });
  });
});
