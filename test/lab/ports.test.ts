import {createServer} from 'node:net';
import {describe, expect, it, onTestFinished} from 'vitest';
import {BLOCK, PortPicker} from '../../src/lab/ports.ts';

const server = () => {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
};

describe('PortPicker', () => {
  it('skips a port that is taken', async () => {
    const picker = new PortPicker();
    const first = await picker.free();
    const taken = server();
    await new Promise<void>((resolve) => taken.listen(first + 1, '127.0.0.1', resolve));
    expect(await picker.listen(server())).toBe(first + 2);
  });

  it('stays in the range below the ports of clients', async () => {
    const port = await new PortPicker().listen(server());
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  });

  it('has a block to itself, also while nothing listens there: whoever was killed finds its port free', async () => {
    const range = {first: 32_000, last: 32_000 + 3 * BLOCK - 1};
    const pickers = [new PortPicker(range), new PortPicker(range)];
    const blocks = new Map<number, number>();
    for (let turn = 0; turn < BLOCK - 1; turn++) {
      for (const [index, picker] of pickers.entries()) {
        const block = Math.floor(((await picker.free()) - range.first) / BLOCK);
        expect(blocks.get(block) ?? index).toBe(index);
        blocks.set(block, index);
      }
    }
    expect(blocks.size).toBe(2);
  });

  it('takes a further block when its own is full, and says so when the whole range is taken', async () => {
    const range = {first: 32_300, last: 32_300 + 2 * BLOCK - 1};
    const picker = new PortPicker(range);
    const ports = new Set<number>();
    for (let turn = 0; turn < 2 * (BLOCK - 1); turn++) ports.add(await picker.free());
    expect(ports.size).toBe(2 * (BLOCK - 1));
    await expect(picker.free()).rejects.toThrow(`no free port on 127.0.0.1 from ${range.first} to ${range.last}`);
  });
});
