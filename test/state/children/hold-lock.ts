import {DatabaseSync} from 'node:sqlite';

// Locks the file against everybody who writes, says so, and lets go half a second after it was told to.
const db = new DatabaseSync(process.argv[2] ?? '', {timeout: 5000});
db.exec('BEGIN IMMEDIATE');
process.stdout.write('held\n');
process.stdin.once('data', () => setTimeout(() => process.exit(0), 500));
