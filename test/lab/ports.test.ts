import {createServer} from 'node:net';
import {describe, expect, it, onTestFinished} from 'vitest';
import {LAB_PORTS, PortPicker} from '../../src/lab/ports.ts';

const server = () => {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
};

describe('PortPicker', () => {
  it('skips a port that is taken', async () => {
    const first = await new PortPicker().listen(server());
    const range = {first, last: first + 5};
    expect(await new PortPicker(range, first).listen(server())).toBeGreaterThan(first);
  });

  it('stays in the range below the ports of clients', async () => {
    const port = await new PortPicker(LAB_PORTS, LAB_PORTS.last).listen(server());
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  });

  it('says so when the whole range is taken', async () => {
    const port = await new PortPicker().listen(server());
    await expect(new PortPicker({first: port, last: port}).listen(server())).rejects.toThrow(
      `no free port on 127.0.0.1 from ${port} to ${port}`,
    );
  });
});
