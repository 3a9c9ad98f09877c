import {createHash, createHmac, pbkdf2Sync, randomBytes} from 'node:crypto';

/** The SCRAM-SHA-256 verifier that PostgreSQL stores for a password: with it no server ever sees the password itself. ASCII passwords only. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const mac = (key: string) => createHmac('sha256', salted).update(key).digest();
  const stored = createHash('sha256').update(mac('Client Key')).digest();
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored.toString('base64')}:${mac('Server Key').toString('base64')}`;
}
